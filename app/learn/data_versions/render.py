"""Draws the page of data versions."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.learn.data_versions import state
from app.learn.data_versions.actions import make
from app.learn.data_versions.rows import (
    difference_rows,
    difference_words,
    others,
    preview_words,
    version_facts,
    version_rows,
)
from app.shared.job_progress import draw_job
from app.shared.lists.render import draw_choice, draw_rows
from app.shared.model_choice import draw_model_choice
from app.shared.resources import resources
from app.shared.state import chosen_model
from app.shared.templates import draw_html, draw_said, draw_welcome
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may
from core.domain.radiograph import Polarity
from core.services.datasets.data_versions import MAKE_DATA_VERSION, Preview
from core.store.data_versions import DataVersion
from core.store.jobs import JobState

_TABLE_PX, _DIFFERENCE_PX = 520, 330
_POLARITIES = {Polarity.FILM: "film", Polarity.DIGITAL: "digital detector", Polarity.UNKNOWN: "as the model"}


def draw_bar(identity: Identity, preview: Preview) -> None:
    """The model, the labels for the next version, and the form that makes it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-bar"):
        draw_model_choice()
        if may(identity.role, Action.DATA_MAKE):
            with st.popover("Make a data version", icon=":material/add:", key=f"data-make.{state.n_asked()}"):
                draw_form(identity, preview)
        st.caption(preview_words(preview))


def draw_form(identity: Identity, preview: Preview) -> None:
    """The form for a new version."""
    data = resources().services.data
    st.caption(preview_words(preview))
    st.text_input("Licence", key=state.LICENCE, max_chars=255,
                  placeholder="e.g. own production, internal use",
                  help="What the images may be used for. It goes onto the card of every model that learns "
                  "from them.")  # fmt: skip
    st.text_input("Note", key=state.NOTE, max_chars=255, placeholder="why it is made")
    files = data.importable(identity)
    if files:
        st.selectbox("Import", files, key=state.IMPORT, index=None, placeholder="no COCO file",
                     help="A COCO file with its images, laid into the imports folder.")  # fmt: skip
        st.selectbox("Polarity of imported images", list(_POLARITIES), key=state.POLARITY,
                     format_func=_POLARITIES.__getitem__)  # fmt: skip
    with st.container(horizontal=True):
        st.number_input("Calibration, % of parts", 0, 80, 20, 5, key=state.CALIBRATION)
        st.number_input("Test, % of parts", 0, 80, 20, 5, key=state.TEST)
    st.caption("Held back by part, never trained on: a part that judged or calibrated once stays held back. "
               "With fewer than five parts all train but those of evaluation sets.")  # fmt: skip
    st.button("Check and make", type="primary", key="data.make", on_click=make,
              disabled=not preview.labelled and not files)  # fmt: skip


def draw_current_job(identity: Identity) -> None:
    """The newest job that makes a version, while it runs or when it went wrong."""
    for job in resources().services.jobs.latest(identity, [MAKE_DATA_VERSION], limit=1):
        if job.state is not JobState.DONE:
            with st.container(border=True, key="data-job"):
                draw_job(job.job_id, title=f"Data version of {job.payload['model']}")


def draw_nothing() -> None:
    """The page before there is a version."""
    draw_welcome(
        "No data version yet",
        "A data version is what a model learns from: the labelled radiographs as they are now, split by "
        "part, checked, and never changed again. Label a few radiographs under Label, then make the first "
        "one here.",
    )


def draw_table(versions: Sequence[DataVersion], chosen: DataVersion | None, names: Mapping[str, str]) -> None:
    """The versions, newest first; a row that is selected is shown beside it."""
    numbers = [one.number for one in versions]
    draw_choice(
        version_rows(versions, names),
        numbers,
        chosen=chosen.number if chosen else None,
        on_choose=state.choose,
        key=f"data.table.{chosen_model()}.{len(numbers)}",
        most_px=_TABLE_PX,
        column_config={"Note": st.column_config.TextColumn(width="medium")},
    )
    st.caption("Times are UTC. Train, Calibration and Test count images.")


def draw_detail(
    identity: Identity, version: DataVersion, versions: Sequence[DataVersion], names: Mapping[str, str]
) -> None:
    """One version, and its difference from another one."""
    facts = version_facts(version, names, _judging_words(identity, version))
    draw_html("learn/data_versions/templates/version.html", version=version, facts=facts)
    draw_difference(identity, version, others(versions, version))
    if may(identity.role, Action.JOBS_MANAGE):
        if version.counts["parts"]["train"][0]:
            draw_html("learn/data_versions/templates/train.html", version=version)
        else:
            st.caption("Nothing of it trains: every part was held back to calibrate or judge.")


def _judging_words(identity: Identity, version: DataVersion) -> str:
    try:
        return resources().services.data.judging(identity, version).words
    except WorkbenchError as error:
        return f"not known: {error}"


def draw_difference(identity: Identity, version: DataVersion, others: Sequence[DataVersion]) -> None:
    """The difference from another version, image by image."""
    if not others:
        st.caption("The first version of this model: there is nothing to compare it with.")
        return
    against = st.selectbox("Changed since", others, key=f"{state.AGAINST}.{version.number}",
                           format_func=lambda one: f"data version {one.number}")  # fmt: skip
    try:
        found = resources().services.data.difference(identity, against or others[0], version)
    except WorkbenchError as error:
        st.error(f"{error}.")
        return
    draw_said(difference_words(found))
    if not found.is_empty:
        draw_rows(
            difference_rows(found),
            most_px=_DIFFERENCE_PX,
            column_config={"Open": st.column_config.LinkColumn(display_text="label", width=60)},
            key=f"data.difference.{version.number}",
        )

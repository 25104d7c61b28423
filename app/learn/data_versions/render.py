"""Draws the parts of the page of data versions."""

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape

import streamlit as st

from app.learn.data_versions import data_view as view
from app.shared.job_progress import draw_job
from app.shared.resources import MODELS, resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may
from core.services.datasets.data_versions import Preview
from core.store.data_versions import DataVersion

_ROW_PX, _TABLE_PX, _DIFFERENCE_PX = 28, 520, 330
NOTHING = (
    '<div class="rk-welcome"><h1>No data version yet</h1><p class="rk-muted">A data version is what a model '
    "learns from: the labelled radiographs as they are now, split by part, checked, and never changed again. "
    "Label a few radiographs under Label, then make the first one here.</p></div>"
)


def draw_bar(identity: Identity, preview: Preview) -> None:
    """Which model, what the next version would hold, and the way to make it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-bar"):
        st.segmented_control(
            "Model",
            MODELS,
            key=view.app_state.MODEL_KEY,
            format_func=str.capitalize,
            on_change=view.choose_model,
        )
        if may(identity.role, Action.DATA_MAKE):
            with st.popover(
                "Make a data version", icon=":material/add:", key=f"data-make.{view.data_state().n_made}"
            ):
                draw_form(identity, preview)
        st.caption(preview_words(preview))


def preview_words(preview: Preview) -> str:
    """What is labelled, in one line."""
    if not preview.labelled and not preview.n_waiting:
        return "nothing is labelled yet"
    words = f"{preview.labelled} labelled images, {preview.n_new} new or changed since the newest version"
    return words + (f" · {preview.n_waiting} more wait in the queue" if preview.n_waiting else "")


def draw_form(identity: Identity, preview: Preview) -> None:
    """What the new version should hold."""
    data = resources().services.data
    st.caption(preview_words(preview))
    st.text_input("Licence", key=view.LICENCE, max_chars=255, placeholder="e.g. own production, internal use",
                  help="What the images may be used for. It goes onto the card of every model that learns "
                  "from them.")  # fmt: skip
    st.text_input("Note", key=view.NOTE, max_chars=255, placeholder="why it is made")
    files = data.importable(identity)
    if files:
        st.selectbox("Import", files, key=view.IMPORT, index=None, placeholder="no COCO file",
                     help="A COCO file with its images, laid into the imports folder.")  # fmt: skip
        st.selectbox("Polarity of imported images", list(view.POLARITIES), key=view.POLARITY,
                     format_func=view.POLARITIES.__getitem__)  # fmt: skip
    with st.container(horizontal=True):
        st.number_input("Calibration, % of parts", 0, 80, 20, 5, key=view.CALIBRATION)
        st.number_input("Test, % of parts", 0, 80, 20, 5, key=view.TEST)
    st.caption("Held back by part, never trained on: a part that judged or calibrated once stays held back. "
               "With fewer than five parts all of them train.")  # fmt: skip
    st.button("Check and make", type="primary", key="data.make", on_click=view.make,
              disabled=not preview.labelled and not files)  # fmt: skip


def draw_current_job() -> None:
    """The job that makes a version, while it runs or when it went wrong."""
    job = view.current_job()
    if job is not None:
        with st.container(border=True, key="data-job"):
            draw_job(job.job_id, title=f"Data version of {job.payload['model']}")


def draw_table(versions: Sequence[DataVersion], chosen: DataVersion | None, names: Mapping[str, str]) -> None:
    """The versions, newest first; a row that is selected is shown beside it."""
    numbers = [one.number for one in versions]
    key = f"data.table.{view.chosen_model()}.{len(numbers)}"
    st.dataframe(
        view.version_rows(versions, names),
        hide_index=True,
        placeholder="–",
        height=min(_TABLE_PX, _ROW_PX * (len(versions) + 1) + 10),
        row_height=_ROW_PX,
        on_select=partial(view.choose_row, key, numbers),
        selection_mode="single-row",
        selection_default=view.first_selection(key, numbers, chosen),
        column_config={"Note": st.column_config.TextColumn(width="medium")},
        key=key,
    )
    st.caption("Times are UTC. Train, Calibration and Test count images.")


def draw_detail(
    identity: Identity, version: DataVersion, versions: Sequence[DataVersion], names: Mapping[str, str]
) -> None:
    """One version: what it is, and what changed since another one."""
    counts = version.counts
    classes = ", ".join(f"{escape(name)} {count}" for name, count in counts["classes"].items()) or "none"
    facts = {
        "Id": f'<code title="sha256 of the manifest">{version.manifest_sha256[:16]}</code>',
        "Licence": escape(version.licence),
        "Note": escape(version.note) or "none",
        "Made": f"{version.created_at:%Y-%m-%d %H:%M} UTC by {escape(view.author(version, names))}",
        "Boxes": f"{counts['boxes']} on {counts['images']} images of {counts['series']} parts, "
        f"{counts['clean']} images without any",
        "Classes": classes,
        "Labelled here": f"{counts['labelled']} of {counts['images']}",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    st.html(f'<p class="rk-said"><b>Data version {version.number}</b></p><dl class="rk-facts">{rows}</dl>')
    draw_difference(identity, version, view.others(versions, version))
    if may(identity.role, Action.JOBS_MANAGE):
        st.html(f'<a class="rk-go" href="/retrain?model={version.model_name}&data={version.number}" '
                'target="_self">Train on this version</a>')  # fmt: skip


def draw_difference(identity: Identity, version: DataVersion, others: Sequence[DataVersion]) -> None:
    """What changed since another version, image by image."""
    if not others:
        st.caption("The first version of this model: there is nothing to compare it with.")
        return
    against = st.selectbox("Changed since", others, key=f"{view.AGAINST}.{version.number}",
                           format_func=lambda one: f"data version {one.number}")  # fmt: skip
    try:
        found = resources().services.data.difference(identity, against or others[0], version)
    except WorkbenchError as error:
        st.error(f"{error}.")
        return
    st.html(f'<p class="rk-said" role="status">{view.difference_words(found)}</p>')
    if not found.is_empty:
        rows = view.difference_rows(found)
        st.dataframe(
            rows,
            hide_index=True,
            placeholder="–",
            row_height=_ROW_PX,
            height=min(_DIFFERENCE_PX, _ROW_PX * (len(rows) + 1) + 10),
            column_config={"Open": st.column_config.LinkColumn(display_text="label", width=60)},
            key=f"data.difference.{version.number}",
        )

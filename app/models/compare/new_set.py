"""Draws the way to a new evaluation set: from labels, from signed inspections, or from an archive."""

from collections.abc import Sequence

import streamlit as st

from app.models.compare import actions, state
from app.models.compare.state import Choice
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.indication import IndicationClass
from core.domain.permissions import Action, may
from core.services.evaluation.evaluation_sets import LONGEST_NAME


def draw_new_set(identity: Identity, choice: Choice) -> None:
    """The button that opens it, for those who may."""
    if not may(identity.role, Action.EVALUATIONS_MANAGE):
        return
    with st.popover("New set", icon=":material/add:", key=f"compare.new_set.{state.n_made()}"):
        st.text_input("Name", key=state.NEW_NAME, max_chars=LONGEST_NAME)
        place = st.empty()  # always there, or the tabs below would be others and begin anew
        if why := state.set_refusal():
            place.error(why)
        labels, history, archive = st.tabs(["From labels", "From history", "From a COCO file"])
        with labels:
            _draw_from_labels(identity, choice)
        with history:
            _draw_from_history(identity, choice)
        with archive:
            st.file_uploader(
                "ZIP of the images and one COCO file",
                type="zip",
                key=state.new_file_key(),
                help="Boxes as COCO has them.",
            )
            st.button(
                "Make the set",
                key="compare.new_set.archive",
                on_click=actions.add_archive,
                args=(choice.model,),
            )


def _draw_from_labels(identity: Identity, choice: Choice) -> None:
    """Filters of the images that were labelled here, and how many are left."""
    _draw_filter("labels", "With a label of")
    n_images, n_boxes = resources().services.set_maker.count(identity, choice.model, state.new_filter())
    st.caption(
        f"{n_images:,} labelled images with {n_boxes:,} boxes. Those whose labels still wait are left out. "
        "None of them trains from then on."
    )
    st.button(
        "Make the set",
        key="compare.new_set.labels",
        type="primary",
        disabled=not n_images,
        on_click=actions.add_from_labels,
        args=(choice.model,),
    )


def _draw_from_history(identity: Identity, choice: Choice) -> None:
    """Filters of the signed inspections, what is recorded there, and how many are left."""
    _draw_filter("history", "With a recorded indication of")
    left, middle, right = st.columns(3)
    left.date_input("Inspected from", value=None, key=state.HISTORY_SINCE, format="YYYY-MM-DD")
    middle.date_input("to", value=None, key=state.HISTORY_UNTIL, format="YYYY-MM-DD")
    right.selectbox(
        "Read by",
        [one.version for one in choice.versions],
        key=state.HISTORY_VERSION,
        index=None,
        format_func=lambda number: f"v{number}",
        placeholder="any version",
    )
    wanted, bounds = state.new_filter("history"), state.history_bounds()
    count = resources().services.set_maker.count_history(identity, choice.model, wanted, bounds)
    told = f"{count.n_images:,} signed images ({count.n_clean:,} of them clean) with {count.n_boxes:,} boxes."
    if count.left_out:
        told += f" Left out: {count.left_out_words}."
    st.markdown(told)
    st.caption(
        "Recorded truth is the newest signed record: boxes that were confirmed and boxes that were drawn. "
        "What was dismissed as a false call is background; non-relevant indications and geometry count for "
        f"and against nobody. None of the images trains from then on.{_advantage(count.read_by)}"
    )
    st.button(
        "Make the set",
        key="compare.new_set.history",
        type="primary",
        disabled=not count.n_images,
        on_click=actions.add_from_history,
        args=(choice.model,),
    )


def _advantage(read_by: Sequence[int]) -> str:
    """The sentence that says whom a set from the history favours."""
    if not read_by:
        return ""
    names = " and ".join(f"v{number}" for number in read_by)
    return (
        f" Confirmed boxes keep the extent that {names} gave them, and what it did not show is recorded only "
        f"if the inspector saw it: this favours {names}."
    )


def _draw_filter(source: str, of_class: str) -> None:
    """Part, equipment, class and size of the images that a set is made of."""
    part, equipment, in_classes, least, most = state.FILTER_KEYS[source]
    left, right = st.columns(2)
    left.text_input("Part", key=part, placeholder="any")
    right.text_input("Equipment", key=equipment, placeholder="any")
    classes = [one.value for one in IndicationClass]
    st.multiselect(of_class, classes, key=in_classes, placeholder="any class, or none")
    left, right = st.columns(2)
    left.number_input("Longer side from, px", min_value=0, key=least)
    right.number_input("to, px (0: any)", min_value=0, key=most)

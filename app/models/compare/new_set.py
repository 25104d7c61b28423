"""Draws the way to a new evaluation set: from labels, or from an archive."""

import streamlit as st

from app.models.compare import actions, state
from app.models.compare.state import Choice
from app.shared.resources import resources
from app.shared.templates import draw_said
from core.domain.accounts import Identity
from core.domain.indication import IndicationClass
from core.domain.permissions import Action, may
from core.services.evaluation.evaluation_sets import LONGEST_NAME


def draw_new_set(identity: Identity, choice: Choice) -> None:
    """The button that opens it, for those who may, and what the last one came to."""
    if not may(identity.role, Action.EVALUATIONS_MANAGE):
        return
    with st.popover("New set", icon=":material/add:", key=f"compare.new_set.{state.n_made()}"):
        st.text_input("Name", key=state.NEW_NAME, max_chars=LONGEST_NAME)
        labels, archive = st.tabs(["From labels", "From a COCO file"])
        with labels:
            _draw_from_labels(identity, choice)
        with archive:
            st.file_uploader(
                "ZIP of the images and one COCO file",
                type="zip",
                key=state.NEW_FILE,
                help="Boxes as COCO has them.",
            )
            st.button(
                "Make the set",
                key="compare.new_set.archive",
                on_click=actions.add_archive,
                args=(choice.model,),
            )
    draw_said(state.compare_said())


def _draw_from_labels(identity: Identity, choice: Choice) -> None:
    """Filters of the images that were labelled here, and how many are left."""
    left, right = st.columns(2)
    left.text_input("Part", key=state.NEW_PART, placeholder="any")
    right.text_input("Equipment", key=state.NEW_EQUIPMENT, placeholder="any")
    classes = [one.value for one in IndicationClass]
    st.multiselect("With a label of", classes, key=state.NEW_CLASSES, placeholder="any class, or none")
    left, right = st.columns(2)
    left.number_input("Longer side from, px", min_value=0, key=state.NEW_LEAST)
    right.number_input("to, px (0: any)", min_value=0, key=state.NEW_MOST)
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

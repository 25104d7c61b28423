"""Inspect: hand in radiographs, see the indications that the model reports, read them, decide, sign."""

import streamlit as st

from app.inspection import render
from app.inspection.items import inspection_of, worklist_items
from app.inspection.reading.render import draw_sign_dialog
from app.inspection.setup.render import draw_setup
from app.shared.access import require_page
from app.shared.resources import resources
from app.shared.state import chosen_model
from app.shared.worklist import EntryState
from core.domain.errors import WorkbenchError


def draw() -> None:
    """The whole page."""
    try:
        model = resources().champions.champion(chosen_model())
    except WorkbenchError as error:
        render.draw_choices()
        st.error(f"No analysis is possible: {error}. What you handed in before is safe.")
        return
    items, current = worklist_items(model)
    has_images = any(item.entry.state is not EntryState.FAILED for item in items)
    inspection = inspection_of(current)
    with st.container(horizontal=True, key="inspection-bar"):
        render.draw_choices()
        draw_setup(inspection)
        if has_images:
            render.draw_add_menu()
        if current and current.version and current.version.version != model.version:
            st.caption(
                f"Read by v{current.version.version}. The champion is v{model.version} now: hand the image "
                "in again to have it read by that."
            )
        render.draw_label_link(current)
    if not has_images:
        for item in items:
            st.error(f"{item.entry.name}: {item.entry.message}")
        render.draw_remark()
        render.draw_invitation(model)
        return
    render.draw_viewer(model, inspection, is_pending=any(item.is_pending for item in items))
    draw_sign_dialog()


require_page("")
draw()

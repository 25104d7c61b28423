"""Inspect: hand in radiographs, see the indications that the model reports, read them, decide, sign."""

import streamlit as st

from app.inspection import render
from app.inspection.items import inspection_of, worklist_items
from app.inspection.reading.render import draw_sign_dialog
from app.inspection.setup.render import draw_setup
from app.shared.access import require_page
from app.shared.worklist import EntryState


def draw() -> None:
    """The whole page."""
    items, current = worklist_items()
    has_images = any(item.entry.state is not EntryState.FAILED for item in items)
    inspection = inspection_of(current)
    with st.container(horizontal=True, key="inspection-bar"):
        render.draw_choices()
        draw_setup(current, inspection)
        if has_images:
            render.draw_add_menu()
        if current:
            render.draw_reader(current)
        render.draw_label_link(current)
    if not has_images:
        for item in items:
            st.error(f"{item.entry.name}: {item.entry.message}")
        render.draw_remark()
        render.draw_invitation()
        return
    render.draw_viewer(inspection, is_pending=any(item.is_pending for item in items))
    draw_sign_dialog()


require_page("")
draw()

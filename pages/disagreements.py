"""Disagreements: images that somebody should look at again, the most urgent first."""

import streamlit as st

from app.label.queue import render
from app.label.queue.actions import queue_of
from app.label.queue.state import chosen_filter, chosen_item, corrections_state
from app.shared.access import require_page


def draw() -> None:
    """Draw the page."""
    identity = require_page("disagreements")
    queue = queue_of(identity)
    queue.catch_up(identity)
    render.draw_filter()
    wanted, place = chosen_filter(identity), corrections_state().pages.place
    page = queue.page(identity, wanted, limit=render.PAGE_ROWS, before=place)
    render.draw_pager(page)
    render.draw_comparing(identity)
    chosen = chosen_item()
    if chosen is None:
        render.draw_table(page, None)
        return
    table, item = st.columns([12, 8], gap="small")
    with table:
        render.draw_table(page, chosen)
    with item, st.container(height=700, border=True, key="queue-item"):
        render.draw_chosen(page, identity, chosen)


draw()

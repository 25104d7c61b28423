"""History: every inspection there is, found again in a moment."""

import streamlit as st

from app.history import render
from app.history.state import chosen_filter, chosen_inspection, history_state
from app.shared.access import require_page
from app.shared.resources import resources

_PAGE_ROWS = 50


def draw() -> None:
    """Draw the page."""
    identity = require_page("history")
    workspace = resources().services.workspace_of(identity)
    render.draw_filter(workspace, identity)
    wanted, place = chosen_filter(), history_state().pages.place
    page = workspace.history.search(identity, wanted, limit=_PAGE_ROWS, before=place)
    render.draw_pager(page, _PAGE_ROWS)
    chosen = chosen_inspection()
    if chosen is None:
        render.draw_table(page, identity, None)
        return
    table, record = st.columns([13, 7], gap="small")
    with table:
        render.draw_table(page, identity, chosen)
    with record, st.container(height=700, border=True, key="history-summary"):
        render.draw_chosen(identity, chosen)


draw()

"""Audit: who did what and when; whether the log is as it was written."""

import streamlit as st

from app.admin.audit import render
from app.admin.audit.state import audit_state, chosen_filter
from app.shared.access import require_page
from app.shared.resources import resources

_PAGE_ROWS = 100


def draw() -> None:
    """Draw the page."""
    identity = require_page("audit")
    service = resources().services.audit
    wants_verification = render.draw_bar(service, identity)
    wanted = chosen_filter()
    if wants_verification:
        render.verify(service, identity)
    render.draw_verification(service, identity)
    page = service.search(identity, wanted, before=audit_state().pages.place, limit=_PAGE_ROWS)
    render.draw_pager(page)
    if not page.events:
        st.caption("No event is like this. Clear the filter to see them all.")
        return
    table, detail = st.columns([7, 3], gap="small")
    with table, st.container(key="audit-table"):
        chosen = render.draw_table(page)
    with detail:
        render.draw_event(page.events[chosen] if chosen is not None else None)


draw()

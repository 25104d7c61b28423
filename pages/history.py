"""History: every inspection there is, found again in a moment."""

import streamlit as st

from app.history import history_view as view
from app.history import render as parts
from app.history.record_summary import draw_summary
from app.shared.access import require_page
from app.shared.components.record_table.record_table import record_table
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import UnknownRecordError
from core.services.inspections.history import HistoryPage

_PAGE_ROWS = 50


def draw() -> None:
    """The whole page."""
    identity = require_page("history")
    workspace = resources().services.workspace_of(identity)
    parts.draw_filter(view.choices(workspace, identity))
    wanted = view.chosen_filter()
    before = view.history_state().pages[-1]
    page = workspace.history.search(identity, wanted, limit=_PAGE_ROWS, before=before)
    parts.draw_pager(page, _PAGE_ROWS)
    chosen = st.query_params.get(view.CHOSEN)
    if chosen is None:
        draw_table(page, identity, None)
        return
    table, summary = st.columns([13, 7], gap="small")
    with table:
        draw_table(page, identity, chosen)
    with summary, st.container(height=700, border=True, key="history-summary"):
        draw_chosen(identity, chosen)


def draw_table(page: HistoryPage, identity: Identity, chosen: str | None) -> None:
    """The inspections, or what to do when there are none."""
    if not page.entries:
        parts.draw_nothing(identity)
        return
    record_table(
        view.WIDE if chosen is None else view.NARROW,
        view.rows(page, identity, is_wide=chosen is None),
        key=view.TABLE,
        on_open=view.open_event,
        chosen=chosen,
        label="Inspections, newest first",
    )


def draw_chosen(identity: Identity, inspection_id: str) -> None:
    """One inspection beside the list."""
    st.button("Close", icon=":material/close:", key="history.close", type="tertiary", on_click=view.close)
    try:
        record = resources().services.workspace_of(identity).records.get(identity, inspection_id)
    except UnknownRecordError:
        st.caption("There is no such inspection; the address may be of another product or shortened.")
        return
    draw_summary(record, identity)


draw()

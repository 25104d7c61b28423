"""Disagreements: images that somebody should look at again, the most urgent first."""

import streamlit as st

from app.label.queue import queue_view as view
from app.label.queue import render as parts
from app.shared.access import require_page
from app.shared.components.record_table.record_table import record_table
from core.domain.accounts import Identity
from core.domain.errors import UnknownRecordError
from core.services.inspections.correction_queue import QueuePage


def draw() -> None:
    """The whole page."""
    identity = require_page("disagreements")
    queue = view.service(identity)
    queue.catch_up(identity)
    parts.draw_filter()
    wanted = view.chosen_filter(identity)
    page = queue.page(identity, wanted, limit=view.PAGE_ROWS, before=view.view_state().pages[-1])
    parts.draw_pager(page)
    parts.draw_comparing(identity)
    chosen = st.query_params.get(view.CHOSEN)
    if chosen is None:
        draw_table(page, None)
        return
    table, summary = st.columns([12, 8], gap="small")
    with table:
        draw_table(page, chosen)
    with summary, st.container(height=700, border=True, key="queue-item"):
        draw_chosen(page, identity, chosen)


def draw_table(page: QueuePage, chosen: str | None) -> None:
    """The items, or what it means when there are none."""
    if not page.items:
        parts.draw_nothing(page)
        return
    record_table(
        view.COLUMNS if chosen is None else view.NARROW,
        view.rows(page, is_wide=chosen is None),
        key=view.TABLE,
        on_open=view.open_event,
        chosen=chosen,
        label="Images to be looked at, the most urgent first",
    )


def draw_chosen(page: QueuePage, identity: Identity, item_id: str) -> None:
    """One item beside the list."""
    try:
        parts.draw_item(view.service(identity).get(identity, item_id), page, identity)
    except UnknownRecordError:
        st.button("Close", icon=":material/close:", key="queue.close", type="tertiary", on_click=view.close)
        st.caption("There is no such item; the address may be of another product or shortened.")


draw()

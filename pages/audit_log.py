"""Audit: who did what and when; whether the log is as it was written."""

import time
from datetime import UTC, datetime
from html import escape

import streamlit as st

from app.admin.audit import audit_view as view
from app.shared.access import require_page
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.services.auditing import AuditPage, AuditService, ExportFormat, NamedEvent

_PAGE_ROWS = 100
_TABLE_PX = 640
_ROW_PX = 28


def draw() -> None:
    """The whole page."""
    identity = require_page("audit")
    service = resources().services.audit
    wants_verification = draw_bar(service, identity)
    wanted = view.chosen_filter()
    if wants_verification:
        verify(service, identity)
    draw_verification()
    page = service.search(identity, wanted, before=view.audit_state().pages[-1], limit=_PAGE_ROWS)
    draw_pager(page)
    if not page.events:
        st.caption("No event is like this. Clear the filter to see them all.")
        return
    table, detail = st.columns([7, 3], gap="small")
    with table, st.container(key="audit-table"):
        chosen = draw_table(page)
    with detail:
        draw_event(page.events[chosen] if chosen is not None else None)


def draw_bar(service: AuditService, identity: Identity) -> bool:
    """The filter, and the button that was or was not pressed to verify."""
    choices = service.choices(identity)
    view.prepare_filter(choices.actors, choices.actions)
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit-bar"):
        st.date_input("From (UTC)", key=view.SINCE, value=None, format="YYYY-MM-DD", width=130)
        st.date_input("To, included", key=view.UNTIL, value=None, format="YYYY-MM-DD", width=130)
        st.selectbox("Who", list(choices.actors), format_func=choices.actors.get, key=view.ACTOR, index=None,
                     placeholder="anybody", width=190)  # fmt: skip
        st.selectbox("What", choices.actions, key=view.ACTION, index=None, placeholder="anything", width=210)
        st.text_input("Object", key=view.OBJECT, placeholder="type, id, or both", width=230)
        st.button("Clear", on_click=view.clear_filter, key="audit_log.clear", type="tertiary")
        return st.button("Verify the log", icon=":material/verified_user:", key="audit_log.verify")


def verify(service: AuditService, identity: Identity) -> None:
    """Verify with progress; pressing anything on the page, such as Cancel, ends it without harm."""
    place = st.empty()
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        left_s = (time.monotonic() - started) / done * (total - done)
        bar.progress(done / total, text=f"{done:,} of {total:,} events, about {left_s:.0f} s left")

    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, text="Reading the log")
        st.button("Cancel", key="audit_log.cancel")
    result = service.verify(identity, progress=show)
    place.empty()
    view.audit_state().verification = (result, datetime.now(UTC))


def draw_verification() -> None:
    """What the last verification came to; findings, and what to do about them."""
    kept = view.audit_state().verification
    if kept is None:
        return
    result, at = kept
    st.markdown(view.headline(result, at))
    for note in result.notes:
        st.caption(f"Note: {note}.")
    if result.is_whole:
        return
    st.dataframe(
        view.finding_rows(result),
        hide_index=True,
        placeholder="–",
        row_height=_ROW_PX,
        height=min(220, _ROW_PX * (len(result.findings) + 1) + 8),
        column_config={
            "#": st.column_config.TextColumn(width=110),
            "Finding": st.column_config.TextColumn(width=120),
            "What was found": st.column_config.TextColumn(width=1100),
        },
        key="audit_log.findings",
    )
    st.caption(
        "Keep the database and the file of anchors as they are now, and compare with a backup: "
        "what a finding names was changed from outside of RadiKal."
    )


def draw_pager(page: AuditPage) -> None:
    """How many events there are, older and newer ones, and the export."""
    state = view.audit_state()
    with st.container(horizontal=True, vertical_alignment="center", key="audit-pager"):
        events = page.events
        if events:
            st.markdown(f"{events[0].event.seq:,} to {events[-1].event.seq:,} · {page.n_wanted:,} in all")
        st.button("Newer", icon=":material/chevron_left:", key="audit_log.newer", type="tertiary",
                  disabled=len(state.pages) == 1, on_click=view.turn_page, args=(None,))  # fmt: skip
        st.button("Older", icon=":material/chevron_right:", key="audit_log.older", type="tertiary",
                  disabled=page.before is None, on_click=view.turn_page, args=(page.before,))  # fmt: skip
        is_too_large = page.n_wanted > view.MAX_EXPORTED
        for form in ExportFormat:
            st.download_button(
                f"Export {form.value.upper()}",
                data=view.export_of(state.wanted, form),
                file_name=f"radikal-audit.{form.value}",
                mime="text/csv" if form is ExportFormat.CSV else "application/jsonl",
                key=f"audit_log.export.{form.value}",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                disabled=is_too_large,
                help=f"More than {view.MAX_EXPORTED:,} events: use `radikal audit export` on the server."
                if is_too_large
                else "What the filter finds, all pages. That it was exported is itself an event.",
            )


def draw_table(page: AuditPage) -> int | None:
    """The events; the row that is selected."""
    shown = st.dataframe(
        view.table_rows(page.events),
        hide_index=True,
        placeholder="–",
        height=_TABLE_PX,
        row_height=_ROW_PX,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "#": st.column_config.NumberColumn(width=70),
            "When (UTC)": st.column_config.TextColumn(width=150),
            "Who": st.column_config.TextColumn(width=130),
            "What": st.column_config.TextColumn(width=160),
            "Object": st.column_config.TextColumn(width=230),
        },
        key=f"audit_log.table.{page.events[0].event.seq}",
    )
    rows = shown.selection.rows
    return rows[0] if rows else None


def draw_event(named: NamedEvent | None) -> None:
    """All of one event."""
    if named is None:
        st.caption("Select a row to see all of its event.")
        return
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in view.event_facts(named)
    )
    st.html(f'<dl class="rk-facts">{facts}</dl>')
    st.json(named.event.details or {})


draw()

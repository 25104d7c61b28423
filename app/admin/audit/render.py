"""Draws the audit page."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import streamlit as st

from app.admin.audit import state
from app.admin.audit.rows import (
    event_facts,
    finding_rows,
    headline,
    last_headline,
    progress_text,
    table_rows,
)
from app.shared.downloads import made_on_demand
from app.shared.lists.render import ROW_PX, draw_rows, draw_turns
from app.shared.resources import resources
from app.shared.templates import draw_facts
from core.audit.selection import EventFilter
from core.domain.accounts import Identity
from core.services.auditing import AuditPage, AuditService, ExportFormat, NamedEvent

_TABLE_PX, _FINDINGS_PX = 640, 220
#: Larger exports are for the command line: the page would hold them in memory.
_MOST_EXPORTED = 100_000
_MEDIA_TYPES = {ExportFormat.CSV: "text/csv"}


def draw_bar(service: AuditService, identity: Identity) -> bool:
    """The filter, and the button that verifies; True when it was pressed."""
    choices = service.choices(identity)
    state.prepare_filter(choices)
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit-bar"):
        st.date_input("From (UTC)", key=state.SINCE, value=None, format="YYYY-MM-DD", width=130)
        st.date_input("To, included", key=state.UNTIL, value=None, format="YYYY-MM-DD", width=130)
        st.selectbox("Who", list(choices.actors), format_func=choices.actors.get, key=state.ACTOR, index=None,
                     placeholder="anybody", width=190)  # fmt: skip
        st.selectbox("What", choices.actions, key=state.ACTION, index=None, placeholder="anything", width=210)
        st.text_input("Object", key=state.OBJECT, placeholder="type, id, or both", width=230)
        st.button("Clear", on_click=state.FILTER.clear, key="audit_log.clear", type="tertiary")
        return st.button("Verify the log", icon=":material/verified_user:", key="audit_log.verify")


def verify(service: AuditService, identity: Identity) -> None:
    """Verify with progress; pressing anything on the page, such as Cancel, ends it without harm."""
    place = st.empty()

    def show(what: str, done: int, total: int) -> None:
        bar.progress(done / total if total else 1.0, text=progress_text(what, done, total))

    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, text="Reading the log")
        st.button("Cancel", key="audit_log.cancel")
    result = service.verify(identity, progress=show)
    place.empty()
    state.audit_state().verification = (result, datetime.now(UTC))


def draw_verification(service: AuditService, identity: Identity) -> None:
    """The result of the last verification; findings, and advice on them where it was made here."""
    kept = state.audit_state().verification
    if kept is None:
        st.markdown(last_headline(service.last_verification(identity)))
        return
    result, at = kept
    st.markdown(headline(result, at))
    for note in result.notes:
        st.caption(f"Note: {note}.")
    if result.is_whole:
        return
    draw_rows(
        finding_rows(result),
        most_px=_FINDINGS_PX,
        column_config={
            "#": st.column_config.TextColumn(width=110),
            "Finding": st.column_config.TextColumn(width=120),
            "What was found": st.column_config.TextColumn(width=1100),
        },
        key="audit_log.findings",
    )
    st.caption(
        "Keep the database, the originals and the file of anchors as they are, and compare with a backup: "
        "what a finding names was changed from outside of RadiKal."
    )


def draw_pager(page: AuditPage) -> None:
    """The number of events, older and newer ones, and the export."""
    pages, events = state.audit_state().pages, page.events
    with st.container(horizontal=True, vertical_alignment="center", key="audit-pager"):
        if events:
            st.markdown(f"{events[0].event.seq:,} to {events[-1].event.seq:,} · {page.n_wanted:,} in all")
        draw_turns(pages, page.before, key="audit_log")
        is_too_large = page.n_wanted > _MOST_EXPORTED
        for form in ExportFormat:
            st.download_button(
                f"Export {form.value.upper()}",
                data=made_on_demand(export_of(pages.wanted, form)),
                file_name=f"radikal-audit.{form.value}",
                mime=_MEDIA_TYPES.get(form, "application/jsonl"),
                key=f"audit_log.export.{form.value}",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                disabled=is_too_large,
                help=f"More than {_MOST_EXPORTED:,} events: use `radikal audit export` on the server."
                if is_too_large
                else "What the filter finds, all pages. That it was exported is itself an event.",
            )


def export_of(wanted: EventFilter, form: ExportFormat) -> Callable[[Identity], Iterable[str]]:
    """Writes the events that the filter finds, for whoever asks."""
    return lambda identity: resources().services.audit.export(identity, wanted, form)


def draw_table(page: AuditPage) -> int | None:
    """The events; the number of the selected row."""
    shown = st.dataframe(
        table_rows(page.events),
        hide_index=True,
        placeholder="–",
        height=_TABLE_PX,
        row_height=ROW_PX,
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
    """Draw all of one event."""
    if named is None:
        st.caption("Select a row to see all of its event.")
        return
    draw_facts(event_facts(named))
    st.json(named.event.details or {})

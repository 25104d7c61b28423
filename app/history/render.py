"""Draws the history page: filter, table, and one record beside it."""

from collections.abc import Callable, Iterable, Mapping

import streamlit as st

from app.history import state
from app.history.actions import lay_on_table
from app.history.rows import NARROW, WIDE, export_help, record_content, rows
from app.shared.components.record_table.record_table import record_table
from app.shared.downloads import made_on_demand
from app.shared.lists.render import draw_turns
from app.shared.navigation import LABEL_IMAGE, page_at
from app.shared.place_notes import draw_notes
from app.shared.resources import resources
from app.shared.templates import draw_html, draw_welcome
from core.domain.accounts import Identity
from core.domain.errors import UnknownRecordError
from core.domain.permissions import Action, may
from core.services.inspections.history import HistoryPage
from core.services.inspections.inspection_record import InspectionRecord, is_blind_for
from core.services.workspaces import Workspace
from core.standards.rule_set import RuleSet
from core.store.inspection_history import HistoryFilter


def draw_filter(workspace: Workspace, identity: Identity) -> None:
    """The widgets of the filter."""
    offered = state.known_choices(lambda: workspace.history.choices(identity))
    offers = state.prepare_filter(offered)

    def choose(label: str, key: str, width: int, names: Mapping[str, str] | None = None) -> None:
        st.selectbox(label, offers[key], key=key, index=None, placeholder="any", width=width,
                     format_func=names.__getitem__ if names else str)  # fmt: skip

    with st.container(horizontal=True, vertical_alignment="bottom", key="history-bar"):
        st.text_input("Find", key=state.TEXT, placeholder="part, weld number, file name", width=230)
        st.date_input("From (UTC)", key=state.SINCE, value=None, format="YYYY-MM-DD", width=120)
        st.date_input("To, included", key=state.UNTIL, value=None, format="YYYY-MM-DD", width=120)
        choose("Indication", state.CLASS, 160)
        choose("Disposition", state.DISPOSITION, 130)
        choose("State", state.STATE, 130)
        choose("Model", state.MODEL, 130)
        choose("Inspector", state.INSPECTOR, 150, offered.inspectors)
        st.button("Clear", on_click=state.FILTER.clear, key="history.clear", type="tertiary")


def draw_pager(page: HistoryPage, page_rows: int) -> None:
    """The number of inspections, older and newer ones, the export."""
    pages = state.history_state().pages
    with st.container(horizontal=True, vertical_alignment="center", key="history-pager"):
        n_shown = len(page.entries)
        st.markdown(f"{pages.range_words(n_shown, page_rows)} of {page.count_words}" if n_shown else "none")
        draw_turns(pages, page.next_place, key="history")
        st.download_button("Export CSV", data=made_on_demand(export_of(pages.wanted)),
                           file_name="radikal-history.csv", mime="text/csv", key="history.export",
                           type="tertiary", on_click="ignore", icon=":material/download:",
                           disabled=not n_shown, help=export_help(page))  # fmt: skip


def export_of(wanted: HistoryFilter) -> Callable[[Identity], Iterable[str]]:
    """Writes the inspections that the filter finds, for whoever asks."""
    return lambda identity: resources().services.workspace_of(identity).history_export.csv(identity, wanted)


def draw_table(page: HistoryPage, identity: Identity, chosen: str | None) -> None:
    """The inspections, or a way to get some."""
    if not page.entries:
        draw_nothing(identity)
        return
    record_table(
        WIDE if chosen is None else NARROW,
        rows(page, identity, _tables(identity), is_wide=chosen is None),
        key=state.TABLE,
        on_open=state.open_chosen,
        chosen=chosen,
        label="Inspections, newest first",
    )


def _tables(identity: Identity) -> tuple[RuleSet, ...]:
    """The acceptance tables, for their titles."""
    return resources().services.workspace_of(identity).judging.rule_sets()


def draw_nothing(identity: Identity) -> None:
    """The empty list."""
    if state.history_state().pages.wanted != HistoryFilter():
        draw_welcome(
            "No inspection is like this", "Take a filter away, or clear them all to see every inspection."
        )
        return
    draw_welcome(
        "Nothing was inspected yet",
        "Every radiograph that somebody opened, assessed or decided appears here, with what was found.",
    )
    if identity.role in page_at("").roles:
        st.page_link(page_at("").file, label="Inspect a radiograph", icon=":material/radiology:")


def draw_chosen(identity: Identity, inspection_id: str) -> None:
    """One inspection beside the list."""
    st.button("Close", icon=":material/close:", key="history.close", type="tertiary", on_click=state.close)
    try:
        record = resources().services.workspace_of(identity).records.get(identity, inspection_id)
    except UnknownRecordError:
        st.caption("There is no such inspection; the address may be of another product or shortened.")
        return
    draw_record(record, identity)


def draw_record(record: InspectionRecord, identity: Identity) -> None:
    """Picture, facts, indications, signatures and reviews, and where to go on."""
    inspection = record.inspection
    is_blind = is_blind_for(identity, inspector_id=inspection.inspector_id, state=inspection.state)
    content = record_content(record, _tables(identity), is_blind=is_blind)
    draw_html("history/templates/record.html", **content)
    if is_blind:
        st.html('<p class="rk-muted">You may be the second person for this one: what was found and decided '
                "stays hidden until you have saved your own reading.</p>")  # fmt: skip
        st.page_link(page_at("second-review").file, label="Review it", icon=":material/rate_review:",
                     query_params={"inspection": inspection.inspection_id})  # fmt: skip
        return
    draw_html("history/templates/said.html", **content)
    notes = resources().services.workspace_of(identity).notes.of_images(identity, [inspection.image_sha256])
    draw_notes(notes, notes.threads.get(inspection.image_sha256, ()))
    draw_links(record, identity)


def draw_links(record: InspectionRecord, identity: Identity) -> None:
    """The inspection page, for whoever works there, and the reports."""
    inspection = record.inspection
    with st.container(horizontal=True, vertical_alignment="center", key="record-links"):
        if identity.role in page_at("").roles and inspection.inspector_id == identity.user_id:
            st.button("Open on Inspect", icon=":material/radiology:", type="tertiary", key="record.inspect",
                      on_click=lay_on_table, args=(inspection,),
                      help="Lays the radiograph on your worklist again; the present model version "
                      "reads it.")  # fmt: skip
            if state.take_laid() == inspection.inspection_id:
                st.switch_page(page_at("").file, query_params={"image": inspection.image_sha256})
        if identity.role in page_at("label").roles and may(identity.role, Action.ANNOTATIONS_SAVE):
            st.page_link(page_at("label").file, label="Label", icon=page_at("label").icon,
                         query_params={LABEL_IMAGE: inspection.image_sha256},
                         help="Correct the labels that models learn from.")  # fmt: skip
        draw_html("history/templates/reports.html", inspection_id=inspection.inspection_id)

"""What the history asks for and shows: filters that live in the address, pages, rows, the export."""

import secrets
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app.shared.access import current_identity
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.resources import resources
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.errors import NotAllowedError
from core.domain.indication import IndicationClass
from core.domain.records import Disposition, InspectionState
from core.logs import bound
from core.services.inspections.history import HistoryChoices, HistoryPage
from core.services.inspections.history_export import HIDDEN, MAX_EXPORTED
from core.services.inspections.inspection_record import is_blind_for
from core.services.workspaces import Workspace
from core.store.inspection_history import HistoryEntry, HistoryFilter

TABLE = "history.table"
TEXT, SINCE, UNTIL, CLASS, DISPOSITION, STATE, MODEL, INSPECTOR = (
    f"history.{name}"
    for name in ("text", "from", "to", "class", "disposition", "state", "model", "inspector")
)
_IN_ADDRESS = {TEXT: "q", SINCE: "from", UNTIL: "to", CLASS: "class", DISPOSITION: "disposition",
               STATE: "state", MODEL: "model_version", INSPECTOR: "inspector"}  # fmt: skip
CHOSEN = "inspection"
UNDECIDED = "undecided"
DISPOSITIONS = (*(one.value for one in Disposition), UNDECIDED)
STATE_WORDS = {
    InspectionState.OPEN: "open",
    InspectionState.SIGNED: "signed",
    InspectionState.CONCURRED: "concurred",
    InspectionState.RETURNED: "returned",
}
#: What there is to filter by is asked for again after so long; it takes as long as a search.
_CHOICES_KEPT_S = 30.0
WIDE = (
    "Made (UTC)",
    "Part, weld",
    "Image",
    "Indications",
    "Disposition",
    "State",
    "Rule",
    "Model",
    "Inspector",
)
NARROW = WIDE[:6]

Place = tuple[datetime, str]


@dataclass
class HistoryState:
    """The history page in this session.

    Attributes:
        pages: where every page that was turned begins, the first page's None included.
        wanted: what the pages are of.
        choices: what there is to filter by, and when that was asked for; monotonic seconds.
    """

    pages: list[Place | None] = field(default_factory=lambda: [None])
    wanted: HistoryFilter = HistoryFilter()
    choices: tuple[HistoryChoices, float] | None = None


def history_state() -> HistoryState:
    """The state of the history page in this session."""
    if "history" not in st.session_state:
        st.session_state["history"] = HistoryState()
    state: HistoryState = st.session_state["history"]
    return state


def choices(workspace: Workspace, identity: Identity) -> HistoryChoices:
    """What there is to filter by, as it was a few seconds ago."""
    state = history_state()
    if state.choices is None or clock.monotonic() - state.choices[1] > _CHOICES_KEPT_S:
        state.choices = (workspace.history.choices(identity), clock.monotonic())
    return state.choices[0]


def prepare_filter(offered: HistoryChoices) -> None:
    """Give the widgets their first values from the address; what it names and is not there is ignored."""
    asked = {key: st.query_params.get(name) for key, name in _IN_ADDRESS.items()}
    offers = {
        CLASS: [one.value for one in IndicationClass],
        DISPOSITION: DISPOSITIONS,
        STATE: [one.value for one in InspectionState],
        MODEL: model_names(offered),
        INSPECTOR: list(offered.inspectors),
    }
    st.session_state.setdefault(TEXT, asked[TEXT] or "")
    st.session_state.setdefault(SINCE, _day(asked[SINCE]))
    st.session_state.setdefault(UNTIL, _day(asked[UNTIL]))
    for key, known in offers.items():
        st.session_state.setdefault(key, asked[key] if asked[key] in known else None)


def model_names(offered: HistoryChoices) -> list[str]:
    """Every model version, such as `weld v2`."""
    return [f"{name} v{version}" for name, version in offered.models]


def chosen_filter() -> HistoryFilter:
    """What the widgets ask for; it goes into the address, and another one starts at its first page."""
    asked: dict[str, Any] = {key: st.session_state.get(key) for key in _IN_ADDRESS}
    name, _, version = str(asked[MODEL] or "").rpartition(" v")
    said = asked[DISPOSITION]
    wanted = HistoryFilter(
        text=str(asked[TEXT] or "").strip(),
        since=_midnight(asked[SINCE]),
        until=_midnight(asked[UNTIL], days=1),
        indication_class=IndicationClass(asked[CLASS]) if asked[CLASS] else None,
        disposition=Disposition(said) if said and said != UNDECIDED else None,
        is_undecided=True if said == UNDECIDED else None,
        state=InspectionState(asked[STATE]) if asked[STATE] else None,
        model_name=name or None,
        model_version=int(version) if name else None,
        inspector_id=asked[INSPECTOR],
    )
    in_address = {_IN_ADDRESS[key]: str(value).strip() for key, value in asked.items() if value}
    if open_now := st.query_params.get(CHOSEN):
        in_address[CHOSEN] = open_now
    if dict(st.query_params) != in_address:
        st.query_params.from_dict(in_address)
    state = history_state()
    if state.wanted != wanted:
        state.wanted, state.pages = wanted, [None]
    return wanted


def clear_filter() -> None:
    """Ask for everything again; only from a callback."""
    for key in _IN_ADDRESS:
        st.session_state[key] = "" if key == TEXT else None


def turn_page(before: Place | None) -> None:
    """Go on to older inspections, or with None back to the page before."""
    pages = history_state().pages
    if before is not None:
        pages.append(before)
    elif len(pages) > 1:
        pages.pop()


def open_event() -> None:
    """The visitor opened a row; only from a callback."""
    if key := getattr(st.session_state.get(TABLE), "open", None):
        st.query_params[CHOSEN] = str(key)


def close() -> None:
    """Show the list alone again; only from a callback."""
    st.query_params.pop(CHOSEN, None)


def count_words(page: HistoryPage, page_rows: int) -> str:
    """Which ones are shown, of how many; a count that was not finished says so."""
    n_before = (len(history_state().pages) - 1) * page_rows
    if not page.entries:
        return "none"
    return f"{n_before + 1:,} to {n_before + len(page.entries):,} of {page.count_words}"


def rows(page: HistoryPage, identity: Identity, *, is_wide: bool) -> list[RecordRow]:
    """A row of the table for each inspection."""
    return [_row(one, page, identity, is_wide=is_wide) for one in page.entries]


def found_words(entry: HistoryEntry) -> str:
    """The indications in words; never that there is nothing."""
    counts = [f"{count} {kind.value.replace('_', ' ')}" for kind, count in entry.found.items()]
    return ", ".join(counts) or "none reported"


def export_of(wanted: HistoryFilter) -> Callable[[], bytes]:
    """What makes the file when it is asked for: whoever asks must still be signed in and allowed to then."""
    cookies, here = dict(st.context.cookies), current_identity(touch=False)

    def make() -> bytes:
        identity = identity_of(cookies) or (here if here.is_guest else None)
        if identity is None:
            raise NotAllowedError("you are no longer signed in")
        with bound(request_id=secrets.token_hex(8), user_id=identity.user_id):
            workspace = resources().services.workspace_of(identity)
            return "".join(workspace.history_export.csv(identity, wanted)).encode("utf-8")

    return make


def export_help(page: HistoryPage) -> str:
    """What the file will hold."""
    if page.is_counted:
        return f"All {page.n_found:,} that the filters find, not this page alone. Exporting is an event."
    return (
        f"The newest {MAX_EXPORTED:,} that the filters find; narrow them for others. Exporting is an event."
    )


def _row(entry: HistoryEntry, page: HistoryPage, identity: Identity, *, is_wide: bool) -> RecordRow:
    is_blind = is_blind_for(identity, inspector_id=entry.inspector_id, state=entry.state)
    inspector = page.names.get(entry.inspector_id or "", entry.inspector_id or "command line")
    part = entry.part or "no part named"
    said = entry.disposition.value if entry.disposition else UNDECIDED
    disposition = Cell(said, mark=entry.disposition.value if entry.disposition else "hidden")
    rule = f"{entry.standard or 'none chosen'}{f', {entry.quality_level}' if entry.quality_level else ''}"
    cells = (
        Cell(f"{entry.created_at:%Y-%m-%d %H:%M}"),
        Cell(part, f"weld {entry.weld_number}" if entry.weld_number else ""),
        Cell(entry.image_name),
        Cell(HIDDEN, mark="hidden") if is_blind else Cell(found_words(entry)),
        Cell("hidden", mark="hidden") if is_blind else disposition,
        Cell(STATE_WORDS[entry.state], "correction" if entry.revision_of else ""),
        Cell(rule, mark="" if entry.standard else "hidden"),
        Cell(f"{entry.model_name} v{entry.model_version}"),
        Cell(inspector),
    )
    told = "result hidden" if is_blind else f"{found_words(entry)}, {said}"
    return RecordRow(
        key=entry.inspection_id,
        address=f"/history?{urlencode({CHOSEN: entry.inspection_id})}",
        label=f"{cells[0].text}, {part}, {entry.image_name}, {told}, {STATE_WORDS[entry.state]}",
        thumbnail=f"/records/{entry.inspection_id}/thumbnail",
        cells=cells if is_wide else cells[: len(NARROW)],
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=days)

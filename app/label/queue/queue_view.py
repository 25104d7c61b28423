"""What the queue of corrections asks for and shows: filters that live in the address, pages, rows, acts."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

import streamlit as st

from app.shared.access import acting, current_identity
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.resources import MODELS, resources
from core.domain.accounts import Identity
from core.domain.correction import REASON_WORDS, Reason
from core.services.inspections.correction_queue import COMPARED_IMAGES, DISAGREE, CorrectionQueue, QueuePage
from core.store.jobs import Job, JobState
from core.store.queue import QueueFilter, QueueItem, QueueState

TABLE, CHOSEN = "queue.table", "item"
STATE, REASON, MODEL, MINE, TEXT = (f"queue.{name}" for name in ("state", "reason", "model", "mine", "text"))
WHO, WHY = "queue.who", "queue.why"
_IN_ADDRESS = {STATE: "state", REASON: "reason", MODEL: "model", TEXT: "q"}
COLUMNS = ("Image", "Why", "Classes", "Priority", "Model", "State", "For", "Queued (UTC)")
NARROW = COLUMNS[:4]
PAGE_ROWS = 50


@dataclass
class QueueViewState:
    """The page in this session.

    Attributes:
        pages: where every page that was turned begins, the first page's None included.
        wanted: what the pages are of.
    """

    pages: list[tuple[float, str] | None] = field(default_factory=lambda: [None])
    wanted: QueueFilter = QueueFilter()


def view_state() -> QueueViewState:
    """The state of the page in this session."""
    if "queue" not in st.session_state:
        st.session_state["queue"] = QueueViewState()
    state: QueueViewState = st.session_state["queue"]
    return state


def service(identity: Identity) -> CorrectionQueue:
    """The queue that this person works with."""
    return resources().services.workspace_of(identity).queue


def prepare_filter() -> None:
    """Give the widgets their first values from the address; what it names and is not there is ignored."""
    asked = {key: st.query_params.get(name) for key, name in _IN_ADDRESS.items()}
    if not any(asked.values()) and STATE not in st.session_state:  # what waits is what most come for
        asked[STATE] = QueueState.OPEN.value
    offers = {STATE: [*QueueState], REASON: [*Reason], MODEL: MODELS}
    for key, known in offers.items():
        st.session_state.setdefault(key, asked[key] if asked[key] in known else None)
    st.session_state.setdefault(TEXT, asked[TEXT] or "")
    st.session_state.setdefault(MINE, False)


def chosen_filter(identity: Identity) -> QueueFilter:
    """What the widgets ask for; it goes into the address, and another one starts at its first page."""
    asked = {key: st.session_state.get(key) for key in _IN_ADDRESS}
    wanted = QueueFilter(
        state=QueueState(asked[STATE]) if asked[STATE] else None,
        reason=Reason(asked[REASON]) if asked[REASON] else None,
        model_name=asked[MODEL],
        assigned_to=identity.user_id if st.session_state.get(MINE) else None,
        text=str(asked[TEXT] or "").strip(),
    )
    in_address = {_IN_ADDRESS[key]: str(value) for key, value in asked.items() if value}
    if open_now := st.query_params.get(CHOSEN):
        in_address[CHOSEN] = open_now
    if dict(st.query_params) != in_address:
        st.query_params.from_dict(in_address)
    state = view_state()
    if state.wanted != wanted:
        state.wanted, state.pages = wanted, [None]
    return wanted


def turn_page(before: tuple[float, str] | None) -> None:
    """Go on to less urgent ones, or with None back to the page before; only from a callback."""
    pages = view_state().pages
    if before is not None:
        pages.append(before)
    elif len(pages) > 1:
        pages.pop()


def rows(page: QueuePage, *, is_wide: bool) -> list[RecordRow]:
    """A row of the table for each item."""
    return [_row(item, page, is_wide=is_wide) for item in page.items]


def count_words(page: QueuePage) -> str:
    """Which ones are shown, of how many, and what waits in all."""
    n_before = (len(view_state().pages) - 1) * PAGE_ROWS
    waiting = sum(n for (state, _), n in page.counts.items() if state is QueueState.OPEN)
    shown = (
        f"{n_before + 1:,} to {n_before + len(page.items):,} of {page.n_found:,}" if page.items else "none"
    )
    return f"{shown} · {waiting:,} open in all"


def counts_words(page: QueuePage) -> str:
    """How many open items there are of each reason."""
    counts = {reason: n for (state, reason), n in page.counts.items() if state is QueueState.OPEN}
    return " · ".join(f"{reason.value} {counts[reason]:,}" for reason in Reason if reason in counts)


def state_words(item: QueueItem, page: QueuePage) -> str:
    """The state, or who is at it now."""
    holder = item.holder(page.now)
    if item.state is QueueState.OPEN and holder is not None:
        return f"{page.names.get(holder, holder)} is at it"
    return item.state.value


@acting
def open_event() -> None:
    """The visitor opened a row."""
    if key := getattr(st.session_state.get(TABLE), "open", None):
        st.query_params[CHOSEN] = str(key)
        st.session_state.pop(WHO, None)


def close() -> None:
    """Show the list alone again; only from a callback."""
    st.query_params.pop(CHOSEN, None)


@acting
def assign_event(item_id: str, version: int) -> None:
    """The item is meant for somebody else now."""
    identity = current_identity()
    service(identity).assign(identity, item_id, st.session_state.get(WHO), expected_version=version)


@acting
def skip_event(item_id: str, version: int) -> None:
    """The item is closed without a correction."""
    identity = current_identity()
    service(identity).skip(identity, item_id, str(st.session_state.get(WHY) or ""), expected_version=version)
    st.session_state[WHY] = ""


@acting
def reopen_event(item_id: str, version: int) -> None:
    """The item is open again."""
    identity = current_identity()
    service(identity).reopen(identity, item_id, expected_version=version)


@acting
def compare_event() -> None:
    """Champion and challenger are to be compared on recent images of the chosen model."""
    model = str(st.session_state.get(MODEL) or MODELS[0])
    payload = {"model": model, "count": COMPARED_IMAGES}
    services, identity = resources().services, current_identity()
    services.jobs.start(identity, DISAGREE, payload, device=services.detect.device)


def compared_words(job: Job) -> str:
    """What came of the last comparison."""
    if job.state is not JobState.DONE:
        return f"last time: {job.message or job.state.value}"
    found = job.result
    versions = f"{found['model']} v{found['champion']} and v{found['challenger']}"
    images = "1 image" if found["n_images"] == 1 else f"{found['n_images']} images"
    return f"last time: {versions} on {images}, {found['n_queued']} new in the queue"


def _row(item: QueueItem, page: QueuePage, *, is_wide: bool) -> RecordRow:
    classes = ", ".join(dict.fromkeys(one.indication_class.value for one in item.boxes))
    n_boxes = f"{len(item.boxes)} boxes" if len(item.boxes) > 1 else "1 box"
    whose = page.names.get(item.assigned_to or "", "") if item.assigned_to else "anybody"
    state = state_words(item, page)
    told = (item.image_name, REASON_WORDS[item.reason], classes, f"priority {item.priority:.2f}", state)
    cells = (
        Cell(item.image_name),
        Cell(item.reason.value, REASON_WORDS[item.reason]),
        Cell(classes, n_boxes),
        Cell(f"{item.priority:.2f}"),
        Cell(item.model_name),
        Cell(state, item.note, mark="" if item.state is QueueState.OPEN else "hidden"),
        Cell(whose, mark="" if item.assigned_to else "hidden"),
        Cell(f"{item.created_at:%Y-%m-%d %H:%M}"),
    )
    return RecordRow(
        key=item.item_id,
        address=f"/disagreements?{urlencode({CHOSEN: item.item_id})}",
        label=", ".join(told),
        thumbnail=f"/labels/images/{item.image_sha256}/thumbnail",
        cells=cells if is_wide else cells[: len(NARROW)],
    )

"""Items of the queue of corrections as rows of the table and in words."""

from app.label.queue.state import CHOSEN
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.moments import minute
from core.domain.correction import REASON_WORDS, Reason
from core.services.inspections.correction_queue import QueuePage
from core.store.jobs import Job, JobState
from core.store.queue import QueueItem, QueueState

COLUMNS = ("Image", "Why", "Classes", "Priority", "Model", "State", "For", "Queued (UTC)")
NARROW = COLUMNS[:4]


def rows(page: QueuePage, *, is_wide: bool) -> list[RecordRow]:
    """A row of the table for each item."""
    return [_row(item, page, is_wide=is_wide) for item in page.items]


def count_words(page: QueuePage, range_words: str) -> str:
    """The range of items on show, the number found, and the number of open ones in all."""
    waiting = sum(n for (state, _), n in page.counts.items() if state is QueueState.OPEN)
    shown = f"{range_words} of {page.n_found:,}" if page.items else "none"
    return f"{shown} · {waiting:,} open in all"


def counts_words(page: QueuePage) -> str:
    """The number of open items of each reason."""
    counts = {reason: n for (state, reason), n in page.counts.items() if state is QueueState.OPEN}
    return " · ".join(f"{reason.value} {counts[reason]:,}" for reason in Reason if reason in counts)


def state_words(item: QueueItem, page: QueuePage) -> str:
    """The state, or the person who is at it now."""
    holder = item.holder(page.now)
    if item.state is QueueState.OPEN and holder is not None:
        return f"{page.names.get(holder, holder)} is at it"
    return item.state.value


def reason_words(item: QueueItem, page: QueuePage) -> str:
    """Why the image is queued; of one that a person sent, by whom, from where, and the note."""
    if item.sent is None:
        return REASON_WORDS[item.reason]
    sent = item.sent
    versions = ", ".join(f"v{number}" for number in sent.versions)
    by = page.names.get(sent.sent_by, sent.sent_by)
    told = f"sent by {by} from a comparison of {item.model_name} {versions} on {sent.set_name}"
    return f"{told}: {sent.note}" if sent.note else told


def compared_words(job: Job) -> str:
    """The result of the last comparison of champion and challenger."""
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
    told = (item.image_name, reason_words(item, page), classes, f"priority {item.priority:.2f}", state)
    cells = (
        Cell(item.image_name),
        Cell(item.reason.value, reason_words(item, page)),
        Cell(classes, n_boxes),
        Cell(f"{item.priority:.2f}"),
        Cell(item.model_name),
        Cell(state, item.note, mark="" if item.state is QueueState.OPEN else "hidden"),
        Cell(whose, mark="" if item.assigned_to else "hidden"),
        Cell(minute(item.created_at)),
    )
    return RecordRow(
        key=item.item_id,
        address=f"/disagreements?{CHOSEN}={item.item_id}",
        label=", ".join(told),
        thumbnail=f"/labels/images/{item.image_sha256}/thumbnail",
        cells=cells if is_wide else cells[: len(NARROW)],
    )

"""The images on the worklist, each with its answer, and the readings of them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from app.inspection.analysis_queue import Answer, AnswerState, Question
from app.inspection.state import analyses, own_worklist, remembered
from app.shared import state
from app.shared.access import current_identity, current_workspace
from app.shared.resources import resources
from app.shared.worklist import EntryState, WorklistEntry
from core.domain.accounts import Identity
from core.domain.errors import StaleVersionError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, may
from core.domain.polarity import PolarityDecision
from core.domain.radiograph import Polarity, Radiograph
from core.domain.reading import setup_from
from core.domain.records import Inspection
from core.services.inference.picking import picked_words
from core.services.inspections.open_readings import OpenReading, ReadingProgress, progress_of


@dataclass(frozen=True, slots=True, eq=False)
class WorklistItem:
    """An image on the worklist: the entry, its answer where it was asked, and the version that reads it.

    Attributes:
        version: of the model of its kind, or of the one that was picked instead; None where there is none.
        why_not: the same in words.
    """

    entry: WorklistEntry
    question: Question | None = None
    answer: Answer | None = None
    version: ModelVersion | None = None
    why_not: str = ""

    @property
    def is_pending(self) -> bool:
        """True while there is something to wait for."""
        if self.entry.state is EntryState.READING:
            return True
        return self.answer is not None and self.answer.state in (AnswerState.WAITING, AnswerState.WORKING)

    @property
    def state(self) -> str:
        """`ready`, `working`, `waiting`, `failed`, `cancelled`, or `asked`: its polarity has to be stated."""
        if self.entry.state is EntryState.FAILED or self.why_not:
            return "failed"
        if self.answer is None:
            return "working" if self.entry.state is EntryState.READING else "waiting"
        return self.answer.state.value

    @property
    def polarity(self) -> PolarityDecision | None:
        """The polarity that counts and why; None before the image was looked at."""
        return self.answer.polarity if self.answer else None

    @property
    def picked(self) -> str:
        """Why another model reads it than that of its kind, in words; empty where none does."""
        is_picked = self.question and self.version and self.version.name != self.question.model
        return picked_words(self.version.name, self.question.model) if is_picked else ""

    @property
    def recorded(self) -> Inspection | None:
        """The inspection that keeps the answer, as it was recorded; None while there is no result."""
        return self.answer.inspection if self.answer and self.answer.result else None


def worklist_items() -> tuple[list[WorklistItem], WorklistItem | None]:
    """Every image on the worklist, and the one on show; those that were read are asked about.

    Each is read by the model that was chosen when it came, and goes on being read by the version that read it
    first, whatever became champion since.
    """
    identity, shown = current_identity(), current_key()
    entries = own_worklist().entries()
    readers = {model: Readers(model) for model in {entry.model for entry in entries}}
    items = [_item(entry, identity, readers[entry.model], shown) for entry in entries]
    if told := own_worklist().answer_alike(looks_of(item for item in items if item.state == "asked")):
        for polarity in set(told.values()):
            keys = [key for key, stated in told.items() if stated is polarity]
            current_workspace().worklist.state_polarity(identity, keys, polarity)
        return worklist_items()
    return items, next((item for item in items if item.entry.key == shown), None)


def looks_of(items: Iterable[WorklistItem]) -> dict[str, Polarity]:
    """The polarity that each image looks like, by key; those that nobody looked at yet are left out."""
    return {item.entry.key: item.polarity.estimate.polarity for item in items if item.polarity}


def current_key() -> str | None:
    """Key of the image on show: the chosen one, else the one in the address, else the newest."""
    worklist, shown = own_worklist(), state.shown_entry()
    if worklist.get(shown) is None:
        named, entries = worklist.with_digest(st.query_params.get("image", "")), worklist.entries()
        shown = named.key if named else (entries[-1].key if entries else None)
        state.show_entry(shown)
    return shown


def question_of(entry: WorklistEntry, identity: Identity, version: ModelVersion) -> Question:
    """The question whether this version finds anything on the image of the entry."""
    return Question(
        identity.user_id,
        entry.sha256 or "",
        entry.polarity,
        version.name,
        version.version,
        is_chosen=entry.is_model_chosen,
    )


class Readers:
    """The versions of one registered model that read images of the own worklist, each looked up once.

    Raises:
        WorkbenchError: on the first use, when the model has no champion.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._known: dict[int, ModelVersion] = {}

    @cached_property
    def champion(self) -> ModelVersion:
        """Reads what no other version read yet."""
        return resources().champions.champion(self._model)

    def of(self, entry: WorklistEntry) -> ModelVersion:
        """The version that reads the entry; the champion where that one is not registered any more."""
        champion, known = self.champion, self._known
        known.setdefault(champion.version, champion)
        number = own_worklist().reader(entry.key, champion.name, champion.version)
        if number not in known:
            try:
                known[number] = resources().champions.resolve(champion.name, version=number)[0]
            except WorkbenchError:
                known[number] = champion
        return known[number]


def radiograph_of(item: WorklistItem) -> Radiograph | None:
    """The radiograph of the item in the polarity that counts, None before it was read."""
    if item.entry.sha256 is None:
        return None
    radiograph = current_workspace().images.load(item.entry.sha256, polarity=item.entry.polarity)
    return item.polarity.applied(radiograph) if item.polarity else radiograph


def inspection_of(item: WorklistItem | None) -> Inspection | None:
    """The inspection that is read, as it is stored now: that of the answer, or its newest correction."""
    reading = None if item is None else open_item(item)
    return None if reading is None else reading.reading.inspection


def open_item(item: WorklistItem) -> OpenReading | None:
    """The reading of the item as it is stored now, None before the image was analysed.

    What the visitor opened is in the history from now on; what shows by itself is not, and follows the setup
    of its entry until then.
    """
    if item.recorded is None:
        return None
    page, identity, workspace = remembered(), current_identity(), current_workspace()
    page.shown = workspace.open_readings.open_newest(identity, item.recorded, known=page.shown)
    inspection = page.shown.reading.inspection
    if inspection.opened_at is not None or not may(identity.role, Action.INSPECTIONS_RECORD):
        return page.shown
    is_behind = setup_from(inspection.setup) != item.entry.setup
    if is_behind and may(identity.role, Action.INSPECTIONS_DECIDE):
        with suppress(StaleVersionError):  # another tab was faster: the next run looks again
            workspace.inspections.describe(
                identity, inspection.inspection_id, item.entry.setup, expected_version=inspection.version
            )
    if page.opened == item.entry.key:
        workspace.inspections.open(identity, inspection.inspection_id)
    elif not is_behind:
        return page.shown
    page.shown = workspace.open_readings.open_newest(identity, item.recorded, known=page.shown)
    return page.shown


def progress_on(
    items: Sequence[WorklistItem], current: WorklistItem, reading: OpenReading | None
) -> dict[str, ReadingProgress]:
    """How far each image that was analysed is read, by the key of its entry.

    The image on show is told by `reading`; others as they were when this session looked, because its own
    readings are what changes them.
    """
    known = remembered().progress
    if reading is not None:
        known[current.entry.key] = progress_of(reading.reading)
    identity, readings = current_identity(), current_workspace().open_readings
    for item in items:
        if item.recorded is not None and item.entry.key not in known:
            known[item.entry.key] = readings.progress(identity, item.recorded)
    return known


def _item(entry: WorklistEntry, identity: Identity, readers: Readers, shown: str | None) -> WorklistItem:
    is_stored = entry.state is EntryState.STORED
    try:
        version = readers.of(entry) if is_stored else readers.champion
    except WorkbenchError as error:
        return WorklistItem(
            entry, why_not=f"No analysis is possible: {error}. Your image is stored and safe."
        )
    if not is_stored:
        return WorklistItem(entry, version=version)
    question = question_of(entry, identity, version)
    answer = analyses().ask(question, entry, identity, urgent=entry.key == shown)
    if answer.result is not None and answer.result.model.name != version.name:
        version = answer.result.model  # it was picked
    return WorklistItem(entry, question, answer, version)

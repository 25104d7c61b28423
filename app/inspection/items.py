"""The images on the worklist, each with its answer, and the readings of them."""

from dataclasses import dataclass

import streamlit as st

from app.inspection.analysis_queue import Answer, AnswerState, Question
from app.inspection.state import analyses, own_worklist, remembered
from app.shared import state
from app.shared.access import current_identity, current_workspace
from app.shared.resources import resources
from app.shared.worklist import EntryState, WorklistEntry
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph
from core.domain.records import Inspection
from core.services.inspections.open_readings import OpenReading


@dataclass(frozen=True, slots=True, eq=False)
class WorklistItem:
    """An image on the worklist: the entry, its answer where it was asked, and the version that was asked."""

    entry: WorklistEntry
    question: Question | None = None
    answer: Answer | None = None
    version: ModelVersion | None = None

    @property
    def is_pending(self) -> bool:
        """True while there is something to wait for."""
        if self.entry.state is EntryState.READING:
            return True
        return self.answer is not None and self.answer.state in (AnswerState.WAITING, AnswerState.WORKING)

    @property
    def state(self) -> str:
        """`ready`, `working`, `waiting`, `failed` or `cancelled`."""
        if self.entry.state is EntryState.FAILED:
            return "failed"
        if self.answer is None:
            return "working" if self.entry.state is EntryState.READING else "waiting"
        return self.answer.state.value

    @property
    def recorded(self) -> Inspection | None:
        """The inspection that keeps the answer, as it was recorded; None while there is no result."""
        return self.answer.inspection if self.answer and self.answer.result else None


def worklist_items(champion: ModelVersion) -> tuple[list[WorklistItem], WorklistItem | None]:
    """Every image on the worklist, and the one on show; those that were read are asked about.

    An image goes on being read by the version that read it first, whatever became champion since.
    """
    identity, shown, known = current_identity(), current_key(), {champion.version: champion}
    items = [_item(entry, identity, champion, known, shown) for entry in own_worklist().entries()]
    return items, next((item for item in items if item.entry.key == shown), None)


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
    return Question(identity.user_id, entry.sha256 or "", entry.polarity, version.name, version.version)


def reader_of(entry: WorklistEntry, champion: ModelVersion, known: dict[int, ModelVersion]) -> ModelVersion:
    """The version that reads the entry; the champion where that one is not registered any more.

    Args:
        entry: of the own worklist.
        champion: reads what no other version read yet.
        known: versions by number; the one that is found is added.
    """
    number = own_worklist().reader(entry.key, champion.name, champion.version)
    if number not in known:
        try:
            known[number] = resources().champions.resolve(champion.name, version=number)[0]
        except WorkbenchError:
            known[number] = champion
    return known[number]


def radiograph_of(item: WorklistItem) -> Radiograph | None:
    """The radiograph of the item, None before it was read."""
    if item.entry.sha256 is None:
        return None
    return current_workspace().images.load(item.entry.sha256, polarity=item.entry.polarity)


def inspection_of(item: WorklistItem | None) -> Inspection | None:
    """The inspection that is read, as it is stored now: that of the answer, or its newest correction."""
    if item is None or item.recorded is None:
        return None
    return current_workspace().inspections.newest(current_identity(), item.recorded)


def open_item(item: WorklistItem) -> OpenReading | None:
    """The reading of the item as it is stored now, None before the image was analysed."""
    if item.recorded is None:
        return None
    page, readings = remembered(), current_workspace().open_readings
    page.shown = readings.open_newest(current_identity(), item.recorded, known=page.shown)
    return page.shown


def _item(
    entry: WorklistEntry,
    identity: Identity,
    champion: ModelVersion,
    known: dict[int, ModelVersion],
    shown: str | None,
) -> WorklistItem:
    if entry.state is not EntryState.STORED:
        return WorklistItem(entry)
    version = reader_of(entry, champion, known)
    question = question_of(entry, identity, version)
    answer = analyses().ask(question, entry, identity, urgent=entry.key == shown)
    return WorklistItem(entry, question, answer, version)

"""A queue of images to analyse beside the script thread: ask, look again later, have the answer."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from app.shared.incident import incident
from app.shared.worklist import WorklistEntry
from core.domain.accounts import Identity
from core.domain.errors import EngineBusyError, WorkbenchError
from core.domain.inspection import DetectionResult
from core.domain.kinds import model_for_new_parts
from core.domain.polarity import PolarityDecision
from core.domain.radiograph import Polarity, Radiograph
from core.domain.records import Inspection
from core.logs import bound, new_request_id
from core.services.inference.picking import Pick
from core.services.workspaces import Workspace
from core.tracing import span

#: So many keep their pixels; of others only the record is kept, and they are answered again when looked at.
_KEPT_RESULTS = 40
_KEPT_ANSWERS = 5_000
#: After an answer at most so many images of an earlier release get their fingerprint, while nobody waits.
_CAUGHT_UP = 200
#: When the machines that run the networks take no more, the image is offered to them again after this.
_FULL_PAUSE_S = 2.0


class Detects(Protocol):
    """The part of the detecting service that the queue calls."""

    def detect(
        self, radiograph: Radiograph, name: str, *, model: str, version: int | None = None
    ) -> DetectionResult:
        """The calibrated detections of one radiograph."""

    def polarity_of(
        self, radiograph: Radiograph, *, model: str, version: int | None = None
    ) -> PolarityDecision:
        """The polarity to read the radiograph in."""


class Picks(Protocol):
    """The part of the picking service that the queue calls."""

    def pick(
        self, radiograph: Radiograph, *, model: str, version: int | None = None, earlier: int | None = None
    ) -> Pick:
        """The version that reads the radiograph."""


@dataclass(frozen=True, slots=True)
class Question:
    """One image under one model version, asked by one visitor; equal questions have equal answers.

    Attributes:
        visitor: user id of who asks; the image lies in that person's workspace.
        polarity: as the visitor stated it, UNKNOWN where not.
        is_chosen: the visitor chose this model for this image: no other one reads it.
    """

    visitor: str
    sha256: str
    polarity: Polarity
    model: str
    version: int
    is_chosen: bool = False


class AnswerState(StrEnum):
    """State of an analysis."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The state of a question, and the result once there is one.

    Attributes:
        result: when ready; None again when nobody looked at it for long.
        message: why it failed, or why it goes on waiting.
        inspection: the record of the result.
        polarity: what counts and why; None before the image was looked at.
    """

    state: AnswerState
    result: DetectionResult | None = None
    message: str = ""
    inspection: Inspection | None = None
    polarity: PolarityDecision | None = None


_WAITING, _WORKING = Answer(AnswerState.WAITING), Answer(AnswerState.WORKING)
_FULL = Answer(
    AnswerState.WAITING,
    message="The machines that read are full. Your image is stored and is read as soon as there is room.",
)
_SLOW = (
    "The machines that read are slow to answer: they are busy, or being started. "
    "Your image is stored and is read as soon as there is room."
)
_CANCELLED = Answer(AnswerState.CANCELLED, message="Not analysed: you cancelled it. Open it to analyse it.")
_FINISHED = (AnswerState.READY, AnswerState.FAILED, AnswerState.CANCELLED, AnswerState.ASKED)


class AnalysisQueue:
    """Answers questions; the most recently looked-at image comes first.

    An answer is shown only after it was kept in the visitor's workspace; the history lists it once opened.

    Args:
        workspace_of: the workspace of a visitor.
        detect: runs the networks.
        picking: picks the version that reads an image.
        n_workers: images that are read at once; more than one where networks run on other machines.
        told_after_s: an image that other machines have not answered for so long says why it waits; None where
            networks run here.
    """

    def __init__(
        self,
        workspace_of: Callable[[Identity], Workspace],
        detect: Detects,
        picking: Picks,
        *,
        n_workers: int = 1,
        told_after_s: float | None = None,
    ) -> None:
        self._workspace_of = workspace_of
        self._detect = detect
        self._picking = picking
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._queue: OrderedDict[Question, tuple[WorklistEntry, Identity]] = OrderedDict()
        self._changed = threading.Condition()
        self._is_closed = False
        self._n_workers = n_workers
        self._told_after_s = told_after_s
        self._begun: dict[Question, float] = {}
        self._workers: list[threading.Thread] = []

    def ask(
        self, question: Question, entry: WorklistEntry, identity: Identity, *, urgent: bool = False
    ) -> Answer:
        """The answer so far; the first call puts the question in the queue.

        Args:
            question: the image and the version.
            entry: of the image on the worklist, for its name and setup.
            identity: of the visitor, with the role as it is now.
            urgent: the visitor is looking at it: it goes to the front.
        """
        with self._changed:
            answer = self._answers.get(question)
            is_stripped = answer is not None and answer.state is AnswerState.READY and answer.result is None
            if answer is None or (urgent and is_stripped):
                answer = self._answers[question] = _WAITING
                self._queue[question] = (entry, identity)
                self._start()
                self._changed.notify()
            self._answers.move_to_end(question)
            if urgent and question in self._queue:
                self._queue.move_to_end(question, last=False)
            self._forget_oldest()
            return replace(answer, message=_SLOW) if self._is_slow(question, answer) else answer

    def _is_slow(self, question: Question, answer: Answer) -> bool:
        if answer.state is not AnswerState.WORKING or answer.message or self._told_after_s is None:
            return False
        return time.monotonic() - self._begun.get(question, float("inf")) >= self._told_after_s

    def result(self, question: Question) -> DetectionResult | None:
        """The result when it is ready, else None; asks nothing."""
        with self._changed:
            answer = self._answers.get(question)
            return answer.result if answer else None

    @property
    def n_waiting(self) -> int:
        """Number of questions that nobody works on yet."""
        with self._changed:
            return len(self._queue)

    @property
    def is_busy(self) -> bool:
        """True while a question waits or is being answered."""
        with self._changed:
            return bool(self._queue) or any(
                one.state is AnswerState.WORKING for one in self._answers.values()
            )

    def forget_failure(self, question: Question) -> bool:
        """Let a question that failed or was cancelled be asked again; True when it had failed."""
        with self._changed:
            answer = self._answers.get(question)
            if answer is None or answer.state not in (AnswerState.FAILED, AnswerState.CANCELLED):
                return False
            del self._answers[question]
            return answer.state is AnswerState.FAILED

    def cancel(self, visitor: str) -> int:
        """Take the visitor's questions out of the queue; their number. The one being answered goes on."""
        with self._changed:
            waiting = [question for question in self._queue if question.visitor == visitor]
            for question in waiting:
                del self._queue[question]
                self._answers[question] = _CANCELLED
            return len(waiting)

    def forget(self, visitor: str) -> None:
        """Drop every question and answer of this visitor."""
        with self._changed:
            for held in (self._answers, self._queue):
                for question in [one for one in held if one.visitor == visitor]:
                    del held[question]

    def close(self) -> None:
        """Finish the running analysis, drop the queue."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
        for worker in self._workers:
            worker.join(timeout=30)

    def _start(self) -> None:
        while len(self._workers) < self._n_workers:
            self._workers.append(threading.Thread(target=self._work, name="analysis", daemon=True))
            self._workers[-1].start()

    def _forget_oldest(self) -> None:
        finished = [q for q, a in self._answers.items() if a.state in _FINISHED]
        for question in finished[: max(0, len(finished) - _KEPT_ANSWERS)]:
            del self._answers[question]
        whole = [q for q in finished if q in self._answers and self._answers[q].result is not None]
        for question in whole[: max(0, len(whole) - _KEPT_RESULTS)]:
            self._answers[question] = replace(self._answers[question], result=None)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            question, entry, identity = task
            model_id = f"{question.model} v{question.version}"
            ids = {"request_id": new_request_id(), "user_id": identity.user_id, "model_id": model_id}
            with bound(**ids), span("analysis", radikal_model=model_id):
                answer = self._answer(question, entry, identity)
            with self._changed:
                self._begun.pop(question, None)
                if question in self._answers:  # not forgotten meanwhile
                    self._answers[question] = answer
                    if answer is _FULL:  # behind the others: another version may have room
                        self._queue[question] = (entry, identity)
                if answer is _FULL:
                    self._changed.wait_for(lambda: self._is_closed, timeout=_FULL_PAUSE_S)
            if answer.state is AnswerState.READY:
                self._catch_up(identity)

    def _catch_up(self, identity: Identity) -> None:
        """Give images that have no fingerprint yet theirs, one at a time, until somebody asks."""
        for _ in range(_CAUGHT_UP):
            with self._changed:
                if self._queue or self._is_closed:
                    return
            try:
                n_made = self._workspace_of(identity).copies.catch_up(1)
            except Exception:  # noqa: BLE001 - the worker's edge: logged, the next image goes on
                incident("Fingerprinting earlier images")
                return
            if n_made == 0:
                return

    def _next(self) -> tuple[Question, WorklistEntry, Identity] | None:
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            question, (entry, identity) = self._queue.popitem(last=False)
            told = self._answers[question].message  # stays on the page while it is offered again
            self._answers[question] = replace(_WORKING, message=told)
            self._begun[question] = time.monotonic()
            return question, entry, identity

    def _answer(self, question: Question, entry: WorklistEntry, identity: Identity) -> Answer:
        try:
            workspace = self._workspace_of(identity)
            radiograph = workspace.images.load(question.sha256, polarity=question.polarity)
            polarity = self._detect.polarity_of(radiograph, model=question.model, version=question.version)
            if polarity.is_asked:
                return Answer(AnswerState.ASKED, polarity=polarity)
            radiograph = polarity.applied(radiograph)
            model, version = self._reader(question, entry, radiograph)
            result = self._detect.detect(radiograph, entry.name, model=model, version=version)
            quality = _quality(workspace, identity, radiograph, entry, question.model)
            inspection = workspace.inspections.prepare(
                identity, result, setup=entry.setup, image_quality=quality
            )
            inspection = workspace.image_quality.refresh(identity, inspection)
        except EngineBusyError:
            return _FULL
        except WorkbenchError as error:
            return Answer(AnswerState.FAILED, message=f"{error}. Your image is stored and safe.")
        except Exception:  # noqa: BLE001 - the worker's edge: logged, told, the next image goes on
            return Answer(AnswerState.FAILED, message=incident(f"Analysing {entry.name}"))
        return Answer(AnswerState.READY, result, inspection=inspection, polarity=polarity)

    def _reader(self, question: Question, entry: WorklistEntry, radiograph: Radiograph) -> tuple[str, int]:
        """Model and version: those that were asked for, or the model for new parts where it looks strange."""
        if question.is_chosen:
            return question.model, question.version
        earlier = entry.read_by.get(model_for_new_parts(question.model) or "")
        pick = self._picking.pick(radiograph, model=question.model, version=question.version, earlier=earlier)
        return pick.model, pick.version


def _quality(
    workspace: Workspace, identity: Identity, radiograph: Radiograph, entry: WorklistEntry, model: str
) -> dict[str, Any]:
    """The report of the image-quality gate; where that cannot be made, one that withholds the verdict."""
    try:
        return workspace.image_quality.report(identity, radiograph, model, entry.setup)
    except WorkbenchError:
        raise  # told as it is, and nothing is recorded
    except Exception:  # noqa: BLE001 - logged, told; what the model found is shown all the same
        told = incident(f"Assessing the quality of {entry.name}", is_worth_repeating=False)
        check = {"kind": "image quality", "state": "failed", "message": told}
        return {"limits": "", "copy_of": None, "checks": [check]}

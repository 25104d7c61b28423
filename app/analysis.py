"""Running the detector beside the script thread: ask, look again later, have the answer."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.incident import incident
from core.domain.errors import WorkbenchError
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity, Radiograph
from core.services.images import ImageService

_KEPT_ANSWERS = 40


class Detects(Protocol):
    """What the desk needs of the detecting service."""

    def detect(
        self, radiograph: Radiograph, name: str, *, model: str, version: int | None = None
    ) -> DetectionResult:
        """The calibrated detections of one radiograph."""


@dataclass(frozen=True, slots=True)
class Question:
    """One image under one model version; equal questions have equal answers."""

    sha256: str
    polarity: Polarity
    model: str
    version: int


class AnswerState(StrEnum):
    """How far an analysis is."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known about a question now; `result` when ready, `message` when failed."""

    state: AnswerState
    result: DetectionResult | None = None
    message: str = ""


_WAITING, _WORKING = Answer(AnswerState.WAITING), Answer(AnswerState.WORKING)


class AnalysisDesk:
    """One worker that answers questions; the most recently looked-at image comes first."""

    def __init__(self, images: ImageService, detect: Detects) -> None:
        self._images = images
        self._detect = detect
        self._answers: OrderedDict[Question, Answer] = OrderedDict()
        self._queue: OrderedDict[Question, str] = OrderedDict()
        self._changed = threading.Condition()
        self._is_closed = False
        self._worker: threading.Thread | None = None

    def ask(self, question: Question, name: str, *, urgent: bool = False) -> Answer:
        """What is known now; the first call puts the question in the queue.

        Args:
            question: what to analyse.
            name: of the file, for the result.
            urgent: the visitor is looking at it: it goes to the front.
        """
        with self._changed:
            answer = self._answers.get(question)
            if answer is None:
                answer = self._answers[question] = _WAITING
                self._queue[question] = name
                self._start()
                self._changed.notify()
            self._answers.move_to_end(question)
            if urgent and question in self._queue:
                self._queue.move_to_end(question, last=False)
            self._forget_oldest()
            return answer

    def result(self, question: Question) -> DetectionResult | None:
        """The result when it is ready, else None; asks nothing."""
        with self._changed:
            answer = self._answers.get(question)
            return answer.result if answer else None

    def forget_failure(self, question: Question) -> None:
        """Let a failed question be asked again."""
        with self._changed:
            answer = self._answers.get(question)
            if answer is not None and answer.state is AnswerState.FAILED:
                del self._answers[question]

    def close(self) -> None:
        """Finish the running analysis, drop the queue."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
        if self._worker is not None:
            self._worker.join(timeout=30)

    def _start(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="analysis", daemon=True)
            self._worker.start()

    def _forget_oldest(self) -> None:
        finished = [q for q, a in self._answers.items() if a.state in (AnswerState.READY, AnswerState.FAILED)]
        for question in finished[: max(0, len(finished) - _KEPT_ANSWERS)]:
            del self._answers[question]

    def _work(self) -> None:
        while (task := self._next()) is not None:
            question, name = task
            answer = self._answer(question, name)
            with self._changed:
                self._answers[question] = answer

    def _next(self) -> tuple[Question, str] | None:
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            question, name = self._queue.popitem(last=False)
            self._answers[question] = _WORKING
            return question, name

    def _answer(self, question: Question, name: str) -> Answer:
        try:
            radiograph = self._images.load(question.sha256, polarity=question.polarity)
            result = self._detect.detect(radiograph, name, model=question.model, version=question.version)
        except WorkbenchError as error:
            return Answer(AnswerState.FAILED, message=f"{error}. Your image is stored and safe.")
        except Exception:  # noqa: BLE001 - the worker's edge: logged, told, the next image goes on
            return Answer(AnswerState.FAILED, message=incident(f"Analysing {name}"))
        return Answer(AnswerState.READY, result)

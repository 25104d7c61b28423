"""Heat maps on demand: computed once for each box of an answer, whoever asks first."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar

from app.inspection.analysis_queue import AnalysisQueue, Question
from core.domain.explanation_standing import QUICK
from core.domain.explanations import Faithfulness, Method
from core.domain.inspection import DetectionResult, HeatMap

_KEPT_MAPS = 64
Answer = TypeVar("Answer", HeatMap, Faithfulness)
_Key = tuple[Question, int, Method]


class Explains(Protocol):
    """The part of the explaining service that is called."""

    def first_method(self, result: DetectionResult) -> Method:
        """Whose map is shown first for the version of a result."""

    def explain(self, result: DetectionResult, index: int, method: Method) -> HeatMap:
        """The map of one box."""

    def faithfulness(self, result: DetectionResult, index: int, method: Method) -> Faithfulness:
        """Whether that map shows what the score hangs on."""


class NotAnalysedError(LookupError):
    """There is no answer, or no such box, to explain."""


class HeatMaps:
    """Maps and their tests, by question, box and method.

    One quick map is computed at a time, and beside it one of what takes longer.
    """

    def __init__(self, analyses: AnalysisQueue, explain: Explains) -> None:
        self._analyses = analyses
        self._explain = explain
        self._maps: OrderedDict[_Key, HeatMap] = OrderedDict()
        self._tests: OrderedDict[_Key, Faithfulness] = OrderedDict()
        self._quick, self._slow, self._lock = threading.Lock(), threading.Lock(), threading.Lock()

    def map_of(self, question: Question, index: int, method: Method | None = None) -> HeatMap:
        """The map of the box at `index` (0 is the highest score), by the first method where none is named.

        Raises:
            NotAnalysedError: the image was not analysed, or has no such box.
            WorkbenchError: the map could not be computed.
        """
        result = self._result(question, index)
        chosen = self._explain.first_method(result) if method is None else method
        turn = self._quick if chosen in QUICK else self._slow
        return self._answer(
            self._maps, (question, index, chosen), turn, lambda: self._explain.explain(result, index, chosen)
        )

    def faithfulness_of(self, question: Question, index: int, method: Method | None = None) -> Faithfulness:
        """Whether the map of the box by this method is to be believed.

        Raises:
            As `map_of`.
        """
        result = self._result(question, index)
        chosen = self._explain.first_method(result) if method is None else method
        return self._answer(
            self._tests,
            (question, index, chosen),
            self._slow,
            lambda: self._explain.faithfulness(result, index, chosen),
        )

    def forget(self, visitor: str) -> None:
        """Drop what was made for this visitor."""
        with self._lock:
            for kept in (self._maps, self._tests):
                for key in [key for key in kept if key[0].visitor == visitor]:
                    del kept[key]  # type: ignore[attr-defined]  # a union of two dictionaries

    def _result(self, question: Question, index: int) -> DetectionResult:
        result = self._analyses.result(question)
        if result is None or not 0 <= index < len(result.detections):
            raise NotAnalysedError(f"no box {index + 1} of this image is known")
        return result

    def _answer(
        self, kept: OrderedDict[_Key, Answer], key: _Key, turn: threading.Lock, make: Callable[[], Answer]
    ) -> Answer:
        with turn:
            with self._lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            made = make()
            with self._lock:
                kept[key] = made
                while len(kept) > _KEPT_MAPS:
                    kept.popitem(last=False)
            return made

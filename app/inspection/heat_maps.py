"""Heat maps on demand: computed once for each box of an answer, whoever asks first."""

import threading
from collections import OrderedDict
from typing import Protocol

from app.inspection.analysis_queue import AnalysisQueue, Question
from core.domain.inspection import DetectionResult, HeatMap

_KEPT_MAPS = 64


class Explains(Protocol):
    """The part of the explaining service that is called."""

    def explain(self, result: DetectionResult, index: int) -> HeatMap:
        """The map of one box."""


class NotAnalysedError(LookupError):
    """There is no answer, or no such box, to explain."""


class HeatMaps:
    """Maps by question and box; one is computed at a time."""

    def __init__(self, analyses: AnalysisQueue, explain: Explains) -> None:
        self._analyses = analyses
        self._explain = explain
        self._maps: OrderedDict[tuple[Question, int], HeatMap] = OrderedDict()
        self._lock = threading.Lock()

    def map_of(self, question: Question, index: int) -> HeatMap:
        """The map of the box at `index` (0 is the highest score).

        Raises:
            NotAnalysedError: the image was not analysed, or has no such box.
            WorkbenchError: the map could not be computed.
        """
        result = self._analyses.result(question)
        if result is None or not 0 <= index < len(result.detections):
            raise NotAnalysedError(f"no box {index + 1} of this image is known")
        with self._lock:
            if (question, index) not in self._maps:
                self._maps[(question, index)] = self._explain.explain(result, index)
            self._maps.move_to_end((question, index))
            while len(self._maps) > _KEPT_MAPS:
                self._maps.popitem(last=False)
            return self._maps[(question, index)]

    def forget(self, visitor: str) -> None:
        """Drop the maps of this visitor."""
        with self._lock:
            for key in [key for key in self._maps if key[0].visitor == visitor]:
                del self._maps[key]

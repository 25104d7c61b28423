"""Maps for the detections of a result, and how far to believe them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypedDict, TypeVar

from core.domain.detections import Detections, FloatArray
from core.domain.explanation_standing import first_method
from core.domain.explanations import Faithfulness, Method
from core.domain.inspection import DetectionResult, HeatMap
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.explain.box_gradcam import explain_box_nearby
from core.explain.box_view import BoxView
from core.explain.faithfulness import FaithfulnessTest
from core.explain.methods import WHY_EMPTY, explain_by
from core.explain.window_maps import consensus, on_window
from core.services.inference.detecting import DetectService, normalised_for
from core.services.inference.without_it import seed_of

_KEPT_MAPS, _KEPT_TESTS = 128, 256

_BoxKey = tuple[str, str, Polarity, tuple[float, ...]]


class _Place(TypedDict):
    """Where a box lies, as the functions below take it."""

    image: FloatArray
    detections: Detections
    index: int


Kept = TypeVar("Kept")
Keyed = TypeVar("Keyed")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the maps of several methods agree on one box.

    Attributes:
        rank_correlation: mean of Spearman's over all pairs.
        top_overlap: mean overlap (IoU) of the highest px, half a box's area of them, over all pairs.
        methods: whose maps were not empty.
    """

    rank_correlation: float
    top_overlap: float
    methods: tuple[Method, ...]


class ExplainService:
    """Maps of what `DetectService` reported. Safe to share between threads.

    Maps and tests are made where the network of the version runs, and kept here by image, version, box and
    method.

    Args:
        detect: runs the versions.
        figures_of: what was measured of a version's explanations, by the sha256 of its weights; it decides
            whose map is the first.
    """

    def __init__(
        self, detect: DetectService, figures_of: Callable[[str], Mapping[str, Any] | None] = lambda _: None
    ) -> None:
        self._detect, self._figures_of = detect, figures_of
        self._maps: OrderedDict[tuple[_BoxKey, Method], HeatMap] = OrderedDict()
        self._tests: OrderedDict[tuple[_BoxKey, Method], Faithfulness] = OrderedDict()
        self._lock = threading.Lock()

    def first_method(self, result: DetectionResult) -> Method:
        """Whose map is shown first for the version of a result, see `explanation_standing.first_method`.

        Raises:
            BadInputError: when the figures of the version are damaged.
        """
        return first_method(self._figures_of(result.model.sha256))

    def explain(self, result: DetectionResult, index: int, method: Method | None = None) -> HeatMap:
        """The map of detection `index` of `result`; see `core.explain.methods.explain_by`.

        Args:
            result: of the detecting service.
            index: of the detection.
            method: how it is made; None takes `first_method`.

        Raises:
            IndexError: when there is no such detection.
            ModelArtefactError: when the model's weights are no longer there.
            ValueError: when the box covers the whole image and the method needs its background.
        """
        chosen = self.first_method(result) if method is None else method
        key = (_key_of(result, index), chosen)
        if (known := self._known(self._maps, key)) is not None:
            return known
        return self._keep(self._maps, key, self._made(result, index, chosen), _KEPT_MAPS)

    def faithfulness(self, result: DetectionResult, index: int, method: Method) -> Faithfulness:
        """Whether that map shows what the score hangs on; see `core.explain.faithfulness`.

        Raises:
            As `explain`.
        """
        key = (_key_of(result, index), method)
        if (known := self._known(self._tests, key)) is not None:
            return known
        heat = self.explain(result, index, method)
        work = partial(_tested, **self._place(result, index), heat=heat, seed=self._seed(result, index))
        tested = self._detect.ask(result.model, work)
        return self._keep(self._tests, key, tested, _KEPT_TESTS)

    def agreement(self, result: DetectionResult, index: int, methods: Sequence[Method]) -> Agreement | None:
        """How far the maps of these methods agree; None where fewer than two are not empty.

        Raises:
            As `explain`.
        """
        maps = {method: self.explain(result, index, method) for method in methods}
        return self._detect.ask(result.model, partial(_agreed, **self._place(result, index), maps=maps))

    def _made(self, result: DetectionResult, index: int, method: Method) -> HeatMap:
        seed = self._seed(result, index)
        work = partial(_mapped, **self._place(result, index), method=method, seed=seed)
        return self._detect.ask(result.model, work)

    def _place(self, result: DetectionResult, index: int) -> _Place:
        image = normalised_for(result.radiograph, result.model)
        return {"image": image, "detections": result.detections, "index": index}

    def _seed(self, result: DetectionResult, index: int) -> int:
        return seed_of(result.radiograph.sha256, result.detections.boxes[index])

    def _known(self, kept: OrderedDict[Keyed, Kept], key: Keyed) -> Kept | None:
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def _keep(self, kept: OrderedDict[Keyed, Kept], key: Keyed, value: Kept, at_most: int) -> Kept:
        with self._lock:
            kept[key] = value
            while len(kept) > at_most:
                kept.popitem(last=False)
        return value


def _key_of(result: DetectionResult, index: int) -> _BoxKey:
    if not 0 <= index < len(result.detections):
        raise IndexError(f"detection {index} of {len(result.detections)}")
    box = tuple(result.detections.boxes[index].tolist())
    return result.model.sha256, result.radiograph.sha256, result.radiograph.polarity, box


def _mapped(
    detector: Detector, *, image: FloatArray, detections: Detections, index: int, method: Method, seed: int
) -> HeatMap:
    if method is Method.GRADCAM and not _is_from_mask(detector, image, detections, index):
        heat = explain_box_nearby(detector, image, detections, index)
        return replace(heat, why_empty=WHY_EMPTY[method]) if heat.is_empty else heat
    return explain_by(method, detector, image, detections, index, seed=seed)


def _is_from_mask(detector: Detector, image: FloatArray, detections: Detections, index: int) -> bool:
    outlines = detections.outlines
    has_outline = outlines is not None and outlines[index] is not None
    return has_outline and BoxView(detector, image, detections, index).is_from_mask


def _tested(
    detector: Detector, *, image: FloatArray, detections: Detections, index: int, heat: HeatMap, seed: int
) -> Faithfulness:
    around = BoxView(detector, image, detections, index)
    return FaithfulnessTest(around, seed=seed).test(on_window(heat, around))


def _agreed(
    detector: Detector,
    *,
    image: FloatArray,
    detections: Detections,
    index: int,
    maps: dict[Method, HeatMap],
) -> Agreement | None:
    around = BoxView(detector, image, detections, index)
    on_windows = {method: on_window(heat, around) for method, heat in maps.items()}
    filled = {method: values for method, values in on_windows.items() if values.any()}
    half_a_box = max(1, round(float((around.box[2:] - around.box[:2]).prod()) / 2))
    found = consensus(list(filled.values()), half_a_box)
    return None if found is None else Agreement(*found, tuple(filled))

"""The calibrated probability of a reported indication without its region."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

import numpy as np

from core.calibrate.calibrator import calibrator_from
from core.domain.detections import FloatArray
from core.domain.explanations import WithoutRegion
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity
from core.explain.without_region import ScoresWithout, read_box_without
from core.services.inference.detecting import DetectService, normalised_for

_KEPT = 512

_Box = tuple[float, ...]
_Key = tuple[str, str, Polarity, _Box, _Box | None]


class WithoutItService:
    """Reads again without a region, where the network runs; keeps the answers.

    Safe to share between threads.
    """

    def __init__(self, detect: DetectService) -> None:
        self._detect = detect
        self._kept: OrderedDict[_Key, WithoutRegion] = OrderedDict()
        self._lock = threading.Lock()

    def without(
        self, result: DetectionResult, index: int, *, hidden: Sequence[float] | None = None
    ) -> WithoutRegion:
        """What becomes of detection `index` of `result` without its region, or without another one.

        Args:
            result: of the detecting service.
            index: of the detection.
            hidden: four px, xyxy, of what is filled instead of the detection's own box.

        Raises:
            IndexError: when there is no such detection.
            ValueError: when the region covers the whole image, or lies outside of it.
            ModelArtefactError: when the model's weights are no longer there.
        """
        found = result.detections
        if not 0 <= index < len(found):
            raise IndexError(f"detection {index} of {len(found)}")
        key = _key(result, index, hidden)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        region = None if hidden is None else _checked(hidden, result.radiograph.pixels.shape)
        answer = self._read(result, index, region)
        with self._lock:
            self._kept[key] = answer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer

    def _read(self, result: DetectionResult, index: int, hidden: FloatArray | None) -> WithoutRegion:
        found = result.detections
        box = found.boxes[index]
        work = partial(
            read_box_without,
            image=normalised_for(result.radiograph, result.model),
            box=box,
            origin=found.origins[index],
            seed=seed_of(result.radiograph.sha256, box),
            others=np.delete(found.boxes, index, axis=0),
            hidden=hidden,
        )
        scores = self._detect.ask(result.model, work)
        listed = None if found.probabilities is None else float(found.probabilities[index])
        return calibrated(result, scores, listed=listed)


def calibrated(
    result: DetectionResult, scores: ScoresWithout, *, listed: float | None = None
) -> WithoutRegion:
    """Scores as probabilities, beside the listed one; where nothing is reported any more it is 0."""
    calibration = result.model.calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)

    def probability(score: float) -> float:
        return float(calibrator.probability(np.array([score], np.float32))[0]) if score > 0 else 0.0

    return WithoutRegion(
        probability(scores.before),
        {kind: probability(score) for kind, score in scores.after.items()},
        listed,
    )


def seed_of(sha256: str, box: FloatArray) -> int:
    """The seed of what is drawn by chance for a box: the same for the same image and box, everywhere."""
    text = f"{sha256} {' '.join(f'{float(v):.2f}' for v in box)}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _key(result: DetectionResult, index: int, hidden: Sequence[float] | None) -> _Key:
    return (
        result.model.sha256,
        result.radiograph.sha256,
        result.radiograph.polarity,
        tuple(result.detections.boxes[index].tolist()),
        None if hidden is None else tuple(float(v) for v in hidden),
    )


def _checked(hidden: Sequence[float], shape: tuple[int, ...]) -> FloatArray:
    region = np.array(hidden, np.float32)
    if region.shape != (4,) or not np.isfinite(region).all():
        raise ValueError(f"a region is four numbers, x1, y1, x2, y2, got {list(hidden)}")
    x1, y1, x2, y2 = region.tolist()
    if x2 <= x1 or y2 <= y1 or x2 <= 0 or y2 <= 0 or x1 >= shape[1] or y1 >= shape[0]:
        raise ValueError(
            f"a region must lie in the image of {shape[1]} x {shape[0]} px, got {region.tolist()}"
        )
    return region

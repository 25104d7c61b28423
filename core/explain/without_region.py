"""Reading an image again without the region of one box."""

from dataclasses import dataclass

import numpy as np

from core.domain.detections import CellOrigin, Detections, FloatArray
from core.domain.explanations import Fill
from core.engine.detector import Detector
from core.explain.fills import filled, region_of
from core.explain.reading_again import scores_at, views_around


@dataclass(frozen=True, slots=True)
class ScoresWithout:
    """Raw scores at the place of a box.

    Attributes:
        before: with nothing changed.
        after: by fill, with the region filled.
    """

    before: float
    after: dict[Fill, float]


def read_without(
    detector: Detector, image: FloatArray, detections: Detections, index: int, *, seed: int
) -> ScoresWithout:
    """The score at the place of a detection with its region, and with its own background there instead.

    A counterfactual by replacement, as Fong and Vedaldi 2017 (arXiv 1704.03296) ask for, with fills that are
    made from the surroundings of the region instead of a blur of the flaw itself, which would leave its
    darkness behind. What is compared is the whole detector, merging and, where there is one, the fusion with
    the mask head included: also for an indication that only the mask head saw.

    Args:
        detector: as it detects.
        image: (H, W) float32, normalised for it.
        detections: of that image.
        index: of the detection.
        seed: of the noise in the fills.

    Raises:
        IndexError: when there is no such detection.
        ValueError: when its box covers the whole image.
    """
    if not 0 <= index < len(detections):
        raise IndexError(f"detection {index} of {len(detections)}")
    return read_box_without(
        detector,
        image,
        detections.boxes[index],
        detections.origins[index],
        seed=seed,
        others=np.delete(detections.boxes, index, axis=0),
    )


def read_box_without(
    detector: Detector,
    image: FloatArray,
    box: FloatArray,
    origin: CellOrigin,
    *,
    seed: int,
    others: FloatArray | None = None,
    hidden: FloatArray | None = None,
) -> ScoresWithout:
    """As `read_without`, for any box, and with any other region filled.

    Args:
        detector: as it detects.
        image: (H, W) float32, normalised for it.
        box: (4,) xyxy px, whose score counts.
        origin: of the box.
        seed: of the noise in the fills.
        others: (M, 4) boxes of other detections: what is found closer to one of them does not count.
        hidden: (4,) xyxy px, what is filled; None takes the box.

    Raises:
        ValueError: when what is filled covers the whole image.
    """
    region = region_of(box if hidden is None else hidden, image.shape)
    changed = [filled(image, region, kind, seed=seed) for kind in Fill]
    views = views_around(box, origin, image.shape)
    before, *after = scores_at(detector, [image, *changed], box, views, others=others)
    return ScoresWithout(before, dict(zip(Fill, after, strict=True)))

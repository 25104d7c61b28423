"""Reading an image again without the region of one box."""

from dataclasses import dataclass

import numpy as np

from core.domain.detections import CellOrigin, Detections, FloatArray, View
from core.domain.explanations import Fill
from core.engine.detector import Detector
from core.explain.fills import Region, filled, region_of
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
        hidden: (4,) xyxy px, what is filled; None takes the box. What lies beyond what is read
            changes nothing.

    Raises:
        ValueError: when what is filled covers the whole image.
    """
    views = views_around(box, origin, image.shape)
    rows, columns = _read(views, image.shape)
    part = image[rows, columns]
    corner = np.array([columns.start, rows.start] * 2, np.float32)
    region = _inside(region_of(box if hidden is None else hidden, image.shape), rows, columns)
    changed = [part if region is None else filled(part, region, kind, seed=seed) for kind in Fill]
    before, *after = scores_at(
        detector,
        [part, *changed],
        box - corner,
        tuple(
            View(v.x0 - columns.start, v.y0 - rows.start, v.x1 - columns.start, v.y1 - rows.start, v.scale)
            for v in views
        ),
        others=None if others is None else others - corner,
    )
    return ScoresWithout(before, dict(zip(Fill, after, strict=True)))


def _read(views: tuple[View, ...], shape: tuple[int, ...]) -> Region:
    """The rows and columns of the image that the views see: a film may be ten times as large."""
    rows = slice(max(min(v.y0 for v in views), 0), min(max(v.y1 for v in views), shape[0]))
    return rows, slice(max(min(v.x0 for v in views), 0), min(max(v.x1 for v in views), shape[1]))


def _inside(region: Region, rows: slice, columns: slice) -> Region | None:
    """A region as counted from the part that is read; None when it lies outside of it."""
    parts = []
    for own, seen in zip(region, (rows, columns), strict=True):
        start, stop = max(own.start, seen.start), min(own.stop, seen.stop)
        if stop <= start:
            return None
        parts.append(slice(start - seen.start, stop - seen.start))
    return parts[0], parts[1]

"""Reading the surroundings of one box again, with something in them changed."""

from collections.abc import Sequence

import numpy as np

from core.domain.detections import CellOrigin, Detections, FloatArray, View
from core.engine.detector import SCORE_FLOOR, Detector, Request
from core.engine.network import SIZE_MULTIPLE

#: So much around a box is read with it, px as the network sees them.
CONTEXT_PX = 128
#: A detection is at the place of a box when it shares so much of the smaller of both, and overlaps so much.
SAME_SHARE, SAME_IOU = 0.5, 0.1


def views_around(
    box: FloatArray, origin: CellOrigin, shape: tuple[int, ...], *, context_px: float = CONTEXT_PX
) -> tuple[View, ...]:
    """The parts of the image that are read again for a box, on the grid of cells of the view it came from.

    Reading all of the view would give the same score but for what lies further than `context_px`; this takes
    a fraction of its time. A box of the coarse pass is read at its scale too.

    Args:
        box: (4,) xyxy px of the image.
        origin: of the box.
        shape: (H, W) of the image.
        context_px: so much around the box at least, px as the network sees them.
    """
    scales = (1.0,) if origin.view.scale == 1.0 else (1.0, origin.view.scale)
    return tuple(_around(box, origin.view, scale, shape, context_px) for scale in scales)


def scores_at(
    detector: Detector,
    images: Sequence[FloatArray],
    box: FloatArray,
    views: tuple[View, ...],
    *,
    others: FloatArray | None = None,
) -> list[float]:
    """The highest score at the place of a box in each of several versions of an image; 0 where there is none.

    Args:
        detector: as it detects, in its own number format and with both of its heads.
        images: (H, W) float32 each, normalised.
        box: (4,) xyxy px.
        views: to read, by `views_around`.
        others: (M, 4) other boxes of the image: what lies closer to one of them does not count.
    """
    rivals = np.zeros((0, 4), np.float32) if others is None else others
    found = detector.detect_many([Request(image, SCORE_FLOOR, views) for image in images])
    return [_best_at(box, one, rivals) for one in found]


def _best_at(box: FloatArray, found: Detections, others: FloatArray) -> float:
    if not len(found):
        return 0.0
    shared, iou = _overlaps(found.boxes, box)
    smaller = np.minimum(_area(found.boxes), _area(box))
    is_same = (shared >= SAME_SHARE * smaller) & (iou >= SAME_IOU)
    for other in others:
        is_same &= _overlaps(found.boxes, other)[1] <= iou
    return float(found.scores[is_same].max(initial=0.0))


def _overlaps(boxes: FloatArray, box: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N,) shared area in px², and intersection over union, of (N, 4) boxes with one."""
    sides = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(min=0)
    shared: FloatArray = sides.prod(axis=1)
    return shared, shared / np.maximum(_area(boxes) + _area(box) - shared, 1e-6)


def _area(boxes: FloatArray) -> FloatArray:
    result: FloatArray = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
    return result


def _around(box: FloatArray, view: View, scale: float, shape: tuple[int, ...], context_px: float) -> View:
    """At least `context_px` around the box, in steps of the grid, not beyond image and view by more."""
    step, margin = round(SIZE_MULTIPLE / scale), context_px / scale
    height, width = shape
    x0, x1 = _span(box[0] - margin, box[2] + margin, (view.x0, view.x1), step, width)
    y0, y1 = _span(box[1] - margin, box[3] + margin, (view.y0, view.y1), step, height)
    return View(x0, y0, x1, y1, scale)


def _span(start: float, end: float, seen: tuple[int, int], step: int, length: int) -> tuple[int, int]:
    """Whole steps from the start of what was seen; a small image was seen with its border repeated around."""
    phase = seen[0]
    low, high = max(start, min(phase, 0)), min(end, max(seen[1], length))
    first = phase + step * int(np.floor((low - phase) / step))
    last = phase + step * int(np.ceil((high - phase) / step))
    return first, max(last, first + step)

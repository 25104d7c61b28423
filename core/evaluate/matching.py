"""One-to-one assignment of detections to recorded boxes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.floating[Any]]

#: Overlap from which a detection counts as the recorded indication, unless said otherwise.
IOU_THRESHOLD = 0.5
#: The ten overlaps of AP50:95.
COCO_IOU_THRESHOLDS: tuple[float, ...] = tuple(round(0.50 + 0.05 * i, 2) for i in range(10))


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Matched detections and recorded boxes of one image, at one overlap.

    Attributes:
        is_true: (D,) bool, in the order in which the detections came.
        truth_index: (D,) int, index of the recorded box of a true detection, -1 otherwise.
        is_found: (G,) bool, recorded boxes that some detection matched.
    """

    is_true: npt.NDArray[np.bool_]
    truth_index: npt.NDArray[np.intp]
    is_found: npt.NDArray[np.bool_]


def iou_matrix(boxes: Boxes, truth: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of every pair, (D, G) in 0..1. Boxes are (N, 4) xyxy, absolute px.

    A pair of boxes without area has overlap 0.
    """
    a, b = np.asarray(boxes, np.float64), np.asarray(truth, np.float64)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection: npt.NDArray[np.float64] = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    union = _area(a)[:, None] + _area(b)[None, :] - intersection
    overlaps = np.zeros_like(union)
    np.divide(intersection, union, out=overlaps, where=union > 0)
    return overlaps


def match(
    boxes: Boxes, scores: npt.NDArray[np.floating[Any]], truth: Boxes, iou_threshold: float = IOU_THRESHOLD
) -> Match:
    """The greedy match of COCO: by falling score, each takes the free recorded box it overlaps most.

    Every recorded box counts; none is ignored. Ties, as pycocotools resolves them: of equal scores
    the earlier detection chooses first, of equal overlaps the later recorded box is taken. Because
    the order is by score, cutting detections off at a score changes nothing for those that stay.

    Args:
        boxes: (D, 4) xyxy px.
        scores: (D,).
        truth: (G, 4) xyxy px.
        iou_threshold: in 0..1; an overlap equal to it is enough.
    """
    overlaps = iou_matrix(boxes, truth)
    n_detections, n_truth = overlaps.shape
    truth_index = np.full(n_detections, -1, np.intp)
    is_found = np.zeros(n_truth, np.bool_)
    if n_truth and n_detections:
        enough = min(iou_threshold, 1 - 1e-10)
        candidates = overlaps.max(axis=1) >= enough
        for detection in np.argsort(-np.asarray(scores), kind="stable"):
            if not candidates[detection]:
                continue
            free = np.where(is_found, -1.0, overlaps[detection])
            best = n_truth - 1 - int(np.argmax(free[::-1]))
            if free[best] >= enough:
                truth_index[detection] = best
                is_found[best] = True
    return Match(truth_index >= 0, truth_index, is_found)


def counts_despite(
    boxes: Boxes, scores: npt.NDArray[np.floating[Any]], truth: Boxes, ignored: Boxes
) -> npt.NDArray[np.bool_]:
    """(D,) True for detections that count where `ignored` boxes count neither way, as COCO has it for crowds.

    A detection that matches no recorded box does not count when at least half of it lies on one box that is
    ignored. COCO asks that at each overlap; here it is asked once, at 0.5, so that above it a detection which
    matched at 0.5 on top of a crowd counts as false.

    Args:
        boxes: (D, 4) xyxy px.
        scores: (D,).
        truth: (G, 4) xyxy px, recorded boxes that count.
        ignored: (M, 4) xyxy px.
    """
    a, b = np.asarray(boxes, np.float64), np.asarray(ignored, np.float64)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2).max(axis=1, initial=0.0)
    is_on_ignored = (shared >= IOU_THRESHOLD * _area(a)) & (shared > 0)
    counts: npt.NDArray[np.bool_] = match(boxes, scores, truth).is_true | ~is_on_ignored
    return counts


def _area(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    areas: npt.NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas

"""Average precision as COCO defines it, in a form that a bootstrap can repeat a thousand times."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Recalls at which COCO reads the precision.
RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, eq=False)
class RankedDetections:
    """All detections of a set of images at one overlap, by falling score.

    Equal scores keep the order of the images and, inside one, of its detections, as pycocotools does.

    Attributes:
        is_true: (D,) bool.
        image_index: (D,) int, the image each detection is in.
        truth_per_image: (N,) int, recorded boxes of each image.
    """

    is_true: npt.NDArray[np.bool_]
    image_index: npt.NDArray[np.intp]
    truth_per_image: npt.NDArray[np.intp]


def rank(
    scores: list[npt.NDArray[np.floating[Any]]],
    is_true: list[npt.NDArray[np.bool_]],
    truth_per_image: npt.NDArray[np.intp],
) -> RankedDetections:
    """The detections of N images, ranked. `scores` and `is_true` hold one (D_i,) array an image."""
    if not scores:
        return RankedDetections(np.zeros(0, np.bool_), np.zeros(0, np.intp), truth_per_image)
    image_index = np.repeat(np.arange(len(scores)), [len(s) for s in scores])
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return RankedDetections(np.concatenate(is_true)[order], image_index[order], truth_per_image)


def average_precision(
    ranked: RankedDetections, image_weights: npt.NDArray[np.int64] | None = None
) -> float | None:
    """The mean of the interpolated precision at 101 recalls, in 0..1; None without recorded boxes.

    Args:
        ranked: the detections.
        image_weights: as in `interpolated_precision`.
    """
    precision = interpolated_precision(ranked, image_weights)
    return None if precision is None else float(precision.sum() / len(RECALL_POINTS))


def interpolated_precision(
    ranked: RankedDetections, image_weights: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float64] | None:
    """The highest precision at each of `RECALL_POINTS` or beyond, (101,) in 0..1, 0 where never reached.

    None without recorded boxes. Follows COCOeval.accumulate (area "all"). Interpolated precision only ever
    takes its value at a true detection, so only those are computed.

    Args:
        ranked: the detections.
        image_weights: (N,) how often each image counts, as a bootstrap draws it; default once. The
            result is that of the images repeated so often.
    """
    weights = np.ones(len(ranked.truth_per_image), np.int64) if image_weights is None else image_weights
    n_truth = int(ranked.truth_per_image @ weights)
    if n_truth == 0:
        return None
    at_recalls = np.zeros(len(RECALL_POINTS))
    per_detection = weights[ranked.image_index]
    is_hit = ranked.is_true & (per_detection > 0)
    if not is_hit.any():
        return at_recalls
    n_so_far = np.cumsum(per_detection)[is_hit]
    hits_so_far = np.cumsum(per_detection[is_hit])
    precision = np.maximum.accumulate((hits_so_far / n_so_far)[::-1])[::-1]
    first_reaching = np.searchsorted(hits_so_far / n_truth, RECALL_POINTS, side="left")
    is_reached = first_reaching < len(precision)
    at_recalls[is_reached] = precision[first_reaching[is_reached]]
    return at_recalls

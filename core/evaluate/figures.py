"""The figures of an evaluation, from per-image match lists that a bootstrap can reweight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluate.average_precision import RankedDetections, average_precision, rank
from core.evaluate.calibration_figures import CalibratedBoxes, calibrated_boxes
from core.evaluate.coco_average_precision import LabelledBoxes, coco_average_precision
from core.evaluate.matching import match
from core.evaluate.outcome import ImageOutcome


@dataclass(frozen=True, slots=True, eq=False)
class MatchedOutcomes:
    """The images with the class-agnostic match of each at IoU 0.5, and what is counted at the threshold.

    Attributes:
        is_true: one (D_i,) bool array an image.
        ranked: all detections, by falling score, one entry a recorded class (one in all when
            classes do not matter).
        hits, false_calls, truth: (N,) int, per image, at the operating threshold.
        boxes: the detections at or above the score cut.
    """

    is_true: tuple[npt.NDArray[np.bool_], ...]
    ranked: dict[str, RankedDetections]
    hits: npt.NDArray[np.int64]
    false_calls: npt.NDArray[np.int64]
    truth: npt.NDArray[np.int64]
    boxes: CalibratedBoxes


def match_outcomes(
    images: Sequence[ImageOutcome],
    *,
    class_aware: bool,
    score_cut: float,
    operating_probability: float,
    iou_threshold: float,
) -> MatchedOutcomes:
    """All matches of `images`; a box is reported when it passes both the cut and the threshold."""
    is_true = tuple(match(i.boxes, i.scores, i.truth, iou_threshold).is_true for i in images)
    kept = [i.scores >= score_cut for i in images]
    reported = [k & (i.probabilities >= operating_probability) for i, k in zip(images, kept, strict=True)]
    return MatchedOutcomes(
        is_true=is_true,
        ranked=_ranked_by_class(images, iou_threshold) if class_aware else {"": _ranked(images, is_true)},
        hits=_counts([t & r for t, r in zip(is_true, reported, strict=True)]),
        false_calls=_counts([~t & r for t, r in zip(is_true, reported, strict=True)]),
        truth=np.array([len(i.truth) for i in images], np.int64),
        boxes=calibrated_boxes(images, is_true, score_cut),
    )


def weighted_figures(
    matched: MatchedOutcomes, image_weights: npt.NDArray[np.int64]
) -> dict[str, float | None]:
    """AP50, recall, precision and false calls an image with image i counted `image_weights[i]` times."""
    per_class = [average_precision(ranked, image_weights) for ranked in matched.ranked.values()]
    evaluable = [value for value in per_class if value is not None]
    hits = int(matched.hits @ image_weights)
    false_calls = int(matched.false_calls @ image_weights)
    n_truth, n_images = int(matched.truth @ image_weights), int(image_weights.sum())
    return {
        "ap50": float(np.mean(evaluable)) if evaluable else None,
        "recall": hits / n_truth if n_truth else None,
        "precision": hits / (hits + false_calls) if hits + false_calls else None,
        "false_calls_per_image": false_calls / n_images if n_images else None,
    }


def quoted_average_precision(
    images: Sequence[ImageOutcome], *, class_aware: bool
) -> tuple[float | None, float | None]:
    """(AP50, AP50:95) by faster-coco-eval; None without recorded boxes."""
    per_threshold = coco_average_precision(
        [
            LabelledBoxes(
                i.truth,
                i.truth_labels if class_aware else ("",) * len(i.truth),
                i.boxes,
                i.labels if class_aware else ("",) * len(i.boxes),
                i.scores,
            )
            for i in images
        ]
    )
    if per_threshold is None:
        return None, None
    return float(per_threshold[0]), float(per_threshold.mean())


def _ranked(images: Sequence[ImageOutcome], is_true: Sequence[npt.NDArray[np.bool_]]) -> RankedDetections:
    return rank([i.scores for i in images], list(is_true), np.array([len(i.truth) for i in images], np.intp))


def _ranked_by_class(images: Sequence[ImageOutcome], iou_threshold: float) -> dict[str, RankedDetections]:
    """The class-aware match: a detection can only take a recorded box of its own class."""
    names = sorted({label for image in images for label in image.truth_labels})
    return {name: _ranked_class(images, name, iou_threshold) for name in names}


def _ranked_class(images: Sequence[ImageOutcome], name: str, iou_threshold: float) -> RankedDetections:
    scores, is_true, n_truth = [], [], []
    for image in images:
        of_class = np.array([label == name for label in image.labels], np.bool_)
        truth = image.truth[np.array([label == name for label in image.truth_labels], np.bool_)]
        matched = match(image.boxes[of_class], image.scores[of_class], truth, iou_threshold)
        scores.append(image.scores[of_class])
        is_true.append(matched.is_true)
        n_truth.append(len(truth))
    return rank(scores, is_true, np.array(n_truth, np.intp))


def _counts(flags: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.int64]:
    return np.array([int(f.sum()) for f in flags], np.int64)

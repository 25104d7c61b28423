"""Calibrated against raw: what the probabilities gain over the scores they were made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluate.bootstrap import Statistic
from core.evaluate.calibration_error import brier, d_ece, log_loss, squared_errors, surprisals
from core.evaluate.outcome import ImageOutcome

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedBoxes:
    """The detections of all images at or above the score cut.

    Attributes:
        scores, probabilities: (M,) raw and calibrated, 0..1.
        is_true: (M,) bool.
        image_index: (M,) int, the image each is in.
        longer_side_px: (M,) longer side of the box.
        longer_side_mm: (M,) the same in mm, NaN where the image has no scale.
        classes: M reported class names.
    """

    scores: Floats
    probabilities: Floats
    is_true: npt.NDArray[np.bool_]
    image_index: npt.NDArray[np.intp]
    longer_side_px: Floats
    longer_side_mm: Floats
    classes: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.scores)


def calibrated_boxes(
    images: Sequence[ImageOutcome], is_true: Sequence[npt.NDArray[np.bool_]], score_cut: float
) -> CalibratedBoxes:
    """The boxes of `images` with a score of at least `score_cut`; `is_true` holds one (D_i,) an image."""
    kept = [np.flatnonzero(image.scores >= score_cut) for image in images]
    pairs = list(zip(images, kept, strict=True))
    sides = [np.ptp(i.boxes[k].reshape(-1, 2, 2).astype(np.float64), axis=1).max(axis=1) for i, k in pairs]
    scales = [np.nan if image.mm_per_px is None else image.mm_per_px for image in images]
    return CalibratedBoxes(
        scores=_joined([i.scores[k] for i, k in pairs]),
        probabilities=_joined([i.probabilities[k] for i, k in pairs]),
        is_true=_joined([t[k] for t, k in zip(is_true, kept, strict=True)]).astype(np.bool_),
        image_index=np.repeat(np.arange(len(images)), [len(k) for k in kept]),
        longer_side_px=_joined(sides),
        longer_side_mm=_joined([side * scale for side, scale in zip(sides, scales, strict=True)]),
        classes=np.array([i.labels[k] for i, keep in pairs for k in keep], dtype=np.str_),
    )


def calibration_figures(boxes: CalibratedBoxes) -> dict[str, float | None]:
    """D-ECE, Brier score and log loss, calibrated, raw and calibrated minus raw; None without boxes."""
    p, s, is_true = boxes.probabilities, boxes.scores, boxes.is_true
    n_images = int(boxes.image_index.max()) + 1 if len(boxes) else 0
    return {
        "d_ece": d_ece(p, is_true),
        "d_ece_raw": d_ece(s, is_true),
        "brier": brier(p, is_true),
        "brier_raw": brier(s, is_true),
        "log_loss": log_loss(p, is_true),
        "log_loss_raw": log_loss(s, is_true),
    } | calibration_gain(boxes, n_images)(np.ones(n_images, np.int64))


def calibration_gain(boxes: CalibratedBoxes, n_images: int) -> Statistic:
    """Calibrated minus raw as a statistic of image weights: `brier_difference` and `log_loss_difference`.

    Both sides of a difference count the same boxes equally often, so under `clustered_intervals` this is
    the paired bootstrap: an interval below zero says that the calibrated probabilities are better than the
    raw scores by more than the parts differ.

    Args:
        boxes: at or above the score cut.
        n_images: images in all, also those without a box.
    """
    n_boxes = np.bincount(boxes.image_index, minlength=n_images)
    gains = {
        name: np.bincount(
            boxes.image_index,
            loss(boxes.probabilities, boxes.is_true) - loss(boxes.scores, boxes.is_true),
            minlength=n_images,
        )
        for name, loss in (("brier_difference", squared_errors), ("log_loss_difference", surprisals))
    }

    def statistic(image_weights: npt.NDArray[np.int64]) -> dict[str, float | None]:
        n = int(n_boxes @ image_weights)
        return {name: float(gain @ image_weights) / n if n else None for name, gain in gains.items()}

    return statistic


def _joined(arrays: Sequence[npt.NDArray[np.generic]]) -> Floats:
    return np.concatenate([np.zeros(0), *arrays]).astype(np.float64)

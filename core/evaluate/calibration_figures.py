"""Figures of the probabilities of a version, and what they gain over the scores they were made from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluate.calibration_error import (
    N_BINS,
    brier,
    d_ece,
    log_loss,
    squared_errors,
    surprisals,
)
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import Resampling

D_ECE, BRIER = "d_ece", "brier"
#: Calibrated less raw: below zero where calibration helps.
BRIER_GAIN, LOG_LOSS_GAIN = "brier_difference", "log_loss_difference"

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


def calibrated_boxes(table: OutcomeTable) -> CalibratedBoxes:
    """The boxes of a table at or above its score cut."""
    kept = np.flatnonzero(table.scores >= table.score_cut)
    images = table.box_image[kept].astype(np.intp)
    sides = np.ptp(table.boxes[kept].reshape(-1, 2, 2).astype(np.float64), axis=1).max(axis=1, initial=0.0)
    return CalibratedBoxes(
        scores=table.scores[kept].astype(np.float64),
        probabilities=table.probabilities[kept],
        is_true=table.matched[kept] >= 0,
        image_index=images,
        longer_side_px=sides,
        longer_side_mm=sides * table.mm_per_px[images],
        classes=np.array(table.classes, np.str_)[table.box_class[kept]],
    )


def calibration_figures(boxes: CalibratedBoxes) -> dict[str, float | None]:
    """D-ECE, Brier score and log loss, calibrated, raw and calibrated minus raw; None without boxes."""
    p, s, is_true = boxes.probabilities, boxes.scores, boxes.is_true
    gains = {name: float(gain.mean()) if len(boxes) else None for name, gain in _gains(boxes).items()}
    return gains | {
        D_ECE: d_ece(p, is_true),
        "d_ece_raw": d_ece(s, is_true),
        BRIER: brier(p, is_true),
        "brier_raw": brier(s, is_true),
        "log_loss": log_loss(p, is_true),
        "log_loss_raw": log_loss(s, is_true),
    }


def calibration_draws(boxes: CalibratedBoxes, plan: Resampling) -> dict[str, Floats]:
    """D-ECE, Brier score and both gains of each resample, (R,) each, NaN where it holds no box.

    D-ECE is resampled in the bins of all boxes, which does not change what a difference means and lets a
    resample cost one product. Both sides of a gain count the same boxes equally often: an interval below zero
    says that probabilities are better than raw scores by more than the parts differ.
    """
    p, image, n_images = boxes.probabilities, boxes.image_index, len(plan.part_of)
    bins = np.searchsorted(np.sort(p), p, side="left") * N_BINS // max(len(p), 1)
    gaps = np.zeros((n_images, N_BINS))
    np.add.at(gaps, (image, bins), p - boxes.is_true)
    drawn = plan.totals(np.bincount(image, minlength=n_images))
    sums = {BRIER: squared_errors(p, boxes.is_true)} | _gains(boxes)
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = {
            name: plan.totals(np.bincount(image, values, minlength=n_images)) / drawn
            for name, values in sums.items()
        }
        return draws | {D_ECE: np.abs(plan.totals(gaps)).sum(axis=1) / drawn}


def _gains(boxes: CalibratedBoxes) -> dict[str, Floats]:
    """(M,) the loss of each box with its probability, less that with its raw score."""
    return {
        name: loss(boxes.probabilities, boxes.is_true) - loss(boxes.scores, boxes.is_true)
        for name, loss in ((BRIER_GAIN, squared_errors), (LOG_LOSS_GAIN, surprisals))
    }

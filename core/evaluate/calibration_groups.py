"""Calibration of part of the boxes: by size and by class, where the whole may hide what the parts do."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.evaluate.calibration_error import d_ece, perfect_d_ece_band
from core.evaluate.calibration_figures import CalibratedBoxes
from core.evaluate.proportion import wilson_interval

Interval = tuple[float, float]

#: With fewer boxes, less than five a bin, nothing is said of a group.
MINIMUM_BOXES = 50
#: Longer side of a box; half of the boxes of castings and welds lie below 25 px.
SIZE_EDGES_PX = (0.0, 16.0, 32.0, 64.0, math.inf)
#: Pores count from 1 mm on in what is asked of the weld model.
SIZE_EDGES_MM = (0.0, 1.0, 2.0, 5.0, math.inf)


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """Calibration of the boxes of one size or class. None means: not evaluable.

    Attributes:
        group: which boxes, e.g. "16 to 32 px" or "porosity".
        n_boxes, n_true: how many, and how many of them match a recorded box.
        mean_probability, share_true: 0..1; equal in a calibrated model but for chance.
        share_true_ci: 95 % Wilson interval, as if boxes were independent.
        d_ece: fraction, 0..1, in the group's own ten equal-mass bins.
        d_ece_band: 95 % band of a perfectly calibrated model with the same probabilities.
        not_evaluable: why not; None when it is.
    """

    group: str
    n_boxes: int
    n_true: int
    mean_probability: float | None
    share_true: float | None
    share_true_ci: Interval | None
    d_ece: float | None
    d_ece_band: Interval | None
    not_evaluable: str | None


def calibration_by_size_px(boxes: CalibratedBoxes, *, seed: int) -> tuple[CalibrationGroup, ...]:
    """One group a bin of `SIZE_EDGES_PX` of the box's longer side, a lower edge belonging to its bin."""
    return _by_size(boxes, boxes.longer_side_px, SIZE_EDGES_PX, "px", seed)


def calibration_by_size_mm(boxes: CalibratedBoxes, *, seed: int) -> tuple[CalibrationGroup, ...]:
    """The same in mm by `SIZE_EDGES_MM`, over the images with a scale; empty when there is none."""
    if np.isnan(boxes.longer_side_mm).all():
        return ()
    return _by_size(boxes, boxes.longer_side_mm, SIZE_EDGES_MM, "mm", seed)


def calibration_by_class(boxes: CalibratedBoxes, *, seed: int) -> tuple[CalibrationGroup, ...]:
    """One group a reported class, in alphabetical order.

    A box counts as true when it matches a recorded one of whatever class, because that is what its
    probability says; whether the class is right too is another question.
    """
    return tuple(_group(str(name), boxes, boxes.classes == name, seed) for name in np.unique(boxes.classes))


def _by_size(
    boxes: CalibratedBoxes,
    sides: npt.NDArray[np.float64],
    edges: Sequence[float],
    unit: str,
    seed: int,
) -> tuple[CalibrationGroup, ...]:
    return tuple(
        _group(name, boxes, (sides >= low) & (sides < high), seed) for name, low, high in _bins(edges, unit)
    )


def _bins(edges: Sequence[float], unit: str) -> Iterator[tuple[str, float, float]]:
    for low, high in pairwise(edges):
        if low == 0:
            yield f"below {high:g} {unit}", low, high
        elif math.isinf(high):
            yield f"{low:g} {unit} and more", low, high
        else:
            yield f"{low:g} to {high:g} {unit}", low, high


def _group(name: str, boxes: CalibratedBoxes, is_in: npt.NDArray[np.bool_], seed: int) -> CalibrationGroup:
    p, is_true = boxes.probabilities[is_in], boxes.is_true[is_in]
    n, n_true = len(p), int(np.count_nonzero(is_true))
    if n < MINIMUM_BOXES:
        reason = f"{n} boxes at or above the score cut, {MINIMUM_BOXES} are needed"
        return CalibrationGroup(name, n, n_true, None, None, None, None, None, reason)
    return CalibrationGroup(
        group=name,
        n_boxes=n,
        n_true=n_true,
        mean_probability=float(p.mean()),
        share_true=n_true / n,
        share_true_ci=wilson_interval(n_true, n),
        d_ece=d_ece(p, is_true),
        d_ece_band=perfect_d_ece_band(p, seed=seed),
        not_evaluable=None,
    )

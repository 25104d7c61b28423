"""Isotonic calibration of the raw indication score."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from core.calibrate.logistic import Floats, check_outcomes, clip_scores

#: A block holds at least one box in so many, so the stored table has no more rows than this.
MAX_KNOTS = 64


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising line through a table of (score, probability), level before its first and after its last row.

    Attributes:
        knots: K scores, rising, 0..1.
        values: K probabilities, never falling, 0..1.

    Raises:
        ValueError: when the table is empty, out of range or falls.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]

    method = "isotonic"

    def __post_init__(self) -> None:
        table = np.array([self.knots, self.values], np.float64)
        if not self.knots or not ((table >= 0) & (table <= 1)).all():
            raise ValueError("an isotonic table needs at least one row, all of it within 0..1")
        if (np.diff(table[0]) <= 0).any() or (np.diff(table[1]) < 0).any():
            raise ValueError("the scores of an isotonic table must rise and its probabilities must not fall")

    @property
    def parameters(self) -> tuple[float, ...]:
        """(score, probability, score, probability, ...), row by row."""
        return tuple(value for row in zip(self.knots, self.values, strict=True) for value in row)

    def probability(self, scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""
        x, y = np.array(self.knots), np.array(self.values)
        at = np.clip(clip_scores(scores), x[0], x[-1])
        left = np.clip(np.searchsorted(x, at, side="right") - 1, 0, max(len(x) - 2, 0))
        right = np.minimum(left + 1, len(x) - 1)
        width = np.where(right > left, x[right] - x[left], 1.0)
        line = y[left] + (at - x[left]) / width * (y[right] - y[left])
        probabilities: npt.NDArray[np.float32] = np.clip(line, y[left], y[right]).astype(np.float32)
        return probabilities


def isotonic_from(parameters: tuple[float, ...]) -> Isotonic:
    """The calibrator whose `parameters` these are.

    Raises:
        ValueError: as `Isotonic`, or when a row lacks its probability.
    """
    if len(parameters) % 2:
        raise ValueError("an isotonic table needs pairs of score and probability")
    return Isotonic(tuple(parameters[::2]), tuple(parameters[1::2]))


def fit_isotonic(scores: npt.NDArray[np.floating[Any]], is_true: npt.NDArray[np.bool_]) -> Isotonic:
    """The non-decreasing least-squares fit by pooling adjacent violators, joined through its blocks' centres.

    Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates"
    (KDD 2002), with three deviations. One imaginary true box lies below all scores and one false box above,
    so that no end of the table reaches certainty: n true boxes alone at the top give n / (n + 1). Blocks are
    joined by lines at their mean scores instead of steps (centred isotonic regression, Oron and Flournoy
    2017), so that two scores seldom share a probability. And blocks of less than one box in 64 are pooled
    with the next, so that the table stays short.

    Args:
        scores: (N,) in 0..1, at or above the score cut.
        is_true: (N,) bool.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    check_outcomes(scores, is_true)
    single = clip_scores(scores).astype(np.float32).astype(np.float64)  # as the network gives them
    distinct, which = np.unique(single, return_inverse=True)
    counts = np.bincount(which).astype(np.float64)
    n_true = np.bincount(which, is_true)
    counts_with_ends = np.concatenate([[1.0], counts, [1.0]])
    true_with_ends = np.concatenate([[1.0], n_true, [0.0]])
    blocks = isotonic_regression(true_with_ends / counts_with_ends, weights=counts_with_ends).blocks
    starts = _pooled(blocks, counts_with_ends)
    values = np.add.reduceat(true_with_ends, starts) / np.add.reduceat(counts_with_ends, starts)
    real = np.maximum(starts - 1, 0)  # without the imaginary boxes, which have no score
    knots = np.add.reduceat(counts * distinct, real) / np.add.reduceat(counts, real)
    return Isotonic(tuple(knots.tolist()), tuple(np.maximum.accumulate(values).tolist()))


def _pooled(blocks: npt.NDArray[np.intp], counts: Floats) -> npt.NDArray[np.intp]:
    """Starts of the blocks after pooling small ones with the next; the rest joins the last."""
    least = counts.sum() / MAX_KNOTS
    ends = np.cumsum(counts)[blocks[1:] - 1]
    starts, held = [0], 0.0
    for start, end in zip(blocks[1:], ends, strict=True):
        if end - held >= least and counts[start:].sum() >= least and start < len(counts) - 1:
            starts.append(int(start))
            held = float(end)
    return np.array(starts, np.intp)

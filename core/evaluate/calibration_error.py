"""Calibration error of probabilities: D-ECE with its floor, Brier score, log loss."""

from typing import Any

import numpy as np
import numpy.typing as npt

N_BINS = 10
_SMALLEST_PROBABILITY = 1e-7

Probabilities = npt.NDArray[np.floating[Any]]
Outcomes = npt.NDArray[np.bool_]


def d_ece(probabilities: Probabilities, is_true: Outcomes, n_bins: int = N_BINS) -> float | None:
    """The detection expected calibration error as a fraction, 0..1; None without detections.

    Mean over equal-mass bins, weighted by their boxes, of |mean probability - share true|
    (Kueppers et al. 2020 in its confidence-only form; equal-mass bins as Nixon et al. 2019). Equal
    probabilities share a bin, so the order of the detections does not matter.

    Args:
        probabilities: (N,) in 0..1.
        is_true: (N,) bool.
        n_bins: bins, at most; fewer boxes than bins make one bin each.
    """
    if len(probabilities) == 0:
        return None
    order, starts = _equal_mass_bins(probabilities, n_bins)
    p = np.asarray(probabilities, np.float64)[order]
    gaps = np.add.reduceat(p - is_true[order], starts)
    return float(np.abs(gaps).sum() / len(p))


def perfect_d_ece_band(
    probabilities: Probabilities,
    *,
    seed: int,
    n_bins: int = N_BINS,
    n_simulations: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """The central band of D-ECE that a perfectly calibrated model with these probabilities shows.

    Outcomes are drawn from the probabilities themselves `n_simulations` times. A measured D-ECE
    inside the band is no evidence of miscalibration. None without detections.
    """
    n = len(probabilities)
    if n == 0:
        return None
    order, starts = _equal_mass_bins(probabilities, n_bins)
    p = np.asarray(probabilities, np.float64)[order]
    random = np.random.default_rng(seed)
    errors = np.empty(n_simulations)
    rows_at_once = max(1, 2_000_000 // n)
    for first in range(0, n_simulations, rows_at_once):
        rows = min(rows_at_once, n_simulations - first)
        outcomes = random.random((rows, n)) < p
        gaps = np.add.reduceat(p - outcomes, starts, axis=1)
        errors[first : first + rows] = np.abs(gaps).sum(axis=1) / n
    tail = (1 - confidence) / 2
    low, high = np.quantile(errors, (tail, 1 - tail))
    return float(low), float(high)


def brier(probabilities: Probabilities, is_true: Outcomes) -> float | None:
    """Mean squared difference of probability and outcome, 0..1; None without detections."""
    return float(squared_errors(probabilities, is_true).mean()) if len(probabilities) else None


def log_loss(probabilities: Probabilities, is_true: Outcomes) -> float | None:
    """Mean negative log-likelihood in nats; probabilities kept 1e-7 from 0 and 1. None without any."""
    return float(surprisals(probabilities, is_true).mean()) if len(probabilities) else None


def squared_errors(probabilities: Probabilities, is_true: Outcomes) -> npt.NDArray[np.float64]:
    """(N,) what each box adds to the Brier score, 0..1."""
    errors: npt.NDArray[np.float64] = (np.asarray(probabilities, np.float64) - is_true) ** 2
    return errors


def surprisals(probabilities: Probabilities, is_true: Outcomes) -> npt.NDArray[np.float64]:
    """(N,) what each box adds to the log loss, in nats; probabilities kept 1e-7 from 0 and 1."""
    p = np.clip(np.asarray(probabilities, np.float64), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return -np.where(is_true, np.log(p), np.log1p(-p))


def reliability(
    probabilities: Probabilities, is_true: Outcomes, n_bins: int = N_BINS
) -> list[tuple[float, float, int]]:
    """The bins of `d_ece`: (mean probability, share true, boxes) of each, by rising probability."""
    if len(probabilities) == 0:
        return []
    order, starts = _equal_mass_bins(probabilities, n_bins)
    sizes = np.diff(np.append(starts, len(order)))
    means = np.add.reduceat(np.asarray(probabilities, np.float64)[order], starts) / sizes
    shares = np.add.reduceat(is_true[order].astype(np.float64), starts) / sizes
    return [(float(m), float(s), int(k)) for m, s, k in zip(means, shares, sizes, strict=True)]


def _equal_mass_bins(
    probabilities: Probabilities, n_bins: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The order by rising probability, and where in it each non-empty bin starts."""
    order = np.argsort(probabilities, kind="stable")
    ranked = np.asarray(probabilities)[order]
    rank_of_first_equal = np.searchsorted(ranked, ranked, side="left")
    bin_of = rank_of_first_equal * n_bins // len(ranked)
    return order, np.flatnonzero(np.append(True, np.diff(bin_of) != 0))

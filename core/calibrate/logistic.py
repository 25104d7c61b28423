"""Non-decreasing logistic regression on features of the score, which temperature, Platt and beta share."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from core.domain.errors import CalibrationDataError

#: Scores are kept this far from 0 and 1 before a logarithm is taken.
SMALLEST_SCORE = 1e-6

Scores = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float64]


def clip_scores(scores: Scores) -> Floats:
    """(N,) float64, at least 1e-6 from 0 and 1."""
    return np.clip(np.asarray(scores, np.float64), SMALLEST_SCORE, 1 - SMALLEST_SCORE)


def log_odds(scores: Scores) -> Floats:
    """(N,) ln(s / (1 - s)) of the clipped scores."""
    clipped = clip_scores(scores)
    odds: Floats = np.log(clipped) - np.log1p(-clipped)
    return odds


def sigmoid(values: Floats) -> npt.NDArray[np.float32]:
    """(N,) float32 in 0..1."""
    probabilities: npt.NDArray[np.float32] = expit(values).astype(np.float32)
    return probabilities


def platt_targets(scores: Scores, is_true: npt.NDArray[np.bool_]) -> Floats:
    """(N,) targets: (T + 1) / (T + 2) for the T true boxes, 1 / (F + 2) for the F false ones.

    Raises:
        CalibrationDataError: as `check_outcomes`.
    """
    check_outcomes(scores, is_true)
    n_true, n = int(np.count_nonzero(is_true)), len(is_true)
    return np.where(is_true, (n_true + 1) / (n_true + 2), 1 / (n - n_true + 2))


def check_outcomes(scores: Scores, is_true: npt.NDArray[np.bool_]) -> None:
    """Nothing, when a calibrator can be fitted to these boxes.

    Raises:
        CalibrationDataError: on no box, only true ones, only false ones, or scores outside 0..1.
    """
    n_true, n = int(np.count_nonzero(is_true)), len(is_true)
    if len(scores) != n:
        raise ValueError(f"{len(scores)} scores and {n} outcomes")
    if n == 0:
        raise CalibrationDataError("cannot calibrate: no detection at or above the score cut")
    if n_true in (0, n):
        which = "true" if n_true else "false"
        raise CalibrationDataError(
            f"cannot calibrate: all {n} detections are {which}; true and false ones are both needed"
        )
    if not ((np.asarray(scores) >= 0) & (np.asarray(scores) <= 1)).all():
        raise CalibrationDataError("cannot calibrate: scores must lie in 0..1")


def fit_logistic(features: Floats, targets: Floats, *, has_intercept: bool = True) -> tuple[float, ...]:
    """Weights >= 0 of the (N, F) features, then the intercept, that minimise the mean cross-entropy.

    The problem is convex; it is solved on standardised features by bounded quasi-Newton steps. Without
    an intercept it is 0, and features are divided by their root mean square only.
    """
    centre = features.mean(axis=0) if has_intercept else np.zeros(features.shape[1])
    spread = np.sqrt(np.mean((features - centre) ** 2, axis=0))
    spread = np.where(spread > 0, spread, 1.0)
    constant = np.ones if has_intercept else np.zeros
    design = np.column_stack([(features - centre) / spread, constant(len(features))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        values = design @ weights
        residual = expit(values) - targets
        return float(np.mean(np.logaddexp(0, values) - targets * values)), design.T @ residual / len(targets)

    n_features = features.shape[1]
    solution = minimize(
        loss,
        np.zeros(n_features + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * n_features + [(None, None)],
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
    )
    weights = solution.x[:-1] / spread
    return (*(float(w) for w in weights), float(solution.x[-1] - weights @ centre))

"""Beta calibration of the raw indication score."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.logistic import clip_scores, fit_logistic, platt_targets, sigmoid


@dataclass(frozen=True, slots=True)
class Beta:
    """probability = sigmoid(a ln(score) - b ln(1 - score) + c); (1, 1, 0) leaves the score as it is.

    Kull, Silva Filho and Flach, "Beta calibration" (AISTATS 2017), the three-parameter map. a and b
    are kept at zero or above by bounds in one fit (the paper drops a negative one and fits again),
    and the targets are Platt's smoothed ones.
    """

    a: float
    b: float
    c: float

    method = "beta"

    @property
    def parameters(self) -> tuple[float, ...]:
        """(a, b, c)."""
        return (self.a, self.b, self.c)

    def probability(self, scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""
        return sigmoid(_features(scores) @ np.array([self.a, self.b]) + self.c)


def fit_beta(scores: npt.NDArray[np.floating[Any]], is_true: npt.NDArray[np.bool_]) -> Beta:
    """The maximum-likelihood fit on Platt's smoothed targets.

    Args:
        scores: (N,) in 0..1, at or above the score cut.
        is_true: (N,) bool.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    targets = platt_targets(scores, is_true)
    a, b, c = fit_logistic(_features(scores), targets)
    return Beta(a, b, c)


def _features(scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    clipped = clip_scores(scores)
    return np.stack([np.log(clipped), -np.log1p(-clipped)], axis=1)

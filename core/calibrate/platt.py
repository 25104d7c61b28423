"""Platt scaling of the raw indication score."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.logistic import fit_logistic, log_odds, platt_targets, sigmoid


@dataclass(frozen=True, slots=True)
class Platt:
    """probability = sigmoid(slope * logit(score) + intercept); (1, 0) leaves the score as it is.

    Platt (1999) on the logit of the score instead of a margin, and the slope is kept at zero or
    above, so a higher score never means a lower probability.
    """

    slope: float
    intercept: float

    method = "platt"

    @property
    def parameters(self) -> tuple[float, ...]:
        """(slope, intercept)."""
        return (self.slope, self.intercept)

    def probability(self, scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""
        return sigmoid(self.slope * log_odds(scores) + self.intercept)


def fit_platt(scores: npt.NDArray[np.floating[Any]], is_true: npt.NDArray[np.bool_]) -> Platt:
    """The maximum-likelihood fit on Platt's smoothed targets, which keep it finite when classes separate.

    Args:
        scores: (N,) in 0..1, at or above the score cut.
        is_true: (N,) bool.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    targets = platt_targets(scores, is_true)
    slope, intercept = fit_logistic(log_odds(scores)[:, None], targets)
    return Platt(slope, intercept)

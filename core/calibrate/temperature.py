"""Temperature scaling of the raw indication score."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.logistic import fit_logistic, log_odds, platt_targets, sigmoid


@dataclass(frozen=True, slots=True)
class Temperature:
    """probability = sigmoid(slope * logit(score)); 1 leaves the score as it is.

    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (ICML 2017), for one
    score. What is stored is the slope, one over the paper's temperature: a map that says nothing has the
    slope 0 and would have an infinite temperature. A score of 0.5 stays 0.5 whatever the slope.
    """

    slope: float

    method = "temperature"

    @property
    def parameters(self) -> tuple[float, ...]:
        """(slope,)."""
        return (self.slope,)

    def probability(self, scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""
        return sigmoid(self.slope * log_odds(scores))


def fit_temperature(scores: npt.NDArray[np.floating[Any]], is_true: npt.NDArray[np.bool_]) -> Temperature:
    """The maximum-likelihood fit on Platt's smoothed targets, the slope at zero or above.

    Args:
        scores: (N,) in 0..1, at or above the score cut.
        is_true: (N,) bool.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    targets = platt_targets(scores, is_true)
    slope, _ = fit_logistic(log_odds(scores)[:, None], targets, has_intercept=False)
    return Temperature(slope)

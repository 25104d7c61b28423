"""The three models of a fusion, fitted to candidates that are known to be true or not."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from core.domain.errors import CalibrationDataError
from core.engine.fusion import N_FEATURES, Candidates, Fusion, Seen

#: Weight of the squared weights of the standardised features, in candidates.
_RIDGE = 2.0

Floats = npt.NDArray[np.float64]


def fit_fusion(candidates: Sequence[Candidates], is_true: Sequence[npt.NDArray[np.bool_]]) -> Fusion:
    """Ridge logistic regression of each of the three kinds of candidate on its features.

    Args:
        candidates: of each image.
        is_true: (N,) of each image, whether each candidate is a true indication.

    Raises:
        CalibrationDataError: when a kind has no true candidate or no false one.
    """
    seen = np.concatenate([c.seen for c in candidates])
    features = np.concatenate([c.features for c in candidates])
    outcome = np.concatenate(list(is_true))
    return Fusion(*(_fitted(features[seen == kind], outcome[seen == kind], kind) for kind in Seen))


def _fitted(features: Floats, is_true: npt.NDArray[np.bool_], kind: Seen) -> tuple[float, ...]:
    if not 0 < np.count_nonzero(is_true) < len(is_true):
        raise CalibrationDataError(
            f"cannot fit the fusion: no true or no false candidate seen {kind.name.lower()}"
        )
    centre, spread = features.mean(axis=0), features.std(axis=0).clip(min=1e-9)
    design = np.column_stack(((features - centre) / spread, np.ones(len(features))))
    targets = is_true.astype(np.float64)
    held = np.append(np.full(N_FEATURES, _RIDGE), 0.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = design @ weights
        entropy = float((np.logaddexp(0, odds) - targets * odds).sum())
        slope = design.T @ (expit(odds) - targets) + held * weights
        return entropy + 0.5 * float(held @ weights**2), slope

    solved = minimize(loss, np.zeros(N_FEATURES + 1), jac=True, method="L-BFGS-B").x
    weights = solved[:-1] / spread
    return (*(float(w) for w in weights), float(solved[-1] - weights @ centre))

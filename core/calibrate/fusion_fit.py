"""The three models of a fusion, fitted to candidates that are known to be true or not."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from core.domain.detections import FloatArray
from core.domain.errors import CalibrationDataError
from core.engine.fusion import N_FEATURES, Candidates, Fusion, Seen
from core.evaluate.matching import IOU_THRESHOLD, iou_matrix

#: Weight of the squared weights of the standardised features, in candidates.
_RIDGE = 2.0
#: A candidate lies on an invisible indication from this overlap on.
INVISIBLE_IOU = 0.3

Floats = npt.NDArray[np.float64]


def known_outcomes(
    candidates: Candidates, boxes: FloatArray, invisible: FloatArray
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """(N,) whether each candidate lies on an indication, and the numbers of those whose outcome is known.

    Several candidates may lie on one indication: each is as right as the others, and only one survives the
    suppression that follows. Of one on nothing but an invisible indication the outcome is not known.

    Args:
        candidates: of one image.
        boxes: (G, 4) xyxy px, its indications.
        invisible: (I, 4) xyxy px, indications that nobody can see.
    """
    is_true = np.any(iou_matrix(candidates.boxes, boxes) >= IOU_THRESHOLD, axis=1)
    is_unknown = np.any(iou_matrix(candidates.boxes, invisible) >= INVISIBLE_IOU, axis=1)
    return np.asarray(is_true, np.bool_), np.flatnonzero(is_true | ~is_unknown)


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

"""Whether probabilities hold on parts without a say in them: the whole choice made again without a fifth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.calibrate.calibrator import Outcomes, Scores
from core.calibrate.choice import choose_calibrator
from core.calibrate.comparison import folds_of_groups
from core.domain.errors import CalibrationDataError
from core.evaluate.calibration_error import d_ece, perfect_d_ece_band

#: A fold with fewer boxes is not judged: its band would hold nearly everything.
LEAST_BOXES = 30


@dataclass(frozen=True, slots=True)
class OuterFold:
    """Parts on one side, a calibrator chosen and fitted without them on the other.

    Attributes:
        parts: the groups (parts or films) of the fold, sorted.
        n_boxes, n_true: of these parts.
        method: that the rule took on the other parts.
        d_ece: of its probabilities on these parts, fraction 0..1.
        d_ece_band: 95 % band of a perfectly calibrated model with the same probabilities.
    """

    parts: tuple[str, ...]
    n_boxes: int
    n_true: int
    method: str
    d_ece: float
    d_ece_band: tuple[float, float]

    @property
    def is_met(self) -> bool:
        """Whether the error is no higher than a perfect model's may be."""
        return self.d_ece <= self.d_ece_band[1]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for calibration.json and the card."""
        return asdict(self) | {
            "parts": list(self.parts),
            "d_ece_band": list(self.d_ece_band),
            "is_met": self.is_met,
        }


def outer_folds(
    scores: Scores, is_true: Outcomes, groups: Sequence[str], *, seed: int = 0
) -> tuple[OuterFold, ...]:
    """One entry for each fold of whole parts that holds enough boxes and whose rest can calibrate.

    Nested: method and parameters come from the other folds alone, so a figure here says what to expect
    on the next part. The figures of `compare_methods` are milder, since all parts chose the method.

    Args:
        scores: (N,) in 0..1.
        is_true: (N,) bool.
        groups: N names (part or film); the boxes of one are never on both sides.
        seed: of the assignment of groups to folds and of the perfect model.
    """
    names = np.asarray(groups, dtype=str)
    if len(set(groups)) < 2:
        return ()
    fold_of = folds_of_groups(groups, seed=seed)
    entries = []
    for fold in range(int(fold_of.max()) + 1):
        is_out = fold_of == fold
        if np.count_nonzero(is_out) < LEAST_BOXES:
            continue
        try:
            chosen = choose_calibrator(
                scores[~is_out], is_true[~is_out], names[~is_out].tolist(), seed=seed
            ).calibrator
        except CalibrationDataError:
            continue  # all that is true, or all that is false, lies in this fold
        probabilities = chosen.probability(scores[is_out])
        error, band = d_ece(probabilities, is_true[is_out]), perfect_d_ece_band(probabilities, seed=seed)
        assert error is not None  # the fold has boxes
        assert band is not None
        entries.append(
            OuterFold(
                parts=tuple(sorted(set(names[is_out].tolist()))),
                n_boxes=int(np.count_nonzero(is_out)),
                n_true=int(np.count_nonzero(is_true[is_out])),
                method=chosen.method,
                d_ece=error,
                d_ece_band=band,
            )
        )
    return tuple(entries)

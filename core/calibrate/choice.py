"""Choice of the calibration method of a model version, by a written rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.calibrate.calibrator import FIT, Calibrator, Outcomes, Scores
from core.calibrate.comparison import CalibratorComparison, compare_methods
from core.domain.errors import CalibrationDataError

#: The method where the methods cannot be compared.
DEFAULT_METHOD = "platt"


@dataclass(frozen=True, slots=True)
class CalibratorChoice:
    """The calibrator that was chosen and why, fit to be written on a model card.

    Attributes:
        calibrator: fitted on all boxes.
        reason: one line.
        comparison: of all methods; None when they could not be cross-validated.
    """

    calibrator: Calibrator
    reason: str
    comparison: CalibratorComparison | None


def choose_calibrator(
    scores: Scores, is_true: Outcomes, groups: Sequence[str], *, method: str | None = None, seed: int = 0
) -> CalibratorChoice:
    """The method that the rule of `compare_methods` takes, or the one asked for, fitted on all boxes.

    Where they cannot be compared (one part alone, or all that is true in one fold) it is Platt.

    Args:
        scores: (N,) in 0..1.
        is_true: (N,) bool.
        groups: N names (part or film); the boxes of one are never on both sides.
        method: a key of `FIT` that is used whatever the comparison says; it is made all the same.
        seed: of the assignment of groups to folds.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    default = FIT[method or DEFAULT_METHOD](scores, is_true)
    try:
        comparison = compare_methods(scores, is_true, groups, seed=seed)
    except CalibrationDataError as error:
        reason = f"{method}, as asked" if method else f"{DEFAULT_METHOD}, without a comparison: {error}"
        return CalibratorChoice(default, reason, None)
    if method is not None:
        return CalibratorChoice(default, f"{method}, as asked", comparison)
    return CalibratorChoice(FIT[comparison.chosen](scores, is_true), _reason(comparison), comparison)


def _reason(comparison: CalibratorComparison) -> str:
    figures = ", ".join(f"{m.method} {m.log_loss:.4f}" for m in comparison.methods)
    to_best = comparison.to_best[comparison.chosen]
    return (
        f"{comparison.chosen}, by the rule of one standard error ({to_best.mean:.4f} above the lowest, "
        f"standard error {to_best.standard_error or 0.0:.4f}); out-of-fold log loss: {figures}"
    )

"""All calibration methods side by side, each judged on parts that did not fit it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.calibrator import FIT, Outcomes, Scores
from core.domain.errors import CalibrationDataError
from core.evaluate.calibration_error import d_ece, perfect_d_ece_band, squared_errors, surprisals

N_FOLDS = 5
#: Isotonic may be chosen from so many boxes on. In a simulation its fit cost 0.003 to 0.004 nats a box over
#: the truth with 1,000 boxes, and 0.009 to 0.010 with 250.
ISOTONIC_BOXES = 1000
#: ... and from so many groups (parts or films) with a box; with fewer it follows their habits.
ISOTONIC_GROUPS = 20
SIMPLEST = next(iter(FIT))

COMPARISON_HEADER = (
    "method",
    "log loss",
    f"difference to {SIMPLEST} (SE)",
    "Brier",
    f"difference to {SIMPLEST} (SE)",
    "D-ECE (band of a perfect model)",
)

Probabilities = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class LossDifference:
    """A mean difference over boxes, below zero where the first is better.

    Attributes:
        mean: over the boxes.
        standard_error: of it, with groups as the units; None with fewer than two.
    """

    mean: float
    standard_error: float | None


@dataclass(frozen=True, slots=True)
class MethodFigures:
    """Out-of-fold figures of one method.

    Attributes:
        method: a key of `FIT`.
        is_eligible: False where there is too little data for it to be chosen.
        log_loss: nats a box.
        log_loss_difference: to the simplest method, on the same boxes; 0 for that one.
        brier: 0..1.
        brier_difference: to the simplest method.
        d_ece: fraction, 0..1.
        d_ece_band: 95 % band of a perfectly calibrated model with this method's probabilities.
    """

    method: str
    is_eligible: bool
    log_loss: float
    log_loss_difference: LossDifference
    brier: float
    brier_difference: LossDifference
    d_ece: float
    d_ece_band: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CalibratorComparison:
    """Every method on the same boxes, out of fold.

    Attributes:
        n_boxes, n_true, n_groups: what it rests on; groups without a box do not count.
        methods: one entry a method, the simplest first.
        chosen: the one that the rule of `compare_methods` takes.
        to_best: how much higher the log loss of each eligible method is than the lowest one's.
    """

    n_boxes: int
    n_true: int
    n_groups: int
    methods: tuple[MethodFigures, ...]
    chosen: str
    to_best: dict[str, LossDifference]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for calibration.json and the card, which `comparison_rows` reads."""
        content = asdict(self)
        content["methods"] = [m | {"d_ece_band": list(m["d_ece_band"])} for m in content["methods"]]
        return content


def compare_methods(
    scores: Scores, is_true: Outcomes, groups: Sequence[str], *, seed: int = 0
) -> CalibratorComparison:
    """The comparison of all methods of `FIT`; no box is judged by a calibrator that saw its group.

    The rule, written for a reader in docs/model-cards.md:

    1. Isotonic takes part from 1,000 boxes and 20 groups on, the others always.
    2. Of those, the method with the lowest out-of-fold log loss is the best. All whose log loss is not
       higher by more than one standard error of the difference (groups as its units) are as good.
    3. Of the methods as good, the simplest is chosen, in the order temperature, Platt, beta, isotonic; but
       one whose out-of-fold D-ECE lies above the band of a perfect model is passed over while another one's
       does not.

    Args:
        scores: (N,) in 0..1.
        is_true: (N,) bool.
        groups: N names (part or film); the boxes of one are never on both sides.
        seed: of the assignment of groups to folds and of the perfect model.

    Raises:
        CalibrationDataError: with fewer than two groups, or when the rest of a fold is all true or all false.
    """
    held_out = {m: cross_fitted_probabilities(m, scores, is_true, groups, seed=seed) for m in FIT}
    n_groups = len(set(groups))
    is_allowed = len(scores) >= ISOTONIC_BOXES and n_groups >= ISOTONIC_GROUPS
    methods = tuple(
        _figures(
            method,
            probabilities,
            held_out[SIMPLEST],
            is_true,
            groups,
            is_eligible=method != "isotonic" or is_allowed,
            seed=seed,
        )
        for method, probabilities in held_out.items()
    )
    eligible = [m for m in methods if m.is_eligible]
    best = held_out[min(eligible, key=lambda m: m.log_loss).method]
    losses_of_best = surprisals(best, is_true)
    to_best = {
        m.method: mean_difference(surprisals(held_out[m.method], is_true), losses_of_best, groups)
        for m in eligible
    }
    return CalibratorComparison(
        n_boxes=len(scores),
        n_true=int(np.count_nonzero(is_true)),
        n_groups=n_groups,
        methods=methods,
        chosen=_chosen(eligible, to_best),
        to_best=to_best,
    )


def comparison_rows(comparison: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The table under `COMPARISON_HEADER` as text, one row a method, the chosen one marked.

    Args:
        comparison: what `CalibratorComparison.to_dict` gave, also after its way through JSON or YAML.
    """
    return [
        (
            method["method"]
            + (" (chosen)" if method["method"] == comparison["chosen"] else "")
            + ("" if method["is_eligible"] else " (too little data)"),
            f"{method['log_loss']:.4f}",
            _difference_text(method["log_loss_difference"]),
            f"{method['brier']:.4f}",
            _difference_text(method["brier_difference"]),
            "{:.4f} ({:.4f} to {:.4f})".format(method["d_ece"], *method["d_ece_band"]),
        )
        for method in comparison["methods"]
    ]


def cross_fitted_probabilities(
    method: str, scores: Scores, is_true: Outcomes, groups: Sequence[str], *, seed: int = 0
) -> npt.NDArray[np.float32]:
    """(N,) probabilities, each from a calibrator that saw no box of the same group.

    Raises:
        CalibrationDataError: with fewer than two groups, or when the rest of a fold is all true or all false.
    """
    fold_of = folds_of_groups(groups, seed=seed)
    probabilities = np.empty(len(scores), np.float32)
    for fold in range(int(fold_of.max()) + 1):
        held_out = fold_of == fold
        fitted = FIT[method](scores[~held_out], is_true[~held_out])
        probabilities[held_out] = fitted.probability(scores[held_out])
    return probabilities


def folds_of_groups(groups: Sequence[str], *, seed: int) -> npt.NDArray[np.intp]:
    """(N,) fold of each entry, 0 to at most `N_FOLDS` - 1; the entries of a group share theirs.

    Raises:
        CalibrationDataError: with fewer than two groups.
    """
    names, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) < 2:
        raise CalibrationDataError(f"cross-fitting needs at least two groups, got {len(names)}")
    fold_of_group = np.random.default_rng(seed).permutation(len(names)) % min(N_FOLDS, len(names))
    folds: npt.NDArray[np.intp] = fold_of_group[group_of]
    return folds


def mean_difference(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], groups: Sequence[str]
) -> LossDifference:
    """The mean of (N,) `first - second`, and its standard error with whole groups as the units.

    The standard error is that of a ratio (sum of differences over boxes) under cluster sampling.
    """
    gain = first - second
    _, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    per_group = np.bincount(group_of, gain - gain.mean())
    n_groups = len(per_group)
    if n_groups < 2:
        return LossDifference(float(gain.mean()), None)
    variance = n_groups / (n_groups - 1) * float(np.sum(per_group**2)) / len(gain) ** 2
    return LossDifference(float(gain.mean()), variance**0.5)


def _chosen(eligible: Sequence[MethodFigures], to_best: Mapping[str, LossDifference]) -> str:
    """Steps 2 and 3 of the rule; `eligible` holds the simplest first."""
    as_good = [m for m in eligible if to_best[m.method].mean <= (to_best[m.method].standard_error or 0.0)]
    calibrated = [m for m in as_good if m.d_ece <= m.d_ece_band[1]]
    return (calibrated or as_good)[0].method


def _figures(
    method: str,
    probabilities: Probabilities,
    simplest: Probabilities,
    is_true: Outcomes,
    groups: Sequence[str],
    *,
    is_eligible: bool,
    seed: int,
) -> MethodFigures:
    log_losses, errors = surprisals(probabilities, is_true), squared_errors(probabilities, is_true)
    error, band = d_ece(probabilities, is_true), perfect_d_ece_band(probabilities, seed=seed)
    assert error is not None  # there is a box: it was fitted to some
    assert band is not None
    return MethodFigures(
        method=method,
        is_eligible=is_eligible,
        log_loss=float(log_losses.mean()),
        log_loss_difference=mean_difference(log_losses, surprisals(simplest, is_true), groups),
        brier=float(errors.mean()),
        brier_difference=mean_difference(errors, squared_errors(simplest, is_true), groups),
        d_ece=error,
        d_ece_band=band,
    )


def _difference_text(difference: Mapping[str, Any]) -> str:
    error = difference["standard_error"]
    return f"{difference['mean']:+.4f}" + ("" if error is None else f" ({error:.4f})")

"""What every calibrator does, how one is stored, and how one is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.calibrate.beta import Beta, fit_beta
from core.calibrate.platt import Platt, fit_platt
from core.domain.errors import CalibrationDataError, ModelArtefactError
from core.evaluate.calibration_error import log_loss

Scores = npt.NDArray[np.floating[Any]]
Outcomes = npt.NDArray[np.bool_]


class Calibrator(Protocol):
    """A non-decreasing map from raw score to probability."""

    @property
    def method(self) -> str:
        """Its name in the calibration file."""

    @property
    def parameters(self) -> tuple[float, ...]:
        """What was fitted."""

    def probability(self, scores: Scores) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""


FIT: dict[str, Callable[[Scores, Outcomes], Calibrator]] = {"platt": fit_platt, "beta": fit_beta}
N_FOLDS = 5


def calibrator_from(method: str, parameters: Sequence[float]) -> Calibrator:
    """The calibrator that `method` and `parameters` of a calibration record describe.

    Raises:
        ModelArtefactError: on an unknown method, a wrong number of parameters or one that is not finite.
    """
    expected = {"platt": 2, "beta": 3}
    if method not in expected:
        raise ModelArtefactError(f"unknown calibration method {method!r}; known: {', '.join(expected)}")
    if len(parameters) != expected[method] or not np.isfinite(parameters).all():
        raise ModelArtefactError(
            f"calibration {method!r} needs {expected[method]} finite parameters, got {list(parameters)}"
        )
    return Platt(*parameters) if method == "platt" else Beta(*parameters)


@dataclass(frozen=True, slots=True)
class Choice:
    """The calibrator that was chosen and why, fit to be written on a model card.

    Attributes:
        calibrator: fitted on all boxes.
        reason: one line.
        log_losses: out-of-fold log loss of each method; empty when it could not be cross-validated.
    """

    calibrator: Calibrator
    reason: str
    log_losses: dict[str, float]


def choose_calibrator(scores: Scores, is_true: Outcomes, groups: Sequence[str], *, seed: int = 0) -> Choice:
    """Platt or beta, by log loss on groups that did not fit it.

    The rule: beta, with its third parameter, is taken only when its out-of-fold log loss is lower than
    Platt's by more than one standard error of their difference over the groups. Otherwise, and when
    cross-validation is impossible, Platt.

    Args:
        scores: (N,) in 0..1.
        is_true: (N,) bool.
        groups: N names (part or film); the boxes of one are never on both sides.
        seed: of the assignment of groups to folds.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    platt = fit_platt(scores, is_true)
    try:
        held_out = {m: cross_fitted_probabilities(m, scores, is_true, groups, seed=seed) for m in FIT}
    except CalibrationDataError as error:
        return Choice(platt, f"Platt, without a comparison: {error}", {})
    losses = {m: log_loss(p, is_true) or 0.0 for m, p in held_out.items()}
    gain, standard_error = _gain_by_group(held_out["platt"], held_out["beta"], is_true, groups)
    figures = (
        f"out-of-fold log loss: Platt {losses['platt']:.4f}, beta {losses['beta']:.4f}, "
        f"standard error of the difference {standard_error:.4f}"
    )
    if gain > standard_error:
        return Choice(fit_beta(scores, is_true), f"beta: {figures}", losses)
    return Choice(platt, f"Platt: {figures}", losses)


def cross_fitted_probabilities(
    method: str, scores: Scores, is_true: Outcomes, groups: Sequence[str], *, seed: int = 0
) -> npt.NDArray[np.float32]:
    """(N,) probabilities, each from a calibrator that saw no box of the same group.

    Raises:
        CalibrationDataError: with fewer than two groups, or when the rest of a fold is all true or all false.
    """
    names, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) < 2:
        raise CalibrationDataError(f"cross-fitting needs at least two groups, got {len(names)}")
    fold_of_group = np.random.default_rng(seed).permutation(len(names)) % min(N_FOLDS, len(names))
    fold_of = fold_of_group[group_of]
    probabilities = np.empty(len(scores), np.float32)
    for fold in range(int(fold_of.max()) + 1):
        held_out = fold_of == fold
        fitted = FIT[method](scores[~held_out], is_true[~held_out])
        probabilities[held_out] = fitted.probability(scores[held_out])
    return probabilities


def _gain_by_group(
    platt: npt.NDArray[np.float32],
    beta: npt.NDArray[np.float32],
    is_true: Outcomes,
    groups: Sequence[str],
) -> tuple[float, float]:
    """Mean gain in log loss of beta over Platt, and its standard error with groups as the units."""
    gain = _losses(platt, is_true) - _losses(beta, is_true)
    _, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    per_group = np.bincount(group_of, gain - gain.mean())
    n_groups = len(per_group)
    variance = n_groups / (n_groups - 1) * float(np.sum(per_group**2)) / len(gain) ** 2
    return float(gain.mean()), variance**0.5


def _losses(probabilities: npt.NDArray[np.float32], is_true: Outcomes) -> npt.NDArray[np.float64]:
    p = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return -np.where(is_true, np.log(p), np.log1p(-p))

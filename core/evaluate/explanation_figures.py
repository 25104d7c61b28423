"""Figures about explanations over many boxes: paired intervals, AUROC, and what a second feature adds."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Names = npt.NDArray[Any]
#: Draws of a bootstrap; whole images are drawn, as boxes of one image are not independent.
N_DRAWS = 1000
_RIDGE, _STEPS, _FOLDS = 1.0, 25, 5


class Estimate(NamedTuple):
    """A figure with its 95 % interval; the interval is None where it could not be drawn."""

    value: float
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data, rounded to four decimals."""
        interval = None if self.interval is None else [round(v, 4) for v in self.interval]
        return {"value": round(self.value, 4), "interval": interval}


def mean_difference(one: Floats, other: Floats, images: Names, *, seed: int) -> Estimate:
    """The mean of one - other over boxes, with its interval by a paired bootstrap over whole images.

    Args:
        one: (N,) of the boxes.
        other: (N,) of the same boxes.
        images: (N,) names.
        seed: of the draws.

    Raises:
        ValueError: when there is no box, or lengths differ.
    """
    if not len(one) or not len(one) == len(other) == len(images):
        raise ValueError(f"{len(one)}, {len(other)} values of {len(images)} boxes")
    gaps = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    draws = [float(gaps[index].mean()) for index in _draws(images, seed)]
    return Estimate(float(gaps.mean()), _interval(draws))


def auroc(values: Floats, is_true: Booleans) -> float | None:
    """The chance that a true one has a higher value than a false one, ties half; None without both kinds."""
    n_true, n_false = int(is_true.sum()), int((~is_true).sum())
    if not n_true or not n_false:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][is_true].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def auroc_estimate(values: Floats, is_true: Booleans, images: Names, *, seed: int) -> Estimate | None:
    """`auroc` with its interval over whole images; None without both kinds."""
    found = auroc(values, is_true)
    if found is None:
        return None
    draws = [auroc(values[index], is_true[index]) for index in _draws(images, seed)]
    return Estimate(found, _interval([draw for draw in draws if draw is not None]))


def added_auroc(
    base: Floats, extra: Floats, is_true: Booleans, images: Names, *, seed: int
) -> tuple[Estimate, Estimate, Estimate] | None:
    """AUROC of a logistic model on `base` alone, on both, and their difference; None without both kinds.

    Both are fitted out of fold, whole images held out together, so that the second feature cannot win by
    being fitted; the difference is by a paired bootstrap over images.

    Args:
        base: (N, K) features.
        extra: (N, L) features that may add something.
        is_true: (N,).
        images: (N,) names.
        seed: of folds and draws.
    """
    if auroc(base[:, 0], is_true) is None or len(np.unique(images)) < _FOLDS:
        return None
    alone = _out_of_fold(base, is_true, images, seed)
    both = _out_of_fold(np.concatenate((base, extra), axis=1), is_true, images, seed)
    one, other = auroc(alone, is_true), auroc(both, is_true)
    assert one is not None
    assert other is not None
    draws = [
        (auroc(alone[index], is_true[index]), auroc(both[index], is_true[index]))
        for index in _draws(images, seed)
    ]
    kept = [(a, b) for a, b in draws if a is not None and b is not None]
    return (
        Estimate(one, _interval([a for a, _ in kept])),
        Estimate(other, _interval([b for _, b in kept])),
        Estimate(other - one, _interval([b - a for a, b in kept])),
    )


def _out_of_fold(features: Floats, is_true: Booleans, images: Names, seed: int) -> Floats:
    names = np.unique(images)
    fold_of = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % _FOLDS, strict=True))
    folds = np.array([fold_of[name] for name in images])
    odds = np.zeros(len(images))
    for fold in range(_FOLDS):
        held = folds == fold
        if held.any() and not held.all():
            odds[held] = _logistic(features[~held], is_true[~held], features[held])
    return odds


def _logistic(features: Floats, is_true: Booleans, held: Floats) -> Floats:
    """Log-odds of the held-out rows by a logistic regression with a ridge, fitted by Newton's method."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    rows = np.column_stack((np.ones(len(features)), (features - centre) / spread))
    weights = np.zeros(rows.shape[1])
    ridge = _RIDGE * np.eye(rows.shape[1])
    ridge[0, 0] = 1e-6
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (is_true - chance) - ridge @ weights
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + ridge
        weights = weights + np.linalg.solve(bend, slope)
    odds: Floats = np.column_stack((np.ones(len(held)), (held - centre) / spread)) @ weights
    return odds


def _draws(images: Names, seed: int) -> list[npt.NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(images == name) for name in np.unique(images)]
    return [
        np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        for _ in range(N_DRAWS)
    ]


def _interval(draws: list[float]) -> tuple[float, float] | None:
    if len(draws) < N_DRAWS // 2:
        return None
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)

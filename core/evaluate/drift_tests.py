"""Whether recent images are drawn from the same as a reference: one test a figure, one of all embeddings.

Figures: the two-sample statistic of Kolmogorov and Smirnov, with Holm's correction over the figures ("A
simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979).
Embeddings: the maximum mean discrepancy of Gretton, Borgwardt, Rasch, Schoelkopf and Smola ("A kernel
two-sample test", JMLR 13, 2012) with a Gaussian kernel of the median distance. Difference: every p-value is
that of a permutation test, which holds for any number of images and with ties, as counts and polarity have.
Each of the two families gets half of the error probability. Images of one part are alike, so they must not be
taken for independent ones where a part fills much of the window: see docs/drift.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.drift import EMBEDDING, DriftResult, Shift

Floats = npt.NDArray[np.floating[Any]]
#: Smallest p-value is one over this: enough for Holm's first step over a dozen figures at 1 % of error.
N_PERMUTATIONS = 5_000
#: A figure that fewer images of either side allow is not tested.
LEAST_IMAGES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is known of some images.

    Attributes:
        figures: by name, (N,) float64, not a number where an image does not allow the figure.
        embeddings: (N, D), or None where they are not known.
    """

    figures: Mapping[str, npt.NDArray[np.float64]]
    embeddings: Floats | None


def drift_between(
    reference: Sample, recent: Sample, *, alpha: float, seed: int = 0, n_permutations: int = N_PERMUTATIONS
) -> DriftResult:
    """Every test of `recent` against `reference`.

    Args:
        reference: what the images looked like before.
        recent: what they look like now.
        alpha: probability of an alarm where nothing changed, over all tests together.
        seed: of the permutations.
        n_permutations: more allow smaller p-values.
    """
    rng = np.random.default_rng(seed)
    names = [name for name in reference.figures if name in recent.figures]
    tested = [name for name in names if _is_testable(reference.figures[name], recent.figures[name])]
    values = {
        name: _ks(reference.figures[name], recent.figures[name], rng, n_permutations) for name in tested
    }
    adjusted = holm([p for _, p in values.values()])
    shifts = [
        Shift(
            name,
            statistic,
            p,
            adjusted[index],
            _median(reference.figures[name]),
            _median(recent.figures[name]),
            is_shifted=adjusted[index] <= alpha / 2,
        )
        for index, (name, (statistic, p)) in enumerate(values.items())
    ]
    if reference.embeddings is not None and recent.embeddings is not None:
        statistic, p = mmd(reference.embeddings, recent.embeddings, rng, n_permutations)
        shifts.append(Shift(EMBEDDING, statistic, p, p, None, None, is_shifted=p <= alpha / 2))
    return DriftResult(tuple(shifts))


def holm(p_values: list[float]) -> list[float]:
    """The p-values adjusted by Holm's step-down method, in the same order; at most 1."""
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[int(index)] = highest
    return adjusted


def mmd(
    reference: Floats, recent: Floats, rng: np.random.Generator, n_permutations: int = N_PERMUTATIONS
) -> tuple[float, float]:
    """Squared maximum mean discrepancy (biased, so at least 0) and its p-value.

    Args:
        reference: (N, D); each column is divided by its spread here.
        recent: (M, D).
        rng: of the permutations.
        n_permutations: of both sides together.
    """
    spread = np.maximum(np.std(np.asarray(reference, np.float64), axis=0), 1e-9)
    both = np.concatenate((reference, recent)).astype(np.float64) / spread
    squared = np.square(both).sum(axis=1)
    apart = np.maximum(squared[:, None] + squared[None] - 2 * both @ both.T, 0)
    middle = float(np.median(apart[np.triu_indices(len(both), 1)]))
    kernel = np.exp(-apart / max(middle, 1e-12))
    weights = _weights(len(reference), len(recent), rng, n_permutations)
    values = np.einsum("pn,pn->p", weights @ kernel, weights)
    return float(values[0]), _p_value(values)


def _ks(
    reference: npt.NDArray[np.float64], recent: npt.NDArray[np.float64], rng: np.random.Generator, n: int
) -> tuple[float, float]:
    one, other = reference[np.isfinite(reference)], recent[np.isfinite(recent)]
    both = np.concatenate((one, other))
    order = np.argsort(both, kind="stable")
    is_last = np.append(np.diff(both[order]) > 0, True)  # between equal values the steps are no step
    weights = _weights(len(one), len(other), rng, n)
    values = np.abs(np.cumsum(weights[:, order], axis=1)[:, is_last]).max(axis=1)
    return float(values[0]), _p_value(values)


def _weights(n: int, m: int, rng: np.random.Generator, n_permutations: int) -> npt.NDArray[np.float64]:
    """(P, N + M) weights, one over the number of its side, with a sign for the side; row 0 as it is."""
    row = np.concatenate((np.full(n, 1 / n), np.full(m, -1 / m)))
    return np.concatenate((row[None], rng.permuted(np.tile(row, (n_permutations - 1, 1)), axis=1)))


def _p_value(values: npt.NDArray[np.float64]) -> float:
    """The share of permutations, the unpermuted one among them, that reach what was seen."""
    return float(np.mean(values >= values[0] - 1e-12))


def _is_testable(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    return min(int(np.isfinite(one).sum()), int(np.isfinite(other).sum())) >= LEAST_IMAGES


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values[np.isfinite(values)]))

"""Whether recent images are drawn from the same as a reference: one test a figure, one of all embeddings.

Figures: the two-sample statistic of Kolmogorov and Smirnov, with Holm's correction over the figures ("A
simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979).
Embeddings: the maximum mean discrepancy of Gretton, Borgwardt, Rasch, Schoelkopf and Smola ("A kernel
two-sample test", JMLR 13, 2012) with a Gaussian kernel of the median distance. Differences: the embeddings
are whitened before, so that what varies most among films does not hide what varies little, and every p-value
is that of a permutation test, which holds for any number of images and with ties, as counts have.
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
#: Share of the variance of a column that is added to each direction before it is whitened.
_RIDGE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is known of some images.

    Attributes:
        figures: by name, (N,) float64, not a number where an image does not allow the figure.
        embeddings: (N, D), or None where they are not known.
    """

    figures: Mapping[str, npt.NDArray[np.float64]]
    embeddings: Floats | None


class Permutations:
    """Ways to part images anew, the same ones for every test of the same numbers.

    Args:
        seed: of the permutations.
        count: how many, the way that the images are parted among them.
    """

    def __init__(self, seed: int, count: int = N_PERMUTATIONS) -> None:
        self._rng = np.random.default_rng(seed)
        self._count = count
        self._known: dict[tuple[int, int], npt.NDArray[np.bool_]] = {}

    def of(self, n: int, m: int) -> npt.NDArray[np.bool_]:
        """(P, N + M): True where an image is taken for a recent one; row 0 as it is."""
        if (n, m) not in self._known:
            row = np.arange(n + m) >= n
            others = self._rng.permuted(np.tile(row, (self._count - 1, 1)), axis=1)
            self._known[n, m] = np.concatenate((row[None], others))
        return self._known[n, m]


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
    drawn = Permutations(seed, n_permutations)
    names = [name for name in reference.figures if name in recent.figures]
    tested = [name for name in names if _is_testable(reference.figures[name], recent.figures[name])]
    values = {name: _ks(reference.figures[name], recent.figures[name], drawn) for name in tested}
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
        statistic, p = mmd(reference.embeddings, recent.embeddings, drawn)
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


def mmd(reference: Floats, recent: Floats, drawn: Permutations) -> tuple[float, float]:
    """Squared maximum mean discrepancy (biased, so at least 0) and its p-value.

    Args:
        reference: (N, D); whitened together with the recent ones.
        recent: (M, D).
        drawn: the permutations.
    """
    both = _whitened(np.concatenate((reference, recent)).astype(np.float64))
    squared = np.square(both).sum(axis=1)
    apart = np.maximum(squared[:, None] + squared[None] - 2 * both @ both.T, 0)
    middle = float(np.median(apart[np.triu_indices(len(both), 1)]))
    kernel = np.exp(-apart / max(middle, 1e-12))
    n, m = len(reference), len(recent)
    weights = np.where(drawn.of(n, m), -1 / m, 1 / n)
    values = np.einsum("pn,pn->p", weights @ kernel, weights)
    return float(values[0]), _p_value(values)


def _whitened(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, D) as (N, min(N, D)) of mean 0 and about the same spread in each direction that has any.

    The rows are not told apart, so permuting them afterwards is as good as before.
    """
    centred = values - values.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred / np.maximum(centred.std(axis=0), 1e-9), full_matrices=False)
    return np.asarray(left * lengths / np.sqrt(np.square(lengths) / len(values) + _RIDGE), np.float64)


def _ks(
    reference: npt.NDArray[np.float64], recent: npt.NDArray[np.float64], drawn: Permutations
) -> tuple[float, float]:
    one, other = reference[np.isfinite(reference)], recent[np.isfinite(recent)]
    n, m = len(one), len(other)
    both = np.concatenate((one, other))
    order = np.argsort(both, kind="stable")
    is_last = np.append(np.diff(both[order]) > 0, True)  # between equal values the steps are no step
    n_recent = np.cumsum(drawn.of(n, m)[:, order], axis=1, dtype=np.int32)[:, is_last]
    n_before = np.arange(1, n + m + 1, dtype=np.int32)[is_last] - n_recent
    values = np.abs(m * n_before - n * n_recent).max(axis=1) / (n * m)  # whole numbers: ties are exact
    return float(values[0]), _p_value(values)


def _p_value(values: npt.NDArray[np.float64]) -> float:
    """The share of permutations, the unpermuted one among them, that reach what was seen."""
    return float(np.mean(values >= values[0] - 1e-12))


def _is_testable(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    return min(int(np.isfinite(one).sum()), int(np.isfinite(other).sum())) >= LEAST_IMAGES


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values[np.isfinite(values)]))

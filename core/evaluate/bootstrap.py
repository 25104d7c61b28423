"""Confidence intervals by resampling whole parts, because the frames of one part are not independent."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

N_RESAMPLES = 1000

#: Image weights (N,), how often each image was drawn -> figures, None where one is not evaluable.
Statistic = Callable[[npt.NDArray[np.int64]], dict[str, float | None]]


def clustered_intervals(
    clusters: Sequence[str],
    statistic: Statistic,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    confidence: float = 0.95,
) -> dict[str, tuple[float, float] | None]:
    """The percentile interval of every figure of `statistic`, resampling clusters with replacement.

    Resamples in which a figure is not evaluable are left out for that figure; when more than half
    are, or there are fewer than two clusters, its interval is None. With few clusters (below about
    20) percentile intervals are too narrow: quote the number of clusters beside them.

    Args:
        clusters: the cluster of each of the N images (series, film, or the image itself).
        statistic: called with (N,) image weights.
        seed: of the draws.
        n_resamples: draws.
        confidence: of the interval, 0..1.
    """
    names, cluster_of = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2:
        return dict.fromkeys(statistic(np.ones(len(clusters), np.int64)))
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(n_resamples):
        counts = np.bincount(random.integers(len(names), size=len(names)), minlength=len(names))
        for name, value in statistic(counts[cluster_of].astype(np.int64)).items():
            values = drawn.setdefault(name, [])
            if value is not None:
                values.append(value)
    return {name: _percentiles(values, n_resamples, confidence) for name, values in drawn.items()}


def _percentiles(values: list[float], n_resamples: int, confidence: float) -> tuple[float, float] | None:
    if len(values) * 2 < n_resamples or not values:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)

"""Confidence intervals by drawing whole parts with replacement: the frames of one part are not independent.

The plan of the draws is kept, so that all versions are judged on the same ones. Figures of two versions over
the same draws can be subtracted draw by draw: that is the paired bootstrap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr, stdtrit

N_RESAMPLES = 1000
#: Of all intervals here, as cards name it.
INTERVAL_METHOD = "expanded percentiles"

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Resampling:
    """Parts in each of R resamples, with their counts.

    Attributes:
        part_of: (N,) int, the part of each image.
        counts: (R, P) float32, how often each part was drawn.
    """

    part_of: npt.NDArray[np.intp]
    counts: npt.NDArray[np.float32]

    @property
    def n_parts(self) -> int:
        """Parts that are drawn from."""
        return int(self.counts.shape[1])

    def image_weights(self, resample: int) -> npt.NDArray[np.int64]:
        """(N,) how often each image is in this resample."""
        weights: npt.NDArray[np.int64] = self.counts[resample].astype(np.int64)[self.part_of]
        return weights

    def totals(self, per_image: npt.NDArray[Any]) -> Floats:
        """Sums of (N,) or (N, K) values of images in each resample: (R,) or (R, K)."""
        values = np.asarray(per_image, np.float64)
        columns = values.T if values.ndim > 1 else values[None]
        sums = [np.bincount(self.part_of, column, minlength=self.n_parts) for column in columns]
        totals: Floats = self._wide @ np.stack(sums, axis=1)
        return totals if values.ndim > 1 else totals[:, 0]

    @cached_property
    def _wide(self) -> Floats:
        return self.counts.astype(np.float64)


def resample(parts: Sequence[str], *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Resampling:
    """The plan for images of these parts; no image gives resamples of nothing.

    Args:
        parts: the part of each of the N images.
        seed: of the draws.
        n_resamples: R.
    """
    names, part_of = np.unique(np.asarray(parts, dtype=str), return_inverse=True)
    random = np.random.default_rng(seed)
    counts = np.zeros((n_resamples, len(names)), np.float32)
    for row in counts if len(names) else ():
        row += np.bincount(random.integers(len(names), size=len(names)), minlength=len(names))
    return Resampling(part_of.astype(np.intp), counts)


def expanded_levels(n_parts: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The two levels at which quantiles of resamples bound an interval, for two parts and more.

    T. Hesterberg, The American Statistician 69:371 (2015), section 4.2: with few parts plain percentiles are
    too narrow, so their levels are widened by Student's t with P - 1 degrees and sqrt(P / (P - 1)).
    """
    widened = stdtrit(n_parts - 1, (1 + confidence) / 2) * math.sqrt(n_parts / (n_parts - 1))
    tail = float(ndtr(-widened))
    return tail, 1 - tail


def expanded_interval(draws: Floats, n_parts: int, *, confidence: float = 0.95) -> Interval | None:
    """The expanded percentile interval of a figure, None where it cannot be told.

    Args:
        draws: (R,) the figure of each resample, NaN where it was not evaluable; more than half of them leave
            no interval.
        n_parts: P; fewer than two have no interval.
        confidence: of the interval, 0..1.
    """
    known = draws[np.isfinite(draws)]
    if n_parts < 2 or len(known) * 2 < len(draws) or not len(known):
        return None
    low, high = np.quantile(known, expanded_levels(n_parts, confidence=confidence))
    return float(low), float(high)


def two_sided_p(difference: float, draws: Floats, n_parts: int) -> float | None:
    """The chance of a difference at least as large when there is none; None where it cannot be told.

    Student's t with P - 1 degrees: the difference over the deviation of its resamples, which is widened by
    sqrt(P / (P - 1)) because P parts were drawn from. Versions that never differ have a chance of 1.
    """
    known = draws[np.isfinite(draws)]
    if n_parts < 2 or len(known) * 2 < len(draws) or not len(known):
        return None
    error = float(known.std(ddof=1)) * math.sqrt(n_parts / (n_parts - 1))
    if error < 1e-12:
        return 1.0 if abs(difference) < 1e-12 else 0.0
    return float(2 * stdtr(n_parts - 1, -abs(difference) / error))

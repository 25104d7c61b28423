"""Facts from the histogram: effective depth, clipping at both ends, span."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Radiograph

#: A value is piled up when it occurs this many times as often as the next four do on average.
PILE_UP = 3.0
_NEIGHBOURS = 4
_LOW_PERCENTILE, _HIGH_PERCENTILE = 1.0, 99.0


@dataclass(frozen=True, slots=True)
class GreyValues:
    """Figures of a histogram.

    Attributes:
        effective_bits: log2 of the full scale over the mean step between occurring grey values (between the
            1st and 99th percentile); None for float pixels and for a picture of a single grey value.
        clipped_low: fraction of pixels at the lowest occurring value, if they are piled up there, else 0.
        clipped_high: the same at the highest.
        span: 99th less 1st percentile, grey values.
        span_fraction: of the full scale; None for float pixels.
        lowest: lowest finite grey value.
        highest: highest finite grey value.
    """

    effective_bits: float | None
    clipped_low: float
    clipped_high: float
    span: float
    span_fraction: float | None
    lowest: float
    highest: float


def grey_values(radiograph: Radiograph) -> GreyValues | None:
    """The figures of a radiograph; None when no pixel has a value."""
    if radiograph.pixels.dtype == np.float32:
        return _of_float(radiograph)
    n_values = 2 ** (8 * radiograph.pixels.dtype.itemsize)
    counts = cv2.calcHist([radiograph.pixels], [0], None, [n_values], [0, n_values]).ravel().astype(np.int64)
    levels = np.flatnonzero(counts)
    low, high = int(levels[0]), int(levels[-1])
    shares = np.cumsum(counts) / radiograph.pixels.size
    p_low, p_high = (
        int(np.searchsorted(shares, percentile / 100)) for percentile in (_LOW_PERCENTILE, _HIGH_PERCENTILE)
    )
    full = 2 ** min(radiograph.bit_depth, 8 * radiograph.pixels.dtype.itemsize)
    n_levels = int(np.count_nonzero((levels >= p_low) & (levels <= p_high)))
    step = (p_high - p_low) / (n_levels - 1) if n_levels > 1 else None
    return GreyValues(
        effective_bits=None if step is None else math.log2(full / step),
        clipped_low=_piled_up(counts[levels[: _NEIGHBOURS + 1]], radiograph.pixels.size),
        clipped_high=_piled_up(counts[levels[-_NEIGHBOURS - 1 :]][::-1], radiograph.pixels.size),
        span=float(p_high - p_low),
        span_fraction=(p_high - p_low) / (full - 1),
        lowest=float(low),
        highest=float(high),
    )


def _of_float(radiograph: Radiograph) -> GreyValues | None:
    values = radiograph.pixels[np.isfinite(radiograph.pixels)]
    if values.size == 0:
        return None
    low, high = float(values.min()), float(values.max())
    p_low, p_high = np.percentile(values, (_LOW_PERCENTILE, _HIGH_PERCENTILE))
    counts, _ = np.histogram(values, bins=4096, range=(low, high if high > low else low + 1.0))
    return GreyValues(
        effective_bits=None,
        clipped_low=_piled_up(counts[: _NEIGHBOURS + 1], values.size),
        clipped_high=_piled_up(counts[-_NEIGHBOURS - 1 :][::-1], values.size),
        span=float(p_high - p_low),
        span_fraction=None,
        lowest=low,
        highest=high,
    )


def _piled_up(counts: npt.NDArray[np.int64], n_pixels: int) -> float:
    """Fraction at the first of `counts` if it towers over the others."""
    if len(counts) < 2 or counts[0] <= PILE_UP * counts[1:].mean():
        return 0.0
    return float(counts[0] / n_pixels)

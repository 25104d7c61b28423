"""Window and level: which grey values are shown as black and white."""

from typing import Any

import numpy as np
import numpy.typing as npt

_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.5
_MAX_SAMPLES = 250_000
_WHITE = 255


def render_8bit(
    pixels: npt.NDArray[Any], lo: float, hi: float, invert: bool = False
) -> npt.NDArray[np.uint8]:
    """The picture as shown: (H, W) uint8, `lo` and below black, `hi` and above white, linear between.

    Args:
        pixels: (H, W), any real dtype; nan is shown as `lo`.
        lo: grey value shown as black.
        hi: grey value shown as white; when not above `lo`, everything above `lo` is white.
        invert: swap black and white.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=np.float32)
        table: npt.NDArray[np.uint8] = _linear(levels, lo, hi, invert)[pixels]
        return table
    return _linear(pixels.astype(np.float32), lo, hi, invert)


def auto_window(pixels: npt.NDArray[Any]) -> tuple[float, float]:
    """The (lo, hi) that shows the bulk of the picture: percentiles 0.5 and 99.5 of a subsample.

    Args:
        pixels: (H, W), any real dtype; non-finite values are left out.

    Returns:
        `hi` is above `lo` always; (0.0, 1.0) when no pixel is finite.
    """
    step = max(1, int(np.sqrt(pixels.size / _MAX_SAMPLES)))
    sample = pixels[::step, ::step].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    lo, hi = (float(v) for v in np.percentile(sample, (_LOW_PERCENTILE, _HIGH_PERCENTILE)))
    if hi > lo:
        return lo, hi
    lo, hi = float(sample.min()), float(sample.max())
    return (lo, hi) if hi > lo else (lo, lo + max(1.0, abs(lo) * 1e-6))


def _linear(values: npt.NDArray[np.float32], lo: float, hi: float, invert: bool) -> npt.NDArray[np.uint8]:
    span = hi - lo if hi > lo else np.finfo(np.float32).tiny
    with np.errstate(over="ignore", invalid="ignore"):
        shown = np.nan_to_num((values - np.float32(lo)) / np.float32(span), nan=0.0, posinf=1.0, neginf=0.0)
    grey: npt.NDArray[np.uint8] = np.rint(np.clip(shown, 0.0, 1.0) * _WHITE).astype(np.uint8)
    if invert:
        np.subtract(_WHITE, grey, out=grey)
    return grey

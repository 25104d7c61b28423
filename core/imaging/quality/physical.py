"""Figures that tell whether radiographs are made as before: grey level, contrast, noise, sharpness, CNR.

They are compared with each other over many images, not with a limit, so they need no region that somebody
chose and no polarity. A figure that a picture does not allow is left out.
"""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.drift import BLUR, CNR, CONTRAST, FINENESS, GRAIN, GREY_LEVEL, NOISE
from core.domain.radiograph import Radiograph
from core.imaging.quality.sharpness import measure_sharpness

#: Noise is the spread that three quarters of the blocks exceed: those with the least structure.
_BLOCK_PX, _CALM = 32, 25
#: Noise of independent pixels passes this mask six times as large (J. Immerkaer, "Fast noise variance
#: estimation", Computer Vision and Image Understanding 64, 1996; there the mean over the whole picture).
_MASK = np.array([1, -2, 1], np.float32)
#: Second differences taken twice pass hardly anything but noise that is independent from pixel to pixel.
_FINEST = np.array([1, -4, 6, -4, 1], np.float32)
_SPAN, _ENDS, _END_SHARE = (5, 95), (1, 99), 0.02
#: A box is compared with a rim of this share of its longer side, at least so many px.
_RIM_SHARE, _RIM_PX = 0.5, 6
_LEAST_NOISE = 1e-6


def physical_figures(radiograph: Radiograph, boxes: FloatArray) -> Mapping[str, float]:
    """Grey level, contrast, noise as shares of full scale, grain, fineness, blur in px, CNR of the boxes.

    Fineness is the noise at the finest scale beside the noise: 1 for independent pixels, as of a detector's
    electronics, less in film grain, whose pixels depend on each other.

    Args:
        radiograph: measured on its original pixels; of pixels that are no numbers nothing is told.
        boxes: (N, 4) xyxy, px: what a model reported.
    """
    pixels = np.asarray(radiograph.pixels, np.float32)
    if pixels.size == 0 or not np.isfinite(pixels).all():
        return {}
    scale = _full_scale(radiograph)
    low, high = np.percentile(pixels[::2, ::2], _SPAN)
    found = {GREY_LEVEL: float(np.median(pixels[::2, ::2])) / scale, CONTRAST: float(high - low) / scale}
    noise = _noise(pixels, _BLOCK_PX)
    if noise is not None:
        found[NOISE] = noise / scale
        grain, finest = _grain(pixels, noise), _noise(pixels, _BLOCK_PX, _FINEST)
        if grain is not None:
            found[GRAIN] = grain
        if finest is not None and noise > 0:
            found[FINENESS] = finest / noise
    blur = measure_sharpness(pixels).blur_px
    if blur is not None:
        found[BLUR] = blur
    ratios = [] if noise is None else [_contrast(pixels, box) / max(noise, _LEAST_NOISE) for box in boxes]
    known = [one for one in ratios if np.isfinite(one)]
    if known:
        found[CNR] = float(np.median(known))
    return found


def _full_scale(radiograph: Radiograph) -> float:
    """The highest grey value that the depth allows; 1 for float pixels."""
    if radiograph.pixels.dtype.kind == "f":
        return 1.0
    return float(2 ** min(radiograph.bit_depth, 8 * radiograph.pixels.dtype.itemsize) - 1)


def _noise(pixels: FloatArray, block_px: int, mask: FloatArray = _MASK) -> float | None:
    """Standard deviation of the noise in grey values; None where no block fits.

    Both ways the picture is weighed with `mask`, (K,) differences of neighbours.

    Blocks at either end of the grey values are left out: there a margin or a clipped place has no noise.
    """
    rows, columns = pixels.shape[0] // block_px, pixels.shape[1] // block_px
    if not rows or not columns:
        return None
    rough = np.asarray(cv2.sepFilter2D(pixels, cv2.CV_32F, mask, mask), np.float32)
    rms = np.sqrt(_in_blocks(np.square(rough), block_px))
    level = _in_blocks(pixels, block_px)
    low, high = np.percentile(pixels[::2, ::2], _ENDS)
    rim = _END_SHARE * (high - low)
    spread = rms[(rms > 0) & (level > low + rim) & (level < high - rim)]
    return float(np.percentile(spread, _CALM)) / float(mask @ mask) if spread.size else None


def _in_blocks(values: FloatArray, block_px: int) -> FloatArray:
    """Mean of each whole block."""
    rows, columns = values.shape[0] // block_px, values.shape[1] // block_px
    whole = values[: rows * block_px, : columns * block_px]
    means: FloatArray = whole.reshape(rows, block_px, columns, block_px).mean(axis=(1, 3))
    return means


def _grain(pixels: FloatArray, noise: float) -> float | None:
    """Noise beside that of the picture at half its size: 2 for independent pixels, less in film grain."""
    half = cv2.resize(pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2), interpolation=cv2.INTER_AREA)
    coarse = _noise(np.asarray(half, np.float32), _BLOCK_PX // 2)
    return noise / coarse if coarse else None


def _contrast(pixels: FloatArray, box: npt.NDArray[np.floating]) -> float:
    """Difference of the medians in a box and in the rim around it; not a number where either is empty."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    rim = max(_RIM_PX, round(_RIM_SHARE * max(x2 - x1, y2 - y1)))
    top, left = max(0, y1 - rim), max(0, x1 - rim)
    around = pixels[top : max(0, y2 + rim), left : max(0, x2 + rim)]
    inside = pixels[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
    is_rim = np.ones(around.shape, np.bool_)
    is_rim[max(0, y1) - top : max(0, y2) - top, max(0, x1) - left : max(0, x2) - left] = False
    if not inside.size or not is_rim.any():
        return float("nan")
    return abs(float(np.median(inside)) - float(np.median(around[is_rim])))

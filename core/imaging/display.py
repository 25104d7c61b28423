"""Pictures for people: grey values under a window, thumbnails, and pieces of a radiograph."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.errors import BadInputError
from core.domain.radiograph import Radiograph
from core.imaging.encode import encode_png

Rectangle = tuple[int, int, int, int]
Picture = npt.NDArray[np.uint8]

THUMBNAIL_SIDE_PX = 256
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


def thumbnail_png(radiograph: Radiograph, max_side_px: int = THUMBNAIL_SIDE_PX) -> bytes:
    """An 8-bit grey PNG, automatically windowed, its longer side at most `max_side_px`, never enlarged.

    Shrunk by area averaging before windowing, so a thin indication fades instead of vanishing.

    Raises:
        ValueError: when `max_side_px` is below 1.
    """
    if max_side_px < 1:
        raise ValueError(f"max_side_px must be at least 1, got {max_side_px}")
    pixels: npt.NDArray[Any] = radiograph.pixels
    scale = min(1.0, max_side_px / max(pixels.shape))
    if scale < 1.0:
        if pixels.dtype == np.float32:
            pixels = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
        size = (max(1, round(radiograph.width * scale)), max(1, round(radiograph.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return encode_png(render_8bit(pixels, *auto_window(pixels)))


def windowed(radiograph: Radiograph) -> Picture:
    """The whole radiograph under its automatic window, (H, W) uint8."""
    return render_8bit(radiograph.pixels, *auto_window(radiograph.pixels))


def crop_png(picture: Picture, rectangle: Rectangle, *, side_px: int) -> bytes:
    """A grey PNG of a rectangle, its longer side `side_px`.

    Args:
        picture: (H, W) uint8, see `windowed`.
        rectangle: x0, y0, x1, y1 in px; the part outside of the image is left out.
        side_px: shrunk by averaging or enlarged without inventing detail, from 16 to 1024.

    Raises:
        BadInputError: nothing of the rectangle lies in the image, or the side is out of range.
    """
    x0, y0 = max(0, rectangle[0]), max(0, rectangle[1])
    x1, y1 = min(picture.shape[1], rectangle[2]), min(picture.shape[0], rectangle[3])
    if x1 <= x0 or y1 <= y0 or not 16 <= side_px <= 1024:
        raise BadInputError(f"no picture of {rectangle} with a side of {side_px} px")
    piece = picture[y0:y1, x0:x1]
    scale = side_px / max(piece.shape)
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST if scale >= 3 else cv2.INTER_LINEAR
    return encode_png(cv2.resize(piece, size, interpolation=how))


def around(box: tuple[float, float, float, float], size: tuple[int, int]) -> Rectangle:
    """A square that shows a box and its surroundings, moved into an image of this width and height.

    It is at least 96 px and at most as large as the image allows.
    """
    x0, y0, x1, y1 = box
    side = max(96.0, 2.2 * max(x1 - x0, y1 - y0))
    width, height = min(side, size[0]), min(side, size[1])
    left = min(max(0.0, (x0 + x1 - width) / 2), size[0] - width)
    top = min(max(0.0, (y0 + y1 - height) / 2), size[1] - height)
    return round(left), round(top), round(left + width), round(top + height)


def _linear(values: npt.NDArray[np.float32], lo: float, hi: float, invert: bool) -> npt.NDArray[np.uint8]:
    span = hi - lo if hi > lo else np.finfo(np.float32).tiny
    with np.errstate(over="ignore", invalid="ignore"):
        shown = np.nan_to_num((values - np.float32(lo)) / np.float32(span), nan=0.0, posinf=1.0, neginf=0.0)
    grey: npt.NDArray[np.uint8] = np.rint(np.clip(shown, 0.0, 1.0) * _WHITE).astype(np.uint8)
    if invert:
        np.subtract(_WHITE, grey, out=grey)
    return grey

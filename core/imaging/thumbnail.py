"""A small picture of a radiograph, for lists."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Radiograph
from core.imaging.encode import encode_png
from core.imaging.window import auto_window, render_8bit

THUMBNAIL_SIDE_PX = 256


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

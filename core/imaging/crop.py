"""A piece of a radiograph as a small picture, to show what lies at a place."""

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.errors import BadInputError
from core.domain.radiograph import Radiograph
from core.imaging.encode import encode_png
from core.imaging.window import auto_window, render_8bit

Rectangle = tuple[int, int, int, int]
Picture = npt.NDArray[np.uint8]


def windowed(radiograph: Radiograph) -> Picture:
    """The whole radiograph under its automatic window, (H, W) uint8."""
    return render_8bit(radiograph.pixels, *auto_window(radiograph.pixels))


def crop_png(picture: Picture, rectangle: Rectangle, *, side_px: int) -> bytes:
    """A grey PNG of a rectangle, its longer side `side_px`.

    Args:
        picture: (H, W) uint8, see `windowed`.
        rectangle: x0, y0, x1, y1 in px; what lies outside of the image is left out.
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
    """A square about a box that shows what is around it, moved into an image of this width and height.

    It is at least 96 px and at most as large as the image allows.
    """
    x0, y0, x1, y1 = box
    side = max(96.0, 2.2 * max(x1 - x0, y1 - y0))
    width, height = min(side, size[0]), min(side, size[1])
    left = min(max(0.0, (x0 + x1 - width) / 2), size[0] - width)
    top = min(max(0.0, (y0 + y1 - height) / 2), size[1] - height)
    return round(left), round(top), round(left + width), round(top + height)

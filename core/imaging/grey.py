"""One grey plane from whatever planes a file holds."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.errors import UnreadableImageError

Array = npt.NDArray[Any]

_GREY_ALPHA, _RGB, _RGB_ALPHA = 2, 3, 4


def to_grey(planes: Array) -> tuple[Array, tuple[str, ...]]:
    """The grey picture and the notes on how it came about.

    Args:
        planes: (H, W) or (H, W, C) with C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha;
            uint8, uint16 or float32.

    Returns:
        (H, W) of the same dtype. Colour becomes luma (ITU-R BT.601); RGB with equal channels is
        taken as it is. Alpha is dropped.

    Raises:
        UnreadableImageError: for any other number of channels.
    """
    if planes.ndim == 2:
        return np.ascontiguousarray(planes), ()
    n_channels = planes.shape[2]
    if n_channels == 1:
        return np.ascontiguousarray(planes[..., 0]), ()
    notes: tuple[str, ...] = ()
    if n_channels in (_GREY_ALPHA, _RGB_ALPHA):
        notes = ("transparency dropped",)
        planes = planes[..., :-1]
    if planes.shape[2] == 1:
        return np.ascontiguousarray(planes[..., 0]), notes
    if planes.shape[2] != _RGB:
        raise UnreadableImageError(f"expected 1 to 4 channels, got {n_channels}")
    red, green, blue = planes[..., 0], planes[..., 1], planes[..., 2]
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red), ("colour file with equal channels, one taken", *notes)
    grey = cv2.cvtColor(np.ascontiguousarray(planes), cv2.COLOR_RGB2GRAY)
    return grey, ("colour converted to grey", *notes)

"""Samples of any type and number of channels as the grey pixels that a radiograph may have."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Pixels, Radiograph

Array = npt.NDArray[Any]

_FLOAT_BITS = 32
_EXACT_FLOAT = 2**24
_MIN_BITS, _MAX_BITS = 8, 16
_GREY_ALPHA, _RGB_ALPHA = 2, 4
#: Of red, green and blue (ITU-R BT.601).
_LUMA = (0.299, 0.587, 0.114)
_CONVERTED_BY_OPENCV = (np.uint8, np.uint16, np.float32)


def to_grey(planes: Array) -> tuple[Array, tuple[str, ...]]:
    """The grey picture and the notes on how it came about.

    Args:
        planes: (H, W) or (H, W, C) with C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha; of any real dtype.

    Returns:
        (H, W) of the same dtype; float64 where that is of 64 bit and the channels differ. Colour becomes luma
        (ITU-R BT.601); RGB with equal channels is taken as it is. Alpha is dropped.

    Raises:
        UnreadableImageError: for any other number of channels.
    """
    if planes.ndim == 2:
        planes = planes[..., None]
    n_channels = planes.shape[2]
    if not 1 <= n_channels <= _RGB_ALPHA:
        raise UnreadableImageError(f"expected 1 to 4 channels, got {n_channels}")
    notes: tuple[str, ...] = ()
    if n_channels in (_GREY_ALPHA, _RGB_ALPHA):
        notes = ("transparency dropped",)
        planes = planes[..., :-1]
    if planes.shape[2] == 1:
        return np.ascontiguousarray(planes[..., 0]), notes
    red, green, blue = planes[..., 0], planes[..., 1], planes[..., 2]
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red), ("colour file with equal channels, one taken", *notes)
    return _luma(planes), ("colour converted to grey", *notes)


def _luma(planes: Array) -> Array:
    """(H, W) from (H, W, 3) planes of red, green and blue; whole numbers are rounded."""
    if planes.dtype in _CONVERTED_BY_OPENCV:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(planes), cv2.COLOR_RGB2GRAY))
    grey = np.zeros(planes.shape[:2], np.float64)
    for channel, weight in enumerate(_LUMA):
        grey += weight * planes[..., channel]
    if planes.dtype.kind == "f":
        return grey.astype(planes.dtype)
    whole = np.rint(grey)
    return whole if planes.dtype.itemsize == whole.itemsize else whole.astype(planes.dtype)


def narrow(values: Array, bits: int) -> tuple[Pixels, int, tuple[str, ...]]:
    """Pixels as uint8, uint16 or float32, their significant bits, and notes on changes.

    Negative integers are shifted up by half the range of their type; integers of 32 or 64 bit
    become uint16 when they fit and float32 otherwise.

    Args:
        values: (H, W) of any real dtype, native byte order.
        bits: significant bits of the stored integers; ignored for floats.
    """
    if values.dtype.kind == "f":
        return _from_float(values)
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * np.uint8(255), _MIN_BITS, ()
    notes: tuple[str, ...] = ()
    is_small = values.dtype in (np.uint8, np.uint16)
    low, high = (0, 0) if is_small else (int(values.min()), int(values.max()))
    if low < 0 and bits <= _MAX_BITS:
        shift = 1 << (bits - 1)
        values = values.astype(np.int32) + np.int32(shift)
        low, high = low + shift, high + shift
        notes = (f"signed pixels shifted up by {shift}",)
    if bits <= _MAX_BITS and low >= 0 and high < 1 << _MAX_BITS:
        if bits <= _MIN_BITS:
            return values.astype(np.uint8, copy=False), _MIN_BITS, notes
        return values.astype(np.uint16, copy=False), bits, notes
    if low >= 0 and high < 1 << _MAX_BITS:
        return values.astype(np.uint16), _MAX_BITS, (f"{bits}-bit integers taken as 16 bit, all values fit",)
    is_exact = max(abs(low), abs(high)) <= _EXACT_FLOAT
    how = "exactly" if is_exact else "rounded to 24 significant bits"
    return values.astype(np.float32), _FLOAT_BITS, (f"{bits}-bit integers taken as float, {how}",)


def _from_float(values: Array) -> tuple[Pixels, int, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if values.dtype != np.float32:
        notes = (f"{values.dtype.itemsize * 8}-bit float taken as 32 bit",)
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = values.astype(np.float32)
    n_bad = int(pixels.size - np.count_nonzero(np.isfinite(pixels)))
    if n_bad:
        notes += (f"{n_bad} pixels are not finite numbers",)
    return pixels, _FLOAT_BITS, notes


def float_pixels(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """(H, W) float32 copy of all pixels for filters to run over; pixels without a value become 0."""
    pixels = radiograph.pixels.astype(np.float32)
    if radiograph.pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        np.nan_to_num(pixels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return pixels

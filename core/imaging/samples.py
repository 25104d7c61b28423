"""Samples of any integer or float type as the three types that a radiograph may have."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Pixels

_FLOAT_BITS = 32
_EXACT_FLOAT = 2**24
_MIN_BITS, _MAX_BITS = 8, 16


def narrow(values: npt.NDArray[Any], bits: int) -> tuple[Pixels, int, tuple[str, ...]]:
    """Pixels as uint8, uint16 or float32, their significant bits, and notes on what was changed.

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
        depth = max(bits, _MIN_BITS)
        narrowed: Pixels
        if depth == _MIN_BITS:
            narrowed = values.astype(np.uint8, copy=False)
        else:
            narrowed = values.astype(np.uint16, copy=False)
        return narrowed, depth, notes
    if low >= 0 and high < 1 << _MAX_BITS:
        return values.astype(np.uint16), _MAX_BITS, (f"{bits}-bit integers taken as 16 bit, all values fit",)
    is_exact = max(abs(low), abs(high)) <= _EXACT_FLOAT
    how = "exactly" if is_exact else "rounded to 24 significant bits"
    return values.astype(np.float32), _FLOAT_BITS, (f"{bits}-bit integers taken as float, {how}",)


def _from_float(values: npt.NDArray[Any]) -> tuple[Pixels, int, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if values.dtype != np.float32:
        notes = (f"{values.dtype.itemsize * 8}-bit float taken as 32 bit",)
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = values.astype(np.float32)
    n_bad = int(pixels.size - np.count_nonzero(np.isfinite(pixels)))
    if n_bad:
        notes += (f"{n_bad} pixels are not finite numbers",)
    return pixels, _FLOAT_BITS, notes

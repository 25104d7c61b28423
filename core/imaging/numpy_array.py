"""Arrays that NumPy saved (.npy): whole numbers and floats in two or three dimensions, no pickled objects."""

import math
from io import BytesIO
from tokenize import TokenError
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from core.domain.errors import UnreadableImageError
from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import Decoded
from core.imaging.limits import MAX_FRAMES, check_picture_size
from core.imaging.pixels import narrow, to_grey

_KINDS = "buif"
_COLOURS = (3, 4)
_MAX_HEADER_BYTES = 10_000
_MAX_ITEM_BYTES = 8


class _Header(NamedTuple):
    """Of a saved array: planes, height, width and channels, and where the numbers begin."""

    shape: tuple[int, ...]
    is_column_major: bool
    dtype: np.dtype[Any]
    start: int

    @property
    def layout(self) -> tuple[int, int, int, int]:
        """Planes, height, width and channels."""
        if len(self.shape) == 2:
            return 1, *self.shape, 1
        first, second, third = self.shape
        if third in _COLOURS and min(first, second) > max(_COLOURS):
            return 1, first, second, third
        return (1, first, second, 1) if third == 1 else (first, second, third, 1)


def count_planes(data: bytes) -> int:
    """Number of pictures in the array; 1 where it is damaged, since reading it says why.

    Raises:
        UnreadableImageError: more than a file may hold.
    """
    try:
        count = _header(data).layout[0]
    except UnreadableImageError:
        return 1
    if count > MAX_FRAMES:
        raise UnreadableImageError(f"expected a NumPy array of at most {MAX_FRAMES} planes, got {count}")
    return count


def read_npy(data: bytes, frame: int = 1) -> Decoded:
    """One plane of a saved array, counted from 1.

    (H, W) is one picture, (N, H, W) are N, (H, W, 1) is one, and (H, W, 3) and (H, W, 4) are RGB and RGBA
    where both sides are longer than 4.

    Raises:
        UnreadableImageError: cut off, damaged, too large, without such a plane, or of another type or shape.
    """
    header = _header(data)
    count, height, width, n_channels = header.layout
    if not 1 <= frame <= count:
        raise UnreadableImageError(f"expected a plane from 1 to {count}, got {frame}")
    n_bytes = header.dtype.itemsize * n_channels
    check_picture_size(width, height, bytes_per_px=n_bytes, n_file_bytes=len(data))
    with clear_errors("NumPy"):
        grey, grey_notes = to_grey(_plane(data, header, frame - 1))
        pixels, depth, notes = narrow(grey, 8 * header.dtype.itemsize)
        n_more = len(data) - header.start - n_bytes * count * height * width
        return Decoded(
            pixels=pixels,
            bit_depth=depth,
            notes=grey_notes + notes,
            n_frames=count,
            frame=frame,
            unread=(f"{n_more} bytes behind the array not read",) if n_more else (),
        )


def _header(data: bytes) -> _Header:
    with clear_errors("NumPy", TokenError):
        stream = BytesIO(data[: _MAX_HEADER_BYTES + 16])
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise damaged("NumPy", f"format version {version[0]}.{version[1]}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_column_major, dtype = read(stream, max_header_size=_MAX_HEADER_BYTES)
        if dtype.kind not in _KINDS or dtype.itemsize > _MAX_ITEM_BYTES or dtype.hasobject:
            raise UnreadableImageError(
                f"expected a NumPy array of whole numbers or floats of up to 64 bit, got {dtype.name[:40]}"
            )
        if not 2 <= len(shape) <= 3 or min(shape) < 1:
            raise UnreadableImageError(
                f"expected a NumPy array of shape (height, width) or (planes, height, width), got {shape}"
            )
        header = _Header(shape, is_column_major, dtype, stream.tell())
        n_expected = math.prod(shape) * dtype.itemsize
        if len(data) - header.start < n_expected:
            raise damaged("NumPy", f"{len(data) - header.start} of {n_expected} bytes of values are there")
        return header


def _plane(data: bytes, header: _Header, index: int) -> npt.NDArray[Any]:
    """(H, W, C) of one plane, in native byte order."""
    flat = np.frombuffer(data, header.dtype, math.prod(header.shape), header.start)
    every = flat.reshape(header.shape, order="F" if header.is_column_major else "C")
    plane = every.reshape(header.layout, order="A" if header.is_column_major else "C")[index]
    return np.ascontiguousarray(plane).astype(header.dtype.newbyteorder("="), copy=False)

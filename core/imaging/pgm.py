"""Portable graymaps: plain (P2) and raw (P5), 8 and 16 bit, as Netpbm's pgm(5) describes them."""

import re

import numpy as np

from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import Decoded
from core.imaging.limits import check_picture_size
from core.imaging.pixels import narrow

_PLAIN = b"P2"
#: White space and comments, which run to the end of their line, then a number.
_NUMBER = re.compile(rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+(\d{1,6})")
_COMMENT = re.compile(rb"#[^\r\n]*")
_MAX_VALUE, _BYTE_MAX = 65535, 255


def read_pgm(data: bytes) -> Decoded:
    """The first graymap in the file. Values of more than 8 bit are big-endian when raw.

    Raises:
        UnreadableImageError: cut off, damaged, too large, or with values above its own maximum.
    """
    with clear_errors("PGM"):
        width, height, top, start = _header(data)
        check_picture_size(width, height, bytes_per_px=1 if top <= _BYTE_MAX else 2, n_file_bytes=len(data))
        is_plain = data.startswith(_PLAIN)
        values, end = (_plain if is_plain else _raw)(data, start, width * height, top)
        if int(values.max()) > top:
            raise damaged("PGM", f"a value of {int(values.max())}, above its maximum {top}")
        pixels, depth, notes = narrow(values.reshape(height, width), top.bit_length())
        more = data[end:].strip()
        unread = (f"{len(more)} bytes behind the picture not read",) if more else ()
        return Decoded(pixels=pixels, bit_depth=depth, notes=notes, unread=unread)


def _header(data: bytes) -> tuple[int, int, int, int]:
    """Width, height, the highest value there may be, and where the byte behind the header lies."""
    numbers, position = [], 2
    for what in ("width", "height", "highest value"):
        found = _NUMBER.match(data, position)
        if found is None:
            raise damaged("PGM", f"its {what} is missing")
        numbers.append(int(found[1]))
        position = found.end()
    width, height, top = numbers
    if not 1 <= top <= _MAX_VALUE:
        raise damaged("PGM", f"a highest value of {top}, it has to be 1 to {_MAX_VALUE}")
    return width, height, top, position


def _raw(data: bytes, start: int, n_px: int, top: int) -> tuple[np.ndarray, int]:
    """The values, and where they end; one byte of white space comes before them."""
    dtype = np.dtype(np.uint8 if top <= _BYTE_MAX else ">u2")
    begin, end = start + 1, start + 1 + n_px * dtype.itemsize
    if end > len(data):
        raise damaged("PGM", f"{max(0, len(data) - begin)} of {end - begin} bytes of pixels are there")
    return np.frombuffer(data, dtype, n_px, begin).astype(dtype.newbyteorder("=")), end


def _plain(data: bytes, start: int, n_px: int, top: int) -> tuple[np.ndarray, int]:
    """The values, written as decimal numbers, and where the file ends."""
    words = _COMMENT.sub(b"", data[start:]).split()
    if len(words) < n_px:
        raise damaged("PGM", f"{len(words)} of {n_px} values are there")
    if len(words) > n_px:
        raise damaged("PGM", f"{len(words)} values, the picture has {n_px} px")
    if not all(word.isdigit() and len(word) <= 5 for word in words):
        raise damaged("PGM", "a value that is no whole number up to 65535")
    values = np.array(words, dtype="S5").astype(np.int64)
    if int(values.max()) > top:
        raise damaged("PGM", f"a value of {int(values.max())}, above its maximum {top}")
    return values.astype(np.uint16), len(data)

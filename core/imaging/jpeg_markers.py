"""What the markers of a JPEG say before anything is decoded (ITU-T T.81, B.1 and B.2)."""

import re
import struct
from dataclasses import dataclass

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_STANDALONE = frozenset((0x01, _SOI, *range(0xD0, 0xD8)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_FILL = 0xFF
#: In entropy-coded data, whatever is neither a stuffed zero, a restart marker nor a fill byte.
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True)
class JpegOutline:
    """Where a JPEG ends and what decoding it takes.

    Attributes:
        end: offset behind the end-of-image marker, bytes.
        n_scans: passes over the picture.
        n_components: of the first frame header, 0 without one.
        is_progressive: coefficients of the whole picture are kept while it is decoded.
    """

    end: int
    n_scans: int
    n_components: int
    is_progressive: bool


def outline_jpeg(data: bytes) -> JpegOutline | None:
    """The outline, None when the markers cannot be followed up to an end-of-image marker."""
    position, n_scans, n_components, is_progressive = 2, 0, 0, False
    while position + 2 <= len(data):
        if data[position] != _FILL:
            return None
        marker = data[position + 1]
        if marker == _FILL:
            position += 1
        elif marker == _EOI:
            return JpegOutline(position + 2, n_scans, n_components, is_progressive)
        elif marker in _STANDALONE:
            position += 2
        else:
            if position + 4 > len(data):
                return None
            (length,) = struct.unpack_from(">H", data, position + 2)
            if marker in _FRAMES and not n_components and position + 9 < len(data):
                n_components, is_progressive = data[position + 9], marker in _PROGRESSIVE
            position += 2 + max(2, int(length))
            if marker == _SOS:
                n_scans += 1
                found = _MARKER_IN_SCAN.search(data, position)
                if found is None:
                    return None
                position = found.start()
    return None

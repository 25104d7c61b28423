"""What a JPEG, JPEG-LS or JPEG 2000 codestream says of itself, before it is decoded."""

import re
import struct
from typing import NamedTuple

from core.imaging.damage import damaged
from core.imaging.limits import MAX_JPEG2000_TILES

_JPEG_2000_START = b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"
#: Start-of-frame markers of JPEG and JPEG-LS (ITU-T T.81 B.1.1.3, T.87).
_START_OF_FRAME = frozenset(
    (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)
)
_FILL, _EOI, _SOS, _JPEG_LS = 0xFF, 0xD9, 0xDA, 0xF7
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_COEFFICIENT_BYTES = 2
#: In entropy-coded data, whatever is neither a stuffed zero, a restart marker nor a fill byte.
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: JPEG-LS stuffs a bit, so that anything below 0x80 is data (ITU-T T.87, A.1).
_MARKER_IN_LS_SCAN = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_SIZ_BYTES = 43


class Codestream(NamedTuple):
    """Size in px, components, and bits of a sample."""

    width: int
    height: int
    n_components: int
    precision: int


class JpegWalk(NamedTuple):
    """What the segments of a JPEG cost.

    Attributes:
        n_scans: each is a pass over the whole picture.
        n_kept: bytes a pixel that a decoder keeps of all scans: the coefficients of a progressive picture.
        end: where the picture ends in the data.
    """

    n_scans: int
    n_kept: int
    end: int


def codestream_of(data: bytes) -> Codestream | None:
    """The codestream's own words, from its frame header or SIZ segment; None where it has neither.

    Raises:
        UnreadableImageError: a JPEG 2000 picture of too many tiles.
    """
    start = data.find(_JPEG_2000_START, 0, 256)
    if start >= 0:
        return _jpeg2000(data, start)
    position = 2
    while position + 10 <= len(data) and data[position] == _FILL:
        marker = data[position + 1]
        if marker == _FILL:
            position += 1
            continue
        if marker in _START_OF_FRAME:
            precision, height, width, n_components = struct.unpack_from(">BHHB", data, position + 4)
            return Codestream(width, height, n_components, precision)
        position += 2 + int(struct.unpack_from(">H", data, position + 2)[0])
    return None


def is_whole(data: bytes) -> bool:
    """True when the codestream reaches its end-of-image or end-of-codestream marker, whatever follows."""
    start = data.find(_JPEG_2000_START, 0, 256)
    if start >= 0:  # packets of JPEG 2000 never hold the marker (ITU-T T.800, B.10.1)
        return _END in data[start:]
    return walk_jpeg(data).n_scans > 0


def walk_jpeg(data: bytes) -> JpegWalk:
    """The segments up to the end of the image; no scan where the end does not come."""
    position, n_scans, n_kept, in_scan = 2, 0, None, _MARKER_IN_SCAN
    while position + 2 <= len(data) and data[position] == _FILL:
        marker = data[position + 1]
        if marker == _EOI:
            return JpegWalk(n_scans, n_kept or 0, position + 2)
        if marker == _FILL or marker in _STANDALONE:
            position += 1 if marker == _FILL else 2
            continue
        if position + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _START_OF_FRAME and n_kept is None and position + 9 < len(data):
            n_kept = _COEFFICIENT_BYTES * data[position + 9] if marker in _PROGRESSIVE else 0
            in_scan = _MARKER_IN_LS_SCAN if marker == _JPEG_LS else _MARKER_IN_SCAN
        position += 2 + max(2, int(length))
        if marker == _SOS:
            n_scans += 1
            found = in_scan.search(data, position)
            if found is None:
                break
            position = found.start()
    return JpegWalk(0, 0, len(data))


def _jpeg2000(data: bytes, start: int) -> Codestream | None:
    """From the SIZ marker segment (ITU-T T.800, A.5.1), which comes first."""
    if len(data) < start + _SIZ_BYTES:
        return None
    x1, y1, x0, y0, tile_width, tile_height, tile_x, tile_y, n_components = struct.unpack_from(
        ">8IH", data, start + 8
    )
    if not tile_width or not tile_height:
        return None
    n_tiles = -(-(x1 - tile_x) // tile_width) * -(-(y1 - tile_y) // tile_height)
    if n_tiles > MAX_JPEG2000_TILES:
        raise damaged("JPEG 2000", f"it has {n_tiles} tiles")
    return Codestream(x1 - x0, y1 - y0, n_components, (data[start + 42] & 0x7F) + 1)

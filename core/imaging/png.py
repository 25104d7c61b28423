"""PNG: first a walk over the chunks (every CRC, every row, IEND), then pixels; 16 bit is kept.

Decoders fill rows that are missing with zeros, which on a radiograph would pass for material.

Section numbers are those of the PNG specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import cv2
import numpy as np
from PIL import PngImagePlugin

from core.imaging.decoded import Decoded
from core.imaging.grey import to_grey
from core.imaging.limits import check_picture_size
from core.imaging.quiet import damaged, one_line, quiet_codec
from core.imaging.raster import decode_picture, picture_pitch

_SIGNATURE_BYTES = 8
_CHUNK_OVERHEAD = 12
_GREY, _PALETTE = 0, 3
_CHANNELS = {_GREY: 1, 2: 3, _PALETTE: 1, 4: 2, 6: 4}
_DEPTHS = {_GREY: (1, 2, 4, 8, 16), 2: (8, 16), _PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_HEADER_BYTES = 13
_INFLATE_STEP = 2**20
#: First column and row of each interlace pass, and the steps between them.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_DEEP = 16


def read_png(data: bytes) -> Decoded:
    """The picture of a PNG; 8 or 16 bit. 1, 2 and 4 bit and palettes become 8 bit, with a note.

    Raises:
        UnreadableImageError: truncated (no IEND), a chunk that fails its CRC, too large, or damaged.
    """
    depth, colour_type, is_animated = _check_chunks(data)
    with quiet_codec("PNG", cv2.error), PngImagePlugin.PngImageFile(BytesIO(data)) as image:
        if depth == _DEEP and colour_type != _GREY:
            decoded = _deep_colour(data, image, colour_type)
        else:
            decoded = decode_picture(image, len(data))
    notes = decoded.notes
    if is_animated:
        notes += ("animated PNG, first frame read",)
    if colour_type == _GREY and depth < 8:
        notes += (f"{depth}-bit PNG expanded to 8 bit",)
    return Decoded(pixels=decoded.pixels, bit_depth=decoded.bit_depth, pitch=decoded.pitch, notes=notes)


def _deep_colour(data: bytes, image: PngImagePlugin.PngImageFile, colour_type: int) -> Decoded:
    """16-bit colour: Pillow would cut it to 8 bit, so OpenCV decodes."""
    check_picture_size(*image.size, bytes_per_px=2 * _CHANNELS[colour_type] + 4, n_file_bytes=len(data))
    pitch = picture_pitch(image)
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if planes is None or planes.dtype != np.uint16:
        raise damaged("PNG", "16-bit colour could not be decoded")
    if planes.ndim == 3:
        order = [2, 1, 0, 3][: planes.shape[2]] if planes.shape[2] > 2 else [0, 1]
        planes = planes[..., order]
    grey, notes = to_grey(planes)
    return Decoded(pixels=grey, bit_depth=_DEEP, pitch=pitch, notes=notes)


def _check_chunks(data: bytes) -> tuple[int, int, bool]:
    """Bit depth, colour type and whether it is animated, once every chunk and row proved present."""
    header: tuple[int, ...] = ()
    is_animated, n_missing, unpacker, kind = False, 0, zlib.decompressobj(), b""
    for kind, body in _chunks(data):
        if kind == b"IHDR" and not header:
            header = _header(body, len(data))
            n_missing = _n_filtered_bytes(header)
        elif kind == b"IHDR":
            raise damaged("PNG", "it has two IHDR chunks")
        elif not header:
            raise damaged("PNG", "it does not begin with an IHDR chunk")
        elif kind == b"IDAT":
            n_missing -= _n_inflated(unpacker, body, n_missing)
        is_animated |= kind == b"acTL"
    if kind != b"IEND":
        raise damaged("PNG", "the closing IEND chunk is missing")
    if n_missing > 0:
        raise damaged("PNG", f"{n_missing} bytes of pixels are missing")
    return header[2], header[3], is_animated


def _header(body: memoryview, n_file_bytes: int) -> tuple[int, ...]:
    """Width, height, depth, colour type, compression, filter, interlace (section 11.2.1), checked."""
    if len(body) != _HEADER_BYTES:
        raise damaged("PNG", f"an IHDR chunk of {len(body)} bytes")
    header: tuple[int, ...] = struct.unpack(">IIBBBBB", body)
    width, height, depth, colour_type = header[:4]
    if depth not in _DEPTHS.get(colour_type, ()):
        raise damaged("PNG", f"no such PNG: {depth} bit, colour type {colour_type}")
    if header[4:6] != (0, 0) or header[6] > 1:
        raise damaged(
            "PNG", f"no such PNG: compression {header[4]}, filter {header[5]}, interlace {header[6]}"
        )
    n_bytes = _CHANNELS[colour_type] * max(1, depth // 8)
    check_picture_size(width, height, bytes_per_px=n_bytes, n_file_bytes=n_file_bytes)
    return header


def _n_filtered_bytes(header: tuple[int, ...]) -> int:
    """Bytes that the rows take before compression: one filter byte each (section 7.3, passes: 8.1)."""
    width, height, depth, colour_type, is_interlaced = *header[:4], header[6]
    passes = _ADAM7 if is_interlaced else ((0, 0, 1, 1),)
    n_bytes = 0
    for x, y, dx, dy in passes:
        columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
        if columns > 0 and rows > 0:
            n_bytes += rows * (1 + (columns * _CHANNELS[colour_type] * depth + 7) // 8)
    return n_bytes


def _n_inflated(unpacker: "zlib._Decompress", body: memoryview, n_most: int) -> int:
    """How many bytes a chunk's data unpack to, stopping at `n_most`; the bytes are not kept."""
    n_bytes, pending = 0, bytes(body)
    try:
        while pending and n_bytes < n_most:
            n_bytes += len(unpacker.decompress(pending, _INFLATE_STEP))
            pending = unpacker.unconsumed_tail
    except zlib.error as error:
        raise damaged("PNG", one_line(error)) from error
    return min(n_bytes, n_most)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Type and body of each chunk up to IEND, CRC checked (section 5.3)."""
    view, position = memoryview(data), _SIGNATURE_BYTES
    while position + _CHUNK_OVERHEAD <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, end = data[position + 4 : position + 8], position + 8 + length
        if end + 4 > len(data):
            raise damaged("PNG", f"the file ends inside a {kind.decode('latin-1')!r} chunk")
        (crc,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != crc:
            raise damaged("PNG", f"a {kind.decode('latin-1')!r} chunk fails its checksum")
        yield kind, view[position + 8 : end]
        if kind == b"IEND":
            return
        position = end + 4

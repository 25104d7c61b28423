"""PNG: chunk walk first (every CRC, IEND), then pixels; 16 bit is kept.

Section numbers are those of the PNG specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import cv2
import numpy as np
from PIL import PngImagePlugin

from core.domain.errors import UnreadableImageError
from core.imaging.decoded import Decoded
from core.imaging.grey import to_grey
from core.imaging.limits import check_picture_size
from core.imaging.quiet import damaged, quiet_codec
from core.imaging.raster import decode_picture, picture_pitch

_SIGNATURE_BYTES = 8
_CHUNK_OVERHEAD = 12
_GREY, _PALETTE = 0, 3
_CHANNELS = {_GREY: 1, 2: 3, _PALETTE: 1, 4: 2, 6: 4}
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
    """16-bit colour: Pillow would cut it to 8 bit, so it only proves the stream whole; OpenCV decodes."""
    check_picture_size(*image.size, bytes_per_px=2 * _CHANNELS[colour_type] + 4, n_file_bytes=len(data))
    pitch = picture_pitch(image)
    image.load()
    planes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if planes is None or planes.dtype != np.uint16:
        raise damaged("PNG", "16-bit colour could not be decoded")
    if planes.ndim == 3:
        order = [2, 1, 0, 3][: planes.shape[2]] if planes.shape[2] > 2 else [0, 1]
        planes = planes[..., order]
    grey, notes = to_grey(planes)
    return Decoded(pixels=grey, bit_depth=_DEEP, pitch=pitch, notes=notes)


def _check_chunks(data: bytes) -> tuple[int, int, bool]:
    """Bit depth, colour type and whether it is animated, once every chunk proved whole."""
    depth, colour_type, is_animated, has_pixels, kind = 0, -1, False, False, b""
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            if len(body) != 13:
                raise damaged("PNG", "bad IHDR")
            width, height, depth, colour_type = struct.unpack(">IIBB", body[:10])
            if colour_type not in _CHANNELS:
                raise damaged("PNG", f"no such colour type: {colour_type}")
            n_bytes = _CHANNELS[colour_type] * max(1, depth // 8)
            check_picture_size(width, height, bytes_per_px=n_bytes, n_file_bytes=len(data))
        is_animated |= kind == b"acTL"
        has_pixels |= kind == b"IDAT"
    if kind != b"IEND":
        raise damaged("PNG", "the closing IEND chunk is missing")
    if colour_type < 0 or not has_pixels:
        raise UnreadableImageError("expected a PNG with pixels, got one without IHDR or IDAT")
    return depth, colour_type, is_animated


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

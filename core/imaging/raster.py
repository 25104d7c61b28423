"""PNG, JPEG and BMP: size and structure are checked first, then strict decoders run.

PNG is decoded by imagecodecs, at 8 or 16 bit a channel, JPEG and BMP by Pillow. Pillow's plugin classes are
used directly: `Image.open` would try every format it knows and applies its own, process-wide, bomb limit.
"""

import re
import struct
import zlib
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image, JpegImagePlugin
from PIL.ImageFile import ImageFile

from core.domain.errors import UnreadableImageError
from core.imaging.damage import CODEC_ERRORS, clear_errors, damaged
from core.imaging.decoded import MM_PER_INCH, Decoded, pitch_from_dpi
from core.imaging.limits import MAX_JPEG_SCANS, check_picture_size
from core.imaging.pixels import to_grey

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1

# --- PNG; section numbers are those of the PNG specification, third edition -----------------------

_SIGNATURE_BYTES, _CHUNK_OVERHEAD = 8, 12
_GREY, _PALETTE = 0, 3
_CHANNELS = {_GREY: 1, 2: 3, _PALETTE: 1, 4: 2, 6: 4}
_METRE = 1

# --- JPEG; ITU-T T.81, B.1 and B.2 ----------------------------------------------------------------

_SOI, _EOI, _SOS, _FILL = 0xD8, 0xD9, 0xDA, 0xFF
_STANDALONE = frozenset((0x01, _SOI, *range(0xD0, 0xD8)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
#: In entropy-coded data, whatever is neither a stuffed zero, a restart marker nor a fill byte.
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_COEFFICIENT_BYTES = 2
_BYTES_PER_PX = {"1": 1, "L": 1, "P": 1, "RGB": 4, "RGBA": 4, "CMYK": 4}


def read_png(data: bytes) -> Decoded:
    """The picture of a PNG; 8 or 16 bit. 1, 2 and 4 bit and palettes become 8 bit, with a note.

    Raises:
        UnreadableImageError: truncated (no IEND), a chunk that fails its CRC, too large, or damaged.
    """
    chunks = _png_chunks(data)
    with clear_errors("PNG"):
        width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks[b"IHDR"])
        n_channels = _CHANNELS.get(colour_type, 4)
        n_bytes = n_channels * max(1, depth // 8)
        check_picture_size(width, height, bytes_per_px=n_bytes, n_file_bytes=len(data))
    try:
        planes = imagecodecs.png_decode(data)
    except CODEC_ERRORS as error:  # its reason may be garbage: libpng gives it a buffer that is gone
        raise damaged("PNG", "its pixels are incomplete or cannot be decoded") from error
    if planes.ndim == 3 and colour_type != _PALETTE:
        planes = planes[..., :n_channels]  # a single transparent colour (tRNS) was made a channel
    grey, notes = to_grey(planes)
    notes += _orientation_notes(_exif(bytes(chunks.get(b"eXIf", b""))))
    if b"acTL" in chunks:
        notes += ("animated PNG, first frame read",)
    if colour_type == _GREY and depth < 8:
        notes += (f"{depth}-bit PNG expanded to 8 bit",)
    pitch = pitch_from_dpi(*_png_dpi(chunks.get(b"pHYs", b"")))
    return Decoded(pixels=grey, bit_depth=8 * grey.dtype.itemsize, pitch=pitch, notes=notes)


def read_jpeg(data: bytes) -> Decoded:
    """The picture of a baseline or progressive JPEG; 8 bit. Bytes behind its end are not looked at.

    Raises:
        UnreadableImageError: truncated (also when only the end-of-image marker is missing),
            damaged, too large, or of a kind that cannot be read (12 bit, lossless).
    """
    n_scans, n_kept = _jpeg_cost(data)
    if not n_scans:
        raise damaged("JPEG", "the end-of-image marker is missing")
    if n_scans > MAX_JPEG_SCANS:
        raise UnreadableImageError(f"expected a JPEG of at most {MAX_JPEG_SCANS} scans, got {n_scans}")
    with clear_errors("JPEG"), JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        return _decode(image, len(data), working_bytes_per_px=n_kept)


def read_bmp(data: bytes) -> Decoded:
    """The picture of a Windows bitmap; 8 bit.

    Raises:
        UnreadableImageError: truncated, damaged or too large.
    """
    with clear_errors("BMP"), BmpImagePlugin.BmpImageFile(BytesIO(data)) as image:
        return _decode(image, len(data))


def _png_chunks(data: bytes) -> dict[bytes, memoryview]:
    """The first chunk of each type, once every checksum up to the closing IEND was right (section 5.3)."""
    chunks: dict[bytes, memoryview] = {}
    view, position = memoryview(data), _SIGNATURE_BYTES
    while position + _CHUNK_OVERHEAD <= len(data) and b"IEND" not in chunks:
        (length,) = struct.unpack_from(">I", data, position)
        kind, end = data[position + 4 : position + 8], position + 8 + length
        if end + 4 > len(data):
            raise damaged("PNG", f"the file ends inside a {kind.decode('latin-1')!r} chunk")
        (crc,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != crc:
            raise damaged("PNG", f"a {kind.decode('latin-1')!r} chunk fails its checksum")
        if not chunks and kind != b"IHDR":
            raise damaged("PNG", "it does not begin with an IHDR chunk")
        chunks.setdefault(kind, view[position + 8 : end])
        position = end + 4
    if b"IEND" not in chunks:
        raise damaged("PNG", "the closing IEND chunk is missing")
    return chunks


def _png_dpi(phys: bytes | memoryview) -> tuple[float, float]:
    """Pixels per inch along a row and a column (section 11.3.4.3); nan when it is not a length."""
    if len(phys) != 9 or phys[8] != _METRE:
        return float("nan"), float("nan")
    x, y = struct.unpack_from(">II", phys)
    return x * MM_PER_INCH / 1000, y * MM_PER_INCH / 1000


def _jpeg_cost(data: bytes) -> tuple[int, int]:
    """Number of scans, and bytes a pixel that the decoder keeps of all of them; (0, 0) without an end.

    The coefficients of a progressive picture stay in memory while it is decoded.
    """
    position, n_scans, n_kept = 2, 0, None
    while position + 2 <= len(data) and data[position] == _FILL:
        marker = data[position + 1]
        if marker == _EOI:
            return n_scans, n_kept or 0
        if marker == _FILL or marker in _STANDALONE:
            position += 1 if marker == _FILL else 2
            continue
        if position + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _FRAMES and n_kept is None and position + 9 < len(data):
            n_kept = _COEFFICIENT_BYTES * data[position + 9] if marker in _PROGRESSIVE else 0
        position += 2 + max(2, int(length))
        if marker == _SOS:
            n_scans += 1
            found = _MARKER_IN_SCAN.search(data, position)
            if found is None:
                break
            position = found.start()
    return 0, 0


def _decode(image: ImageFile, n_file_bytes: int, *, working_bytes_per_px: int = 0) -> Decoded:
    """The picture that Pillow opened, and that is not yet decoded, as grey.

    Args:
        image: opened by the format's own plugin.
        n_file_bytes: size of the file it comes from.
        working_bytes_per_px: kept by the decoder besides the pixels.
    """
    width, height = image.size
    bytes_per_px = _BYTES_PER_PX.get(image.mode, 4) + working_bytes_per_px
    check_picture_size(width, height, bytes_per_px=bytes_per_px, n_file_bytes=n_file_bytes)
    notes = _orientation_notes(image.getexif())
    dpi = image.info.get("dpi")
    pitch = pitch_from_dpi(float(dpi[0]), float(dpi[1])) if isinstance(dpi, tuple) and len(dpi) == 2 else None
    image.load()
    grey, grey_notes = to_grey(_planes(image))
    return Decoded(pixels=grey, bit_depth=8, pitch=pitch, notes=grey_notes + notes)


def _planes(image: ImageFile) -> npt.NDArray[np.uint8]:
    """(H, W) or (H, W, C) uint8 from a loaded picture of any mode."""
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(255)
    if image.mode in ("L", "RGB", "RGBA"):
        return np.array(image)
    return np.array(image.convert("RGB"))


def _exif(body: bytes) -> Image.Exif:
    exif = Image.Exif()
    if body:
        with clear_errors("PNG"):
            exif.load(body)
    return exif


def _orientation_notes(exif: Image.Exif) -> tuple[str, ...]:
    orientation: Any = exif.get(_EXIF_ORIENTATION, _UPRIGHT)
    if orientation in (0, _UPRIGHT):
        return ()
    return (f"EXIF orientation {orientation} not applied, pixels kept as stored",)

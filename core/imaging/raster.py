"""PNG, JPEG and BMP: size and structure are checked first, then strict decoders run.

PNG is decoded by imagecodecs, at 8 or 16 bit a channel, JPEG and BMP by Pillow. Pillow's plugin classes are
used directly: `Image.open` would try every format it knows and applies its own, process-wide, bomb limit.
"""

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
from core.imaging.codestream import Codestream, codestream_of, walk_jpeg
from core.imaging.damage import CODEC_ERRORS, clear_errors, damaged
from core.imaging.decoded import MM_PER_INCH, Decoded, pitch_from_dpi
from core.imaging.limits import MAX_JPEG_SCANS, check_picture_size
from core.imaging.pixels import narrow, to_grey

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1

# --- PNG; section numbers are those of the PNG specification, third edition -----------------------

_SIGNATURE_BYTES, _CHUNK_OVERHEAD = 8, 12
_GREY, _PALETTE = 0, 3
_CHANNELS = {_GREY: 1, 2: 3, _PALETTE: 1, 4: 2, 6: 4}
_METRE = 1

_BYTE_BITS, _DEEP_BYTES = 8, 2
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
    if colour_type == _GREY and depth < 8:
        notes += (f"{depth}-bit PNG expanded to 8 bit",)
    pitch = pitch_from_dpi(*_png_dpi(chunks.get(b"pHYs", b"")))
    unread = ("animated PNG, first frame read",) if b"acTL" in chunks else ()
    return Decoded(pixels=grey, bit_depth=8 * grey.dtype.itemsize, pitch=pitch, notes=notes, unread=unread)


def read_jpeg(data: bytes) -> Decoded:
    """The picture of a JPEG: 8 bit baseline or progressive, 12 bit, or lossless up to 16 bit.

    Bytes behind its end are not looked at.

    Raises:
        UnreadableImageError: truncated (also when only the end-of-image marker is missing),
            damaged, too large, or of a kind that cannot be read.
    """
    walk = walk_jpeg(data)
    if not walk.n_scans:
        raise damaged("JPEG", "the end-of-image marker is missing")
    if walk.n_scans > MAX_JPEG_SCANS:
        raise UnreadableImageError(f"expected a JPEG of at most {MAX_JPEG_SCANS} scans, got {walk.n_scans}")
    with clear_errors("JPEG"):
        stream = codestream_of(data)
    if stream is not None and stream.precision > _BYTE_BITS:
        return _deep_jpeg(data[: walk.end], stream, walk.n_kept)
    with clear_errors("JPEG"), JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        return _decode(image, len(data), working_bytes_per_px=walk.n_kept)


def _deep_jpeg(data: bytes, stream: Codestream, n_kept: int) -> Decoded:
    """A JPEG of more than 8 bit, which Pillow does not know; no scale is read from it."""
    check_picture_size(
        stream.width,
        stream.height,
        bytes_per_px=_DEEP_BYTES * stream.n_components + n_kept,
        n_file_bytes=len(data),
    )
    with clear_errors("JPEG"):
        grey, notes = to_grey(imagecodecs.jpeg8_decode(data))
        pixels, depth, more = narrow(grey, stream.precision)
        return Decoded(pixels=pixels, bit_depth=depth, notes=notes + more)


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

"""Strips and tiles of TIFF unpacked: streams of bytes, and codecs that hold a whole picture each."""

import lzma
import struct
import zlib
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import JpegImagePlugin

from core.imaging.codestream import codestream_of, is_whole
from core.imaging.damage import not_supported

Array = npt.NDArray[Any]

_NONE, _LZW, _JPEG, _ALT_JPEG, _PACKBITS = 1, 5, 7, 33007, 32773
_DEFLATE = frozenset((8, 32946, 50013))
_LZMA, _ZSTD, _LERC = 34925, frozenset((34926, 50000)), 34887
_JPEG_2000 = frozenset((33003, 33004, 33005, 34712))
JPEG_COMPRESSIONS = frozenset((_JPEG, _ALT_JPEG))
#: Compressions whose strips and tiles are streams of bytes.
STREAMS = frozenset((_NONE, _LZW, _PACKBITS, _LZMA)) | _DEFLATE | _ZSTD
#: Compressions whose strips and tiles are pictures that say their own size.
WHOLE_PICTURES = JPEG_COMPRESSIONS | _JPEG_2000 | {_LERC}
#: A run of PackBits may reach beyond the last byte that is needed; Deflate ends with a checksum.
_LONGEST_RUN, _CHECKSUM_SLACK = 128, 64
#: Memory that unpacking LZMA may take, bytes; its highest preset needs 65 MiB.
_LZMA_MEMORY = 256 * 2**20
_RGB, _YCBCR = 2, 6
_BYTE_BITS = 8
_LERC_PARAMETERS, _LERC_SLACK = 50674, 2**16
_LERC_DEFLATED, _LERC_ZSTD = 1, 2
_LERC_MAGIC, _LERC_WITH_CHECKSUM = b"Lerc2 ", 3


def unpacked(packed: bytes, compression: int, n_expected: int, n_whole: int) -> bytes | bytearray:
    """Exactly `n_expected` bytes; never unpacks much more than `n_whole`, to which a strip may be padded.

    Raises:
        ValueError: damaged, or less comes out.
    """
    raw: bytes | bytearray = packed
    try:
        if compression == _LZW:
            raw = imagecodecs.lzw_decode(packed, out=n_expected)
        elif compression == _PACKBITS:
            raw = imagecodecs.packbits_decode(packed, out=n_whole + _LONGEST_RUN)
        elif compression in _ZSTD:
            raw = imagecodecs.zstd_decode(packed, out=n_whole)
        elif compression == _LZMA:
            raw = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY).decompress(packed, n_expected)
        elif compression in _DEFLATE:
            raw = zlib.decompressobj().decompress(packed, n_expected + _CHECKSUM_SLACK)
    except (RuntimeError, lzma.LZMAError) as error:
        raise ValueError("the compressed data of a strip or tile are damaged") from error
    if len(raw) < n_expected:
        raise ValueError(f"a strip or tile holds {len(raw)} of {n_expected} bytes")
    return raw[:n_expected]


def segment_picture(packed: bytes, page: tifffile.TiffPage, shape: tuple[int, int, int], rows: int) -> Array:
    """(rows, width, samples) of a strip or tile that is a JPEG, JPEG 2000 or LERC picture.

    Args:
        packed: the strip or tile.
        page: its tags.
        shape: height of a whole strip or tile, width, samples.
        rows: that count; the last strip may hold no more.

    Raises:
        ValueError: damaged, cut off, or of another size than the page says.
    """
    compression = int(page.compression)
    if compression == _LERC:
        return _lerc(packed, page, shape, rows)
    if compression in JPEG_COMPRESSIONS and page.jpegtables:
        packed = page.jpegtables[:-2] + packed[2:]  # TIFF Technical Note 2
    stream = codestream_of(packed)
    if stream is None or not is_whole(packed):
        raise ValueError("a compressed strip or tile is cut off or damaged")
    _check_size((stream.height, stream.width, stream.n_components), shape, rows)
    if compression in _JPEG_2000:
        if int(page.photometric) == _YCBCR:
            raise not_supported("a TIFF of grey or RGB JPEG 2000", "JPEG 2000 of YCbCr")
        return imagecodecs.jpeg2k_decode(packed).reshape(-1, *shape[1:])[:rows]
    is_deep = stream.precision > _BYTE_BITS
    picture = _deep_jpeg(packed, page) if is_deep else _jpeg(packed, page)
    return picture.reshape(-1, *shape[1:])[:rows]


def _check_size(found: tuple[int, int, int], shape: tuple[int, int, int], rows: int) -> None:
    if found[0] not in (rows, shape[0]) or found[1:] != shape[1:]:
        raise ValueError(
            f"a strip or tile of {found[1]} x {found[0]} px, samples {found[2]}; "
            f"expected {shape[1]} x {rows} px, samples {shape[2]}"
        )


def _jpeg(packed: bytes, page: tifffile.TiffPage) -> Array:
    """8 bit, by Pillow, which refuses data that are cut off.

    The photometric interpretation decides what the colours are, as in libtiff. Left to itself the decoder
    goes by markers and component numbers, and takes the RGB that libtiff writes for YCbCr.
    """
    with JpegImagePlugin.JpegImageFile(BytesIO(packed)) as image:
        stored = {_RGB: "RGB", _YCBCR: "YCbCr"}.get(int(page.photometric), "")
        if image.mode == "RGB" and stored:
            image.tile = [tile._replace(args=("RGB", stored)) for tile in image.tile]
        return np.array(image)


def _deep_jpeg(packed: bytes, page: tifffile.TiffPage) -> Array:
    """12 bit, and lossless up to 16."""
    stored = {_RGB: "RGB", _YCBCR: "YCBCR"}.get(int(page.photometric))
    return imagecodecs.jpeg8_decode(packed, colorspace=stored, outcolorspace=stored and "RGB")


def _lerc(packed: bytes, page: tifffile.TiffPage, shape: tuple[int, int, int], rows: int) -> Array:
    """Limited Error Raster Compression, version 2, that may be packed once more (LercParameters)."""
    parameters = page.tags.valueof(_LERC_PARAMETERS, (0, 0))
    outer = int(parameters[1]) if isinstance(parameters, tuple) and len(parameters) > 1 else 0
    n_most = _BYTE_BITS * shape[0] * shape[1] * shape[2] + _LERC_SLACK
    if outer == _LERC_DEFLATED:
        packed = zlib.decompressobj().decompress(packed, n_most)
    elif outer == _LERC_ZSTD:
        packed = bytes(imagecodecs.zstd_decode(packed, out=n_most))
    if not packed.startswith(_LERC_MAGIC):
        raise not_supported("a TIFF of LERC version 2", "an older LERC")
    (version,) = struct.unpack_from("<i", packed, len(_LERC_MAGIC))
    at = len(_LERC_MAGIC) + (8 if version >= _LERC_WITH_CHECKSUM else 4)
    height, width = struct.unpack_from("<ii", packed, at)
    _check_size((height, width, shape[2]), shape, rows)
    picture, mask = imagecodecs.lerc_decode(packed, masks=True)
    if mask is not None and not np.all(mask):
        raise ValueError("a LERC strip or tile with pixels that have no value")
    return np.asarray(picture).reshape(-1, *shape[1:])[:rows]

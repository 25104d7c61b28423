"""The samples of one TIFF page from its strips or tiles, with nothing missing.

tifffile parses the tags. It fills strips that are missing or short with zeros, which on a
radiograph would pass for material, and needs a further package for LZW; so the segments are
assembled here. Section numbers are those of TIFF 6.0.
"""

import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import JpegImagePlugin

from core.domain.errors import UnreadableImageError
from core.imaging.lzw import decode_lzw

Array = npt.NDArray[Any]

_NONE, _LZW, _JPEG, _DEFLATE, _DEFLATE_OLD, _PACKBITS = 1, 5, 7, 8, 32946, 32773
_HORIZONTAL, _FLOATING = 2, 3
_ZLIB_SLACK = 64
_BYTE_BITS = 8
#: Writers may store equal tiles once; every byte still is unpacked only so often.
_MAX_OVERLAP = 2
_READABLE_BITS = (1, 4, 8, 12, 16, 32, 64)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Where a page's strips or tiles lie and how their samples are packed.

    Attributes:
        offsets, counts: of each segment in the file, bytes.
        width, height: of the page, px.
        segment_width, segment_height: of a whole tile, or page width and rows per strip, px.
        samples: interleaved samples of a pixel in one segment.
        planes: how often the page is stored, once per plane (PlanarConfiguration 2), else 1.
        bits: of one sample.
        dtype: of one sample as stored, with its byte order; of the unpacked byte below 8 bit.
        is_tiled: tiles are padded to full size, strips are cut at the last row.
    """

    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    width: int
    height: int
    segment_width: int
    segment_height: int
    samples: int
    planes: int
    bits: int
    dtype: np.dtype[Any]
    is_tiled: bool
    compression: int = _NONE
    predictor: int = 1
    jpeg_tables: bytes = b""


def assemble(data: bytes, page: Segments) -> Array:
    """(H, W, samples x planes) in native byte order; 1 to 4 bit as small numbers, not yet scaled.

    Raises:
        UnreadableImageError: for a packing, compression or predictor that cannot be read.
        ValueError: when segments are missing, outside the file, or short.
    """
    _check(data, page)
    across = -(-page.width // page.segment_width)
    down = -(-page.height // page.segment_height)
    native = page.dtype.newbyteorder("=")
    out = np.empty((page.height, page.width, page.samples * page.planes), native)
    view = memoryview(data)
    for index in range(across * down * page.planes):
        plane, within = divmod(index, across * down)
        top = within // across * page.segment_height
        left = within % across * page.segment_width
        rows = page.segment_height if page.is_tiled else min(page.segment_height, page.height - top)
        packed = view[page.offsets[index] : page.offsets[index] + page.counts[index]]
        block = _unpack(packed, page, rows)[: page.height - top, : page.width - left]
        first = plane * page.samples
        out[top : top + block.shape[0], left : left + block.shape[1], first : first + page.samples] = block
    return out


def _check(data: bytes, page: Segments) -> None:
    if page.compression not in (_NONE, _LZW, _JPEG, _DEFLATE, _DEFLATE_OLD, _PACKBITS):
        raise UnreadableImageError(
            "expected a TIFF that is uncompressed or packed with LZW, Deflate, PackBits or JPEG, "
            f"got compression {page.compression}"
        )
    if page.bits not in _READABLE_BITS:
        raise UnreadableImageError(f"expected a TIFF of {_READABLE_BITS} bits a sample, got {page.bits}")
    if page.predictor not in (1, _HORIZONTAL, _FLOATING) or (page.predictor != 1 and page.bits % _BYTE_BITS):
        raise UnreadableImageError(f"expected TIFF predictor 1, 2 or 3, got {page.predictor}")
    n_segments = -(-page.width // page.segment_width) * -(-page.height // page.segment_height) * page.planes
    if len(page.offsets) < n_segments or len(page.counts) < n_segments:
        raise ValueError(f"{len(page.offsets)} of {n_segments} strips or tiles are listed")
    for offset, count in zip(page.offsets, page.counts, strict=False):
        if offset + count > len(data) or offset <= 0 or count <= 0:
            raise ValueError("the file ends before its pixels do")
    if sum(page.counts[:n_segments]) > _MAX_OVERLAP * len(data):
        raise ValueError("its strips or tiles lie over each other")


def _unpack(packed: memoryview, page: Segments, rows: int) -> Array:
    """(rows, segment width, samples), native byte order, of one segment."""
    if page.compression == _JPEG:
        return _jpeg(bytes(packed), page, rows)
    n_row_samples = page.segment_width * page.samples
    n_row_bytes = (n_row_samples * page.bits + 7) // _BYTE_BITS
    raw = _decompress(packed, page.compression, rows * n_row_bytes)
    shape = (rows, page.segment_width, page.samples)
    if page.bits % _BYTE_BITS:
        by_row = np.frombuffer(raw, np.uint8).reshape(rows, n_row_bytes)
        return _split_bits(by_row, page.bits)[:, :n_row_samples].reshape(shape)
    if page.predictor == _FLOATING:
        return _unpredict_float(raw, page, shape)
    values = np.frombuffer(raw, page.dtype).reshape(shape)
    values = values.astype(page.dtype.newbyteorder("="), copy=False)
    if page.predictor == _HORIZONTAL:
        whole = values.view(f"u{values.dtype.itemsize}")
        values = np.cumsum(whole, axis=1, dtype=whole.dtype).view(values.dtype)
    return values


def _decompress(packed: memoryview, compression: int, n_expected: int) -> bytes:
    """Exactly `n_expected` bytes; never unpacks more than that."""
    if compression == _NONE:
        raw = bytes(packed[:n_expected])
    elif compression == _LZW:
        raw = decode_lzw(bytes(packed), n_expected)
    elif compression == _PACKBITS:
        raw = _unpackbits(bytes(packed), n_expected)
    else:
        raw = zlib.decompressobj().decompress(packed, n_expected + _ZLIB_SLACK)[:n_expected]
    if len(raw) < n_expected:
        raise ValueError(f"a strip or tile holds {len(raw)} of {n_expected} bytes")
    return raw


def _unpackbits(packed: bytes, n_expected: int) -> bytes:
    """PackBits (section 9)."""
    out, at = bytearray(), 0
    while len(out) < n_expected and at < len(packed):
        n = packed[at]
        if n < 128:
            out += packed[at + 1 : at + 2 + n]
            at += n + 2
        else:
            if n > 128:
                out += packed[at + 1 : at + 2] * (257 - n)
            at += 2 if n > 128 else 1
    return bytes(out[:n_expected])


def _split_bits(by_row: npt.NDArray[np.uint8], bits: int) -> Array:
    """(rows, samples): 1 and 4 bit as uint8, 12 bit as uint16; rows start on whole bytes."""
    if bits == 1:
        return np.unpackbits(by_row, axis=1)
    rows = by_row.shape[0]
    if bits == 4:
        return np.stack([by_row >> 4, by_row & 15], axis=2).reshape(rows, -1)
    triples = np.pad(by_row, ((0, 0), (0, -by_row.shape[1] % 3))).astype(np.uint16).reshape(rows, -1, 3)
    first = (triples[..., 0] << 4) | (triples[..., 1] >> 4)
    second = ((triples[..., 1] & 15) << 8) | triples[..., 2]
    return np.stack([first, second], axis=2).reshape(rows, -1)


def _unpredict_float(raw: bytes, page: Segments, shape: tuple[int, int, int]) -> Array:
    """Floating-point predictor (TIFF Technical Note 3): byte planes, most significant first."""
    rows, width, samples = shape
    size = page.dtype.itemsize
    deltas = np.frombuffer(raw, np.uint8).reshape(rows, width * size, samples)
    planes = np.cumsum(deltas, axis=1, dtype=np.uint8).reshape(rows, size, width * samples)
    big_endian = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(page.dtype.newbyteorder(">"))
    return big_endian.reshape(shape).astype(page.dtype.newbyteorder("="))


def _jpeg(packed: bytes, page: Segments, rows: int) -> Array:
    """A JPEG segment with the page's shared tables put in (TIFF Technical Note 2)."""
    if page.jpeg_tables:
        packed = page.jpeg_tables[:-2] + packed[2:]
    with JpegImagePlugin.JpegImageFile(BytesIO(packed)) as image:
        if image.size != (page.segment_width, rows):
            raise ValueError(f"a JPEG segment of {image.size} px, expected {(page.segment_width, rows)}")
        return np.array(image).reshape(rows, page.segment_width, -1)

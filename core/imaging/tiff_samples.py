"""The samples of one TIFF page, put together from its strips or tiles.

tifffile parses the tags, imagecodecs unpacks. tifffile's own `asarray` is not used: it fills strips that are
missing with zeros, which on a radiograph would pass for material. Section numbers are those of TIFF 6.0.
"""

import zlib
from io import BytesIO
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import JpegImagePlugin

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged
from core.imaging.limits import check_picture_size, most_unpacked

Array = npt.NDArray[Any]

_NONE, _LZW, _JPEG, _DEFLATE, _DEFLATE_OLD, _PACKBITS = 1, 5, 7, 8, 32946, 32773
_HORIZONTAL, _FLOATING = 2, 3
_SEPARATE_PLANES = 2
_PALETTE, _COLOUR_BYTES = 3, 6
_SAMPLE_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
#: Bytes that a sample takes in memory, by its bits in the file.
_SAMPLE_BYTES = {1: 1, 4: 1, 8: 1, 12: 2, 16: 2, 32: 4, 64: 8}
#: A run of PackBits may reach beyond the last byte that is needed; Deflate ends with a checksum.
_LONGEST_RUN, _CHECKSUM_SLACK = 128, 64
#: Writers may store equal tiles once; every byte still is unpacked only so often.
_MAX_OVERLAP = 2


class Layout(NamedTuple):
    """Strips or tiles of a page.

    Attributes:
        width, height: of a whole tile, or page width and rows per strip, px.
        across, down: how many of them side by side and below each other.
        planes: how often the page is stored, once per plane (PlanarConfiguration 2), else 1.
        samples: interleaved samples of a pixel in one strip or tile.
        dtype: of a sample, with the byte order of the file.
    """

    width: int
    height: int
    across: int
    down: int
    planes: int
    samples: int
    dtype: np.dtype[Any]

    @property
    def n_segments(self) -> int:
        """Strips or tiles of all planes."""
        return self.across * self.down * self.planes


def layout_of(page: tifffile.TiffPage, byteorder: str, n_file_bytes: int) -> Layout:
    """The layout that the tags state, once its kind and size proved acceptable; nothing is unpacked yet.

    Raises:
        UnreadableImageError: for a packing, predictor or kind of sample that cannot be read, and for a
            picture or tiles that are too large.
    """
    bits, kind = page.bitspersample, _SAMPLE_KINDS.get(int(page.sampleformat))
    if not isinstance(bits, int) or kind is None:
        raise UnreadableImageError(
            f"expected a TIFF of one sample type, got {bits} bits, {page.sampleformat!s}"
        )
    if int(page.compression) not in (_NONE, _LZW, _JPEG, _DEFLATE, _DEFLATE_OLD, _PACKBITS):
        raise UnreadableImageError(
            "expected a TIFF that is uncompressed or packed with LZW, Deflate, PackBits or JPEG, "
            f"got compression {int(page.compression)}"
        )
    if bits not in _SAMPLE_BYTES:
        raise UnreadableImageError(f"expected a TIFF of {tuple(_SAMPLE_BYTES)} bits a sample, got {bits}")
    predictor = int(page.predictor)
    if predictor not in (1, _HORIZONTAL, _FLOATING) or (predictor != 1 and bits % 8):
        raise UnreadableImageError(f"expected TIFF predictor 1, 2 or 3, got {predictor}")
    bytes_per_px = _SAMPLE_BYTES[bits] * page.samplesperpixel
    if int(page.photometric) == _PALETTE:
        bytes_per_px += _COLOUR_BYTES
    check_picture_size(
        page.imagewidth, page.imagelength, bytes_per_px=bytes_per_px, n_file_bytes=n_file_bytes
    )
    is_separate = int(page.planarconfig or 1) == _SEPARATE_PLANES and page.samplesperpixel > 1
    width = page.tilewidth if page.is_tiled else page.imagewidth
    height = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
    across, down = -(-page.imagewidth // max(1, width)), -(-page.imagelength // max(1, height))
    n_padded = across * width * down * height if page.is_tiled else 0
    if min(width, height) < 1 or n_padded * bytes_per_px > most_unpacked(n_file_bytes):
        raise damaged("TIFF", f"tiles or strips of {width} x {height} px")
    return Layout(
        width=width,
        height=height,
        across=across,
        down=down,
        planes=page.samplesperpixel if is_separate else 1,
        samples=1 if is_separate else page.samplesperpixel,
        dtype=np.dtype(f"{byteorder}{kind}{_SAMPLE_BYTES[bits]}"),
    )


def read_samples(data: bytes, page: tifffile.TiffPage, layout: Layout) -> Array:
    """(H, W, C) in native byte order; 1 to 4 bit as small numbers, not yet scaled.

    Raises:
        ValueError: when strips or tiles are missing, outside the file, short or damaged.
    """
    _check_places(page, layout, len(data))
    shape = (page.imagelength, page.imagewidth, layout.samples * layout.planes)
    out = np.empty(shape, layout.dtype.newbyteorder("="))
    for index in range(layout.n_segments):
        plane, within = divmod(index, layout.across * layout.down)
        down, across = divmod(within, layout.across)
        top, left = down * layout.height, across * layout.width
        rows = layout.height if page.is_tiled else min(layout.height, page.imagelength - top)
        start = page.dataoffsets[index]
        samples = _samples(data[start : start + page.databytecounts[index]], page, layout, rows)
        first = plane * layout.samples
        place = out[top : top + rows, left : left + layout.width, first : first + layout.samples]
        place[:] = samples[: place.shape[0], : place.shape[1]]
    return out


def _check_places(page: tifffile.TiffPage, layout: Layout, n_file_bytes: int) -> None:
    offsets, counts = page.dataoffsets, page.databytecounts
    if min(len(offsets), len(counts)) < layout.n_segments:
        raise ValueError(f"{len(offsets)} of {layout.n_segments} strips or tiles are listed")
    for offset, count in zip(offsets, counts, strict=False):
        if offset + count > n_file_bytes or offset <= 0 or count <= 0:
            raise ValueError("the file ends before its pixels do")
    if sum(counts[: layout.n_segments]) > _MAX_OVERLAP * n_file_bytes:
        raise ValueError("its strips or tiles lie over each other")


def _samples(packed: bytes, page: tifffile.TiffPage, layout: Layout, rows: int) -> Array:
    """(rows, width, samples) of one strip or tile, as stored or in native byte order."""
    shape = (rows, layout.width, layout.samples)
    if int(page.compression) == _JPEG:
        return _jpeg(packed, page.jpegtables or b"", shape)
    n_row_samples = layout.width * layout.samples
    n_row_bytes = (n_row_samples * page.bitspersample + 7) // 8
    raw = _unpacked(packed, int(page.compression), rows * n_row_bytes, layout.height * n_row_bytes)
    if page.bitspersample % 8:
        dtype = np.uint16 if layout.dtype.itemsize == 2 else np.uint8
        values = imagecodecs.packints_decode(raw, dtype, page.bitspersample, runlen=n_row_samples)
        return values.reshape(shape)
    if int(page.predictor) == _FLOATING:
        planes = np.frombuffer(raw, layout.dtype.newbyteorder("=")).reshape(shape)
        return imagecodecs.floatpred_decode(planes, axis=-2)
    values = np.frombuffer(raw, layout.dtype).reshape(shape)
    if int(page.predictor) == _HORIZONTAL:
        native = values.astype(layout.dtype.newbyteorder("="), copy=False)
        return imagecodecs.delta_decode(native, axis=-2)
    return values


def _unpacked(packed: bytes, compression: int, n_expected: int, n_whole: int) -> bytes | bytearray:
    """Exactly `n_expected` bytes; never unpacks much more than `n_whole`, to which a strip may be padded."""
    raw: bytes | bytearray = packed
    try:
        if compression == _LZW:
            raw = imagecodecs.lzw_decode(packed, out=n_expected)
        elif compression == _PACKBITS:
            raw = imagecodecs.packbits_decode(packed, out=n_whole + _LONGEST_RUN)
        elif compression != _NONE:
            raw = zlib.decompressobj().decompress(packed, n_expected + _CHECKSUM_SLACK)
    except RuntimeError as error:
        raise ValueError("the compressed data of a strip or tile are damaged") from error
    if len(raw) < n_expected:
        raise ValueError(f"a strip or tile holds {len(raw)} of {n_expected} bytes")
    return raw[:n_expected]


def _jpeg(packed: bytes, tables: bytes, shape: tuple[int, int, int]) -> Array:
    """A JPEG strip or tile with the page's shared tables put in (TIFF Technical Note 2).

    By Pillow, which refuses data that are cut off.
    """
    if tables:
        packed = tables[:-2] + packed[2:]
    with JpegImagePlugin.JpegImageFile(BytesIO(packed)) as image:
        if image.size != (shape[1], shape[0]):
            raise ValueError(f"a JPEG segment of {image.size} px, expected {(shape[1], shape[0])}")
        return np.array(image).reshape(shape[0], shape[1], -1)

"""The samples of one TIFF page, put together from its strips or tiles.

tifffile parses the tags, imagecodecs unpacks. tifffile's own `asarray` is not used: it fills strips that are
missing with zeros, which on a radiograph would pass for material. Section numbers are those of TIFF 6.0.
"""

from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged, not_supported
from core.imaging.limits import check_picture_size, most_unpacked
from core.imaging.tiff_packing import STREAMS, WHOLE_PICTURES, segment_picture, unpacked

Array = npt.NDArray[Any]

_HORIZONTAL, _FLOATING = 2, 3
_SEPARATE_PLANES = 2
_PALETTE, _COLOUR_BYTES = 3, 6
_SAMPLE_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
#: Bits of a sample that can be read, by its kind.
_BITS = {"u": (*range(1, 17), 32, 64), "i": (*range(8, 17), 32, 64), "f": (16, 32, 64)}
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
    compression = int(page.compression)
    if compression not in STREAMS | WHOLE_PICTURES:
        known = tifffile.COMPRESSION.__members__.values()
        name = next((one.name for one in known if one == compression), "unknown")
        raise not_supported("a TIFF packed in a way that can be read", f"{name}, compression {compression}")
    if bits not in _BITS[kind]:
        raise UnreadableImageError(f"expected a TIFF of 1 to 16, 32 or 64 bits a sample, got {bits}")
    predictor = int(page.predictor)
    if predictor not in (1, _HORIZONTAL, _FLOATING) or (predictor != 1 and bits % 8):
        raise UnreadableImageError(f"expected TIFF predictor 1, 2 or 3, got {predictor}")
    bytes_per_px = _sample_bytes(bits) * page.samplesperpixel
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
        dtype=np.dtype(f"{byteorder}{kind}{_sample_bytes(bits)}"),
    )


def _sample_bytes(bits: int) -> int:
    """Bytes that a sample takes in memory."""
    return next(n for n in (1, 2, 4, 8) if bits <= 8 * n)


def read_samples(data: bytes, page: tifffile.TiffPage, layout: Layout, shift: int = 0) -> Array:
    """(H, W, C) in native byte order; less than 8 bit as small numbers, not yet scaled.

    Args:
        data: the whole file.
        page: its tags.
        layout: of the page.
        shift: how far behind the places that the tags name the strips lie, bytes.

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
        start = page.dataoffsets[index] + shift
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
    if int(page.compression) in WHOLE_PICTURES:
        picture = segment_picture(packed, page, (layout.height, *shape[1:]), rows)
        if picture.dtype != layout.dtype.newbyteorder("="):
            raise ValueError(f"a strip or tile of {picture.dtype} samples, expected {layout.dtype.name}")
        return picture
    n_row_samples = layout.width * layout.samples
    n_row_bytes = (n_row_samples * page.bitspersample + 7) // 8
    raw = unpacked(packed, int(page.compression), rows * n_row_bytes, layout.height * n_row_bytes)
    if page.bitspersample not in (8, 16, 32, 64):
        return _narrow_samples(raw, page.bitspersample, layout.dtype, n_row_samples).reshape(shape)
    if int(page.predictor) == _FLOATING:
        planes = np.frombuffer(raw, layout.dtype.newbyteorder("=")).reshape(shape)
        return imagecodecs.floatpred_decode(planes, axis=-2)
    values = np.frombuffer(raw, layout.dtype).reshape(shape)
    if int(page.predictor) == _HORIZONTAL:
        native = values.astype(layout.dtype.newbyteorder("="), copy=False)
        return imagecodecs.delta_decode(native, axis=-2)
    return values


def _narrow_samples(raw: bytes | bytearray, bits: int, dtype: np.dtype[Any], n_row_samples: int) -> Array:
    """Samples that do not fill whole bytes, each row beginning at one; signed ones get their sign."""
    size = dtype.itemsize
    values = imagecodecs.packints_decode(raw, np.dtype(f"u{size}"), bits, runlen=n_row_samples)
    if dtype.kind == "u":
        return values
    unused = 8 * size - bits
    return (values << unused).view(f"i{size}") >> unused

"""TIFF and BigTIFF, 1 to 64 bit, integer and float, either byte order; tags by tifffile."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PixelPitch, Pixels
from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import MM_PER_INCH, Decoded, pitch_from_dpi
from core.imaging.limits import MAX_TIFF_PAGES, MAX_TIFF_VALUES
from core.imaging.pixels import narrow, to_grey
from core.imaging.tiff_samples import layout_of, read_samples

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG = 7
_PER_INCH, _PER_CM = 2, 3
_UPRIGHT = 1
_BYTE_BITS = 8
_BIG_VERSION = 43
_MAX_TAGS = 4096
#: Types that stay bytes when loaded: byte, ASCII, undefined.
_BYTE_TYPES = (1, 2, 7)


def read_tiff(data: bytes) -> Decoded:
    """The first page of a TIFF or BigTIFF.

    White-is-zero pages are inverted, so that pixels look as a viewer shows them; which polarity
    that is, TIFF does not say.

    Raises:
        UnreadableImageError: truncated, damaged, too large, or packed in a way that cannot be read.
    """
    with clear_errors("TIFF"):
        n_pages = _count_pages(data)
    with clear_errors("TIFF"), _opened(data) as tiff:
        page = tiff.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            raise damaged("TIFF", "the first page has no tags")
        _check_kind(page)
        layout = layout_of(page, tiff.byteorder, len(data))
        pixels, bit_depth, pixel_notes = _pixels(read_samples(data, page, layout), page)
        page_notes = (f"{n_pages} pages, first one read",) if n_pages > 1 else ()
        notes = (*page_notes, *pixel_notes, *_orientation_notes(page))
        return Decoded(pixels=pixels, bit_depth=bit_depth, pitch=_pitch(page), notes=notes)


def _count_pages(data: bytes) -> int:
    """Directories in the chain (TIFF 6.0 section 2; BigTIFF), at least one, followed within bounds.

    tifffile would follow a loop of more than a hundred directories without end, and turn a tag that lists
    half a gigabyte of offsets into Python numbers. A chain that leaves the file ends there.
    """
    order = "<" if data[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    is_big = version == _BIG_VERSION
    first_at, count_format, offset_format, entry_bytes = (8, "Q", "Q", 20) if is_big else (4, "H", "I", 12)
    count_bytes, offset_bytes = struct.calcsize(f"<{count_format}"), struct.calcsize(f"<{offset_format}")
    (offset,) = struct.unpack_from(order + offset_format, data, first_at)
    seen: set[int] = set()
    while offset and offset + count_bytes <= len(data):
        if offset in seen:
            raise damaged("TIFF", "its directories point at each other in a circle")
        if len(seen) == MAX_TIFF_PAGES:
            raise UnreadableImageError(f"expected a TIFF of at most {MAX_TIFF_PAGES} pages, got more")
        (n_tags,) = struct.unpack_from(order + count_format, data, offset)
        if n_tags > _MAX_TAGS:
            if seen:
                break
            raise damaged("TIFF", f"its directory lists {n_tags} tags")
        if not seen:
            _check_counts(data, offset + count_bytes, n_tags, order, is_big=is_big)
        seen.add(offset)
        next_at = offset + count_bytes + n_tags * entry_bytes
        if next_at + offset_bytes > len(data):
            break
        (offset,) = struct.unpack_from(order + offset_format, data, next_at)
    return max(1, len(seen))


def _check_counts(data: bytes, start: int, n_tags: int, order: str, *, is_big: bool) -> None:
    """Refuse a tag that lists more numbers than any radiograph needs."""
    entry = struct.Struct(f"{order}HHQ8x" if is_big else f"{order}HHI4x")
    for index in range(n_tags):
        tag, kind, count = entry.unpack_from(data, start + index * entry.size)
        if count > (len(data) if kind in _BYTE_TYPES else MAX_TIFF_VALUES):
            raise damaged("TIFF", f"tag {tag} lists {count} values")


def _check_kind(page: tifffile.TiffPage) -> None:
    photometric = int(page.photometric)
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR):
        raise UnreadableImageError(f"expected a grey or RGB TIFF, got photometric {page.photometric!s}")
    if photometric == _YCBCR and int(page.compression) != _JPEG:
        raise UnreadableImageError("expected a grey or RGB TIFF, got YCbCr without JPEG")
    if page.imagedepth != 1 or int(page.fillorder) != 1:
        raise UnreadableImageError("expected a flat TIFF of normal bit order")


def _opened(data: bytes) -> tifffile.TiffFile:
    """The parsed first page. Microscope formats are off: their special cases follow pointers of their own."""
    return tifffile.TiffFile(BytesIO(data), is_lsm=False, is_scanimage=False, is_ndpi=False)


def _pixels(planes: npt.NDArray[Any], page: tifffile.TiffPage) -> tuple[Pixels, int, tuple[str, ...]]:
    """Grey pixels, significant bits, notes."""
    notes: tuple[str, ...] = ()
    bits = page.bitspersample
    if int(page.photometric) == _PALETTE:
        if page.colormap is None:
            raise damaged("TIFF", "palette without colours")
        planes = np.moveaxis(page.colormap, 0, -1)[planes[..., 0]]
        bits = 16
    elif bits < _BYTE_BITS:
        planes = planes * np.uint8(255 // ((1 << bits) - 1))
        notes += (f"{bits}-bit TIFF expanded to 8 bit",)
        bits = _BYTE_BITS
    grey, grey_notes = to_grey(planes)  # before it is narrowed, so that no channel is shifted by itself
    pixels, depth, sample_notes = narrow(grey, bits)
    notes += grey_notes + sample_notes
    if int(page.photometric) == _WHITE_IS_ZERO:
        pixels = _invert(pixels, depth)
        notes += ("white-is-zero TIFF inverted, as viewers show it",)
    return pixels, depth, notes


def _invert(pixels: Pixels, depth: int) -> Pixels:
    """Black and white swapped: about the middle of the depth, of the finite range for floats."""
    if pixels.dtype == np.float32:
        finite = pixels[np.isfinite(pixels)]
        total = np.float32(finite.min() + finite.max()) if finite.size else np.float32(0)
        inverted: Pixels = (total - pixels).astype(np.float32)
        return inverted
    return np.subtract((1 << depth) - 1, pixels, dtype=pixels.dtype)


def _pitch(page: tifffile.TiffPage) -> PixelPitch | None:
    """From XResolution, YResolution and ResolutionUnit; None without a unit of length."""
    unit = page.tags.valueof("ResolutionUnit", _PER_INCH)
    x, y = (_ratio(page.tags.valueof(name)) for name in ("XResolution", "YResolution"))
    if unit == _PER_INCH:
        return pitch_from_dpi(x, y)
    if unit == _PER_CM:
        return pitch_from_dpi(x * MM_PER_INCH / 10, y * MM_PER_INCH / 10)
    return None


def _ratio(value: object) -> float:
    """A rational tag as float; nan when absent, malformed or over zero."""
    if not (isinstance(value, tuple) and len(value) == 2 and value[1]):
        return float("nan")
    return float(value[0]) / float(value[1])


def _orientation_notes(page: tifffile.TiffPage) -> tuple[str, ...]:
    orientation = page.tags.valueof("Orientation", _UPRIGHT)
    if orientation == _UPRIGHT:
        return ()
    return (f"TIFF orientation {int(orientation)} not applied, pixels kept as stored",)

"""TIFF: strips and tiles, 1 to 64 bit, integer and float, either byte order. Tags by tifffile."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PixelPitch, Pixels
from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import Decoded
from core.imaging.grey import to_grey
from core.imaging.limits import check_picture_size, most_unpacked
from core.imaging.resolution import MM_PER_INCH, pitch_from_dpi
from core.imaging.samples import narrow
from core.imaging.tiff_directory import count_pages
from core.imaging.tiff_samples import Layout, layout_of, read_samples

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG = 7
_PER_INCH, _PER_CM = 2, 3
_UPRIGHT = 1
_BYTE_BITS = 8
_PALETTE_BYTES = 6


def read_tiff(data: bytes) -> Decoded:
    """The first page of a TIFF or BigTIFF.

    White-is-zero pages are inverted, so that pixels look as a viewer shows them; which polarity
    that is, TIFF does not say.

    Raises:
        UnreadableImageError: truncated, damaged, too large, or packed in a way that cannot be read.
    """
    with clear_errors("TIFF"):
        n_pages = count_pages(data)
    with clear_errors("TIFF"), _opened(data) as tiff:
        page = tiff.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            raise damaged("TIFF", "the first page has no tags")
        layout = _checked_layout(page, tiff.byteorder, len(data))
        pixels, bit_depth, pixel_notes = _pixels(read_samples(data, page, layout), page)
        page_notes = (f"{n_pages} pages, first one read",) if n_pages > 1 else ()
        notes = (*page_notes, *pixel_notes, *_orientation_notes(page))
        return Decoded(pixels=pixels, bit_depth=bit_depth, pitch=_pitch(page), notes=notes)


def _checked_layout(page: tifffile.TiffPage, byteorder: str, n_file_bytes: int) -> Layout:
    """The page's layout, once its size and kind proved acceptable."""
    photometric = int(page.photometric)
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR):
        raise UnreadableImageError(f"expected a grey or RGB TIFF, got photometric {page.photometric!s}")
    if photometric == _YCBCR and int(page.compression) != _JPEG:
        raise UnreadableImageError("expected a grey or RGB TIFF, got YCbCr without JPEG")
    if page.imagedepth != 1 or int(page.fillorder) != 1:
        raise UnreadableImageError("expected a flat TIFF of normal bit order")
    layout = layout_of(page, byteorder)
    bytes_per_px = layout.dtype.itemsize * page.samplesperpixel
    if photometric == _PALETTE:
        bytes_per_px += _PALETTE_BYTES
    width, height = page.imagewidth, page.imagelength
    check_picture_size(width, height, bytes_per_px=bytes_per_px, n_file_bytes=n_file_bytes)
    if page.is_tiled:  # a tile is unpacked with its padding
        n_padded = layout.across * layout.width * layout.down * layout.height
        if n_padded * bytes_per_px > most_unpacked(n_file_bytes):
            raise damaged("TIFF", f"tiles or strips of {layout.width} x {layout.height} px")
    return layout


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
    if planes.shape[2] == 1:
        pixels, depth, sample_notes = narrow(planes[..., 0], bits)
        notes += sample_notes
    else:
        channels = [narrow(planes[..., c], bits) for c in range(planes.shape[2])]
        depth = max(c[1] for c in channels)
        grey, grey_notes = to_grey(np.stack([c[0] for c in channels], axis=2))
        pixels, notes = grey, notes + grey_notes + channels[0][2]
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

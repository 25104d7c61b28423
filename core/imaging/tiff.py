"""TIFF and BigTIFF, 1 to 64 bit, integer and float, either byte order, any page; tags by tifffile."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PixelPitch, Pixels
from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import MM_PER_INCH, Decoded, pitch_from_dpi
from core.imaging.limits import MAX_FRAMES
from core.imaging.pixels import narrow, to_grey
from core.imaging.tiff_directories import check_counts
from core.imaging.tiff_packing import JPEG_COMPRESSIONS
from core.imaging.tiff_pages import contents_of
from core.imaging.tiff_samples import layout_of, read_samples

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_PER_INCH, _PER_CM = 2, 3
_UPRIGHT = 1
_BYTE_BITS = 8
#: Values of ExtraSamples (TIFF 6.0 section 18): associated and unassociated alpha.
_ALPHA = (1, 2)


def read_tiff(data: bytes, frame: int | None = None) -> Decoded:
    """One picture of a TIFF or BigTIFF, counted from 1; None reads the first of the largest ones.

    White-is-zero pages are inverted, so that pixels look as a viewer shows them; which polarity
    that is, TIFF does not say.

    Raises:
        UnreadableImageError: truncated, damaged, too large, or packed in a way that cannot be read; or
            without such a picture.
    """
    with clear_errors("TIFF"):
        contents = contents_of(data)
        count = len(contents.pictures)
        index = contents.largest if frame is None else frame - 1
        if not 0 <= index < count:
            raise UnreadableImageError(f"expected a page from 1 to {count}, got {frame}")
        place = contents.pictures[index]
        for offset in {contents.first_offset, place.offset}:
            check_counts(data, offset)
    with clear_errors("TIFF"), _opened(data) as tiff:
        tiff.filehandle.seek(place.offset)
        page = tifffile.TiffPage(tiff, index)
        _check_kind(page)
        samples = read_samples(data, page, layout_of(page, tiff.byteorder, len(data)), place.shift)
        planes, unread = _described(samples, page)
        pixels, bit_depth, notes = _pixels(planes, page)
        return Decoded(
            pixels=pixels,
            bit_depth=bit_depth,
            pitch=_pitch(page),
            notes=(*notes, *_orientation_notes(page)),
            n_frames=count,
            frame=index + 1,
            unread=(*contents.unread, *unread),
        )


def count_pages(data: bytes) -> int:
    """Number of pictures in a TIFF file, at least one; 1 where it is damaged, since reading it says why.

    Raises:
        UnreadableImageError: more than a file may hold.
    """
    try:
        with clear_errors("TIFF"):
            count = len(contents_of(data).pictures)
    except UnreadableImageError:
        return 1
    if count > MAX_FRAMES:
        raise UnreadableImageError(f"expected a TIFF file of at most {MAX_FRAMES} pages, got {count}")
    return count


def _opened(data: bytes) -> tifffile.TiffFile:
    """The file with its first page parsed. Microscope formats follow pointers of their own: they are off."""
    return tifffile.TiffFile(BytesIO(data), is_lsm=False, is_scanimage=False, is_ndpi=False)


def _check_kind(page: tifffile.TiffPage) -> None:
    photometric = int(page.photometric)
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR):
        raise UnreadableImageError(f"expected a grey or RGB TIFF, got photometric {page.photometric!s}")
    if photometric == _YCBCR and int(page.compression) not in JPEG_COMPRESSIONS:
        raise UnreadableImageError("expected a grey or RGB TIFF, got YCbCr without JPEG")
    if page.imagedepth != 1 or int(page.fillorder) != 1:
        raise UnreadableImageError("expected a flat TIFF of normal bit order")


def _described(planes: npt.NDArray[Any], page: tifffile.TiffPage) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """The samples that show the picture, with their transparency, and how many more there are.

    What is beyond the samples of the photometric interpretation is transparency where ExtraSamples says so;
    anything else, as of a second energy, is another picture.
    """
    n_samples, n_shown = planes.shape[2], 3 if int(page.photometric) in (_RGB, _YCBCR) else 1
    if n_samples < n_shown:
        raise damaged("TIFF", f"colour of {n_samples} samples")
    more = n_samples - n_shown
    is_alpha = more == 1 and int(next(iter(page.extrasamples), 0)) in _ALPHA
    if more == 0 or is_alpha or (n_shown > 1 and more > 1):
        return planes, ()
    what = "sample" if more == 1 else "samples"
    return planes[..., :n_shown], (f"{more} further {what} of each pixel not read",)


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
        planes = np.rint(planes * (255 / ((1 << bits) - 1))).astype(np.uint8)
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

"""JPEG and BMP, and what PNG shares with them: Pillow's strict decoders behind size checks.

Pillow's plugin classes are used directly: `Image.open` would try every format it knows and applies
its own, process-wide, bomb limit.
"""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, JpegImagePlugin
from PIL.ImageFile import ImageFile

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PixelPitch
from core.imaging.decoded import Decoded
from core.imaging.grey import to_grey
from core.imaging.jpeg_markers import outline_jpeg
from core.imaging.limits import MAX_JPEG_SCANS, check_picture_size
from core.imaging.quiet import damaged, quiet_codec
from core.imaging.resolution import pitch_from_dpi

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_BYTES_PER_PX = {"1": 1, "L": 1, "P": 1, "LA": 2, "I;16": 2, "I": 4, "F": 4, "RGB": 4, "RGBA": 4, "CMYK": 4}
_COEFFICIENT_BYTES = 2


def read_jpeg(data: bytes) -> Decoded:
    """The picture of a baseline or progressive JPEG; 8 bit.

    Raises:
        UnreadableImageError: truncated (also when only the end-of-image marker is missing),
            damaged, too large, or of a kind that cannot be read (12 bit, lossless).
    """
    outline = outline_jpeg(data)
    if outline is None or not outline.n_scans:
        raise damaged("JPEG", "the end-of-image marker is missing")
    if outline.n_scans > MAX_JPEG_SCANS:
        raise UnreadableImageError(
            f"expected a JPEG of at most {MAX_JPEG_SCANS} scans, got {outline.n_scans}"
        )
    kept = _COEFFICIENT_BYTES * outline.n_components if outline.is_progressive else 0
    with quiet_codec("JPEG"), JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        return decode_picture(image, len(data), working_bytes_per_px=kept)


def read_bmp(data: bytes) -> Decoded:
    """The picture of a Windows bitmap; 8 bit.

    Raises:
        UnreadableImageError: truncated, damaged or too large.
    """
    with quiet_codec("BMP"), BmpImagePlugin.BmpImageFile(BytesIO(data)) as image:
        return decode_picture(image, len(data))


def decode_picture(image: ImageFile, n_file_bytes: int, *, working_bytes_per_px: int = 0) -> Decoded:
    """The first frame of an opened, not yet decoded picture as grey; call it inside `quiet_codec`.

    Args:
        image: opened by the format's own plugin.
        n_file_bytes: size of the file it comes from.
        working_bytes_per_px: what the decoder keeps besides the pixels.
    """
    width, height = image.size
    bytes_per_px = _BYTES_PER_PX.get(image.mode, 4) + working_bytes_per_px
    check_picture_size(width, height, bytes_per_px=bytes_per_px, n_file_bytes=n_file_bytes)
    notes = _orientation_notes(image)
    pitch = picture_pitch(image)
    image.load()
    grey, grey_notes = to_grey(_planes(image))
    bit_depth = 16 if grey.dtype == np.uint16 else 8
    return Decoded(pixels=grey, bit_depth=bit_depth, pitch=pitch, notes=grey_notes + notes)


def picture_pitch(image: ImageFile) -> PixelPitch | None:
    """The pitch from JFIF, EXIF, pHYs or BMP resolution; None when absent or a screen default."""
    dpi = image.info.get("dpi")
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return None
    return pitch_from_dpi(float(dpi[0]), float(dpi[1]))


def _planes(image: ImageFile) -> npt.NDArray[Any]:
    """(H, W) or (H, W, C), uint8 or uint16, from a loaded picture of any mode."""
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(255)
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("L", "LA", "RGB", "RGBA"):
        return np.array(image)
    return np.array(image.convert("RGBA" if "transparency" in image.info else "RGB"))


def _orientation_notes(image: ImageFile) -> tuple[str, ...]:
    orientation = image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT)
    if orientation in (0, _UPRIGHT):
        return ()
    return (f"EXIF orientation {orientation} not applied, pixels kept as stored",)

"""PNG and TIFF bytes from grey pixels, for display and download."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

#: Fast: radiograph noise hardly compresses any further.
_COMPRESS_LEVEL = 1


def encode_png(pixels: npt.NDArray[Any]) -> bytes:
    """A grey PNG of the same depth, lossless.

    Args:
        pixels: (H, W), or (H, W, 3) RGB or (H, W, 4) RGBA when uint8; uint8 or uint16, not empty.

    Raises:
        ValueError: for any other shape or dtype.
    """
    is_grey = pixels.ndim == 2 and pixels.dtype in (np.uint8, np.uint16)
    is_rgb = pixels.ndim == 3 and pixels.shape[2] in (3, 4) and pixels.dtype == np.uint8
    if not (is_grey or is_rgb) or pixels.size == 0:
        raise ValueError(f"expected (H, W) uint8 or uint16, got {pixels.shape} {pixels.dtype}")
    stream = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(stream, format="PNG", compress_level=_COMPRESS_LEVEL)
    return stream.getvalue()


def encode_tiff(pixels: npt.NDArray[Any]) -> bytes:
    """A grey TIFF of the same depth, lossless; pixels are (H, W) uint8, uint16 or float32."""
    import tifffile  # only now: mostly PNG is encoded

    stream = BytesIO()
    tifffile.imwrite(stream, pixels, compression="zlib")
    return stream.getvalue()

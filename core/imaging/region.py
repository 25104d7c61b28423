"""What the original pixels of a region say: its statistics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Radiograph
from core.imaging.measure import Box


@dataclass(frozen=True, slots=True)
class RegionStatistics:
    """Grey values of a region, as stored in the file.

    Attributes:
        n_px: finite pixels counted.
        mean, median, minimum, maximum: grey values.
        standard_deviation: of the pixels (n - 1); includes shading and structure, so it is not the noise:
            `core.imaging.noise` measures that. 0 for a single pixel.
    """

    n_px: int
    mean: float
    standard_deviation: float
    median: float
    minimum: float
    maximum: float


def region_statistics(radiograph: Radiograph, box: Box) -> RegionStatistics:
    """Statistics of the pixels whose centres lie in `box` (xyxy, px), outside the picture none.

    Raises:
        ValueError: when no finite pixel lies in the box.
    """
    values = region_pixels(radiograph, box).astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise ValueError(f"no pixel with a value lies in the region {box}")
    return RegionStatistics(
        n_px=int(values.size),
        mean=float(values.mean()),
        standard_deviation=float(values.std(ddof=1)) if values.size > 1 else 0.0,
        median=float(np.median(values)),
        minimum=float(values.min()),
        maximum=float(values.max()),
    )


def region_pixels(radiograph: Radiograph, box: Box) -> npt.NDArray[Any]:
    """(h, w) view of the pixels whose centres lie in `box` (xyxy, px), native dtype; may be empty.

    Raises:
        ValueError: when the box is not finite or not xyxy.
    """
    x1, y1, x2, y2 = box
    if not np.isfinite(box).all() or x2 < x1 or y2 < y1:
        raise ValueError(f"box must be finite and xyxy with x2 >= x1 and y2 >= y1, got {box}")
    left, top, right, bottom = (max(0, int(np.ceil(edge - 0.5))) for edge in (x1, y1, x2, y2))
    pixels: npt.NDArray[Any] = radiograph.pixels[top:bottom, left:right]
    return pixels


def float_pixels(radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """(H, W) float32 copy of all pixels for filters to run over; pixels without a value become 0."""
    pixels = radiograph.pixels.astype(np.float32)
    if radiograph.pixels.dtype == np.float32 and not np.isfinite(pixels).all():
        np.nan_to_num(pixels, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return pixels

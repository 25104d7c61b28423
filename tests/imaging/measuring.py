"""The viewer's measurements in NumPy, as the oracle that its JavaScript is compared with.

Coordinates are continuous px from the picture's top left corner: pixel column i reaches from i to i + 1.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.domain.radiograph import PitchSource, PixelPitch, Radiograph
from core.imaging.quality.noise import Box, level_and_noise, region_pixels

Point = tuple[float, float]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

#: An end of a length lies anywhere within this many px of where it was set.
END_UNCERTAINTY_PX = 1.0


@dataclass(frozen=True)
class Length:
    """A length and its expanded uncertainty (k = 2; JCGM 100, 6.2.2); mm are None without a scale."""

    length_px: float
    uncertainty_px: float
    length_mm: float | None = None
    uncertainty_mm: float | None = None


def measure_length(
    start: Point, end: Point, *, pitch: PixelPitch | None = None, pitch_relative_uncertainty: float = 0.0
) -> Length:
    """The straight length between two points.

    The model (JCGM 100:2008, 4.3.7 and 5.1.2): either end is off by up to `END_UNCERTAINTY_PX` (rectangular,
    standard uncertainty a / sqrt(3)), the two independently of each other and of the pitch.
    """
    length_px, uncertainty_px = math.dist(start, end), 2 * END_UNCERTAINTY_PX * math.sqrt(2 / 3)
    if pitch is None:
        return Length(length_px, uncertainty_px)
    length_mm = length_px * pitch.mm_per_px
    of_ends, of_pitch = uncertainty_px * pitch.mm_per_px, length_mm * pitch_relative_uncertainty
    return Length(length_px, uncertainty_px, length_mm, math.hypot(of_ends, of_pitch))


def calibrate_scale(start: Point, end: Point, known_mm: float) -> tuple[PixelPitch, float]:
    """The pitch that makes the length between two points `known_mm`, and its relative uncertainty (k = 2)."""
    length = measure_length(start, end)
    pitch = PixelPitch(known_mm / length.length_px, PitchSource.USER)
    return pitch, length.uncertainty_px / length.length_px


@dataclass(frozen=True)
class RegionStatistics:
    """Grey values of a region, finite pixels only; the standard deviation is that of a sample (n - 1)."""

    n_px: int
    mean: float
    standard_deviation: float
    minimum: float
    maximum: float


def region_statistics(radiograph: Radiograph, box: Box) -> RegionStatistics:
    """Statistics of the pixels whose centres lie in `box` (xyxy, px)."""
    values = region_pixels(radiograph, box).astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    deviation = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return RegionStatistics(
        values.size, float(values.mean()), deviation, float(values.min()), float(values.max())
    )


def contrast_to_noise(radiograph: Radiograph, box: Box, other: Box) -> float:
    """Difference of the signals of two regions over the mean of their noises (ISO 17636-2)."""
    (level, noise, _), (other_level, other_noise, _) = (level_and_noise(radiograph, b) for b in (box, other))
    return abs(level - other_level) / ((noise + other_noise) / 2)


def line_profile(
    radiograph: Radiograph, start: Point, end: Point, *, width_px: int = 1
) -> tuple[Floats, Floats]:
    """Distances from the start, px, and grey values along a line, both ends included.

    Bilinear between the pixels; samples are equally far from each other, at most 1 px. A value is the mean of
    `width_px` parallel lines, nan with any of them outside the picture or next to a pixel without a value.
    """
    length = math.dist(start, end)
    along = np.linspace(0.0, length, max(1, math.ceil(length)) + 1)
    direction = np.subtract(end, start) / length
    across = np.arange(width_px) - (width_px - 1) / 2
    x = start[0] + along * direction[0] - across[:, None] * direction[1] - 0.5
    y = start[1] + along * direction[1] + across[:, None] * direction[0] - 0.5
    return along, _sampled(radiograph.pixels.astype(np.float64), x, y).mean(axis=0)


def _sampled(pixels: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear values at array positions, nan outside; not `cv2.remap`, which rounds positions to 1/32 px."""
    height, width = pixels.shape
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    upper = _mixed(pixels[top, left], pixels[top, right], x - left)
    lower = _mixed(pixels[bottom, left], pixels[bottom, right], x - left)
    values = _mixed(upper, lower, y - top)
    values[~(inside & np.isfinite(values))] = np.nan
    return values


def _mixed(a: Floats, b: Floats, share: Floats) -> Floats:
    """`a` towards `b`; a neighbour with no share does not matter, not even when it has no value."""
    return np.where(share > 0, a * (1 - share) + b * share, a)

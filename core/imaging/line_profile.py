"""Grey values along a line, averaged across its width, between the pixels by linear interpolation."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import PixelPitch, Radiograph
from core.imaging.measure import Point

#: A profile with more samples, or more parallel lines, is refused.
MAX_SAMPLES = 32_000


@dataclass(frozen=True, slots=True, eq=False)
class LineProfile:
    """Grey values along a line.

    Attributes:
        positions_px: (N,) float64, distance from the start, ascending from 0.
        values: (N,) float64, mean grey value across the width, as stored; nan outside the picture.
        pitch: of the radiograph; None when unknown.
        width_px: how many parallel lines, 1 px apart, were averaged.
    """

    positions_px: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    pitch: PixelPitch | None
    width_px: int

    @property
    def positions_mm(self) -> npt.NDArray[np.float64] | None:
        """(N,) distance from the start in mm; None without a scale."""
        return None if self.pitch is None else self.positions_px * self.pitch.mm_per_px


def line_profile(
    radiograph: Radiograph, start: Point, end: Point, *, width_px: int = 1, step_px: float = 1.0
) -> LineProfile:
    """The profile from `start` to `end` (x, y; px, pixel centres at i + 0.5), both included.

    Bilinear between the pixels. The distance between samples is at most `step_px`, and equal throughout.
    A sample with any part of its width outside the picture, or next to a pixel without a value, is nan.

    Args:
        radiograph: measured on its original pixels, never a filtered picture.
        start: (x, y); may lie outside the picture.
        end: the same.
        width_px: number of parallel lines that are averaged, centred on the line.
        step_px: largest distance between two samples.

    Raises:
        ValueError: when a coordinate is not finite, the width is below 1, the step is not positive, or the
            profile would have more than `MAX_SAMPLES` samples or lines.
    """
    if not np.isfinite([*start, *end]).all():
        raise ValueError(f"the ends must be finite, got {start} and {end}")
    if width_px < 1 or not step_px > 0:
        raise ValueError(f"width_px must be at least 1 and step_px positive, got {width_px} and {step_px}")
    length = math.dist(start, end)
    if length / step_px + 1 >= MAX_SAMPLES or width_px >= MAX_SAMPLES:
        raise ValueError(f"a profile holds at most {MAX_SAMPLES} samples and lines")
    along = np.linspace(0.0, length, max(1, math.ceil(length / step_px)) + 1 if length > 0 else 1)
    direction = np.subtract(end, start) / length if length > 0 else np.array([1.0, 0.0])
    across = np.arange(width_px) - (width_px - 1) / 2
    x = start[0] + along * direction[0] - across[:, None] * direction[1] - 0.5
    y = start[1] + along * direction[1] + across[:, None] * direction[0] - 0.5
    return LineProfile(along, _sampled(radiograph, x, y).mean(axis=0), radiograph.pitch, width_px)


def _sampled(
    radiograph: Radiograph, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Bilinear values at array positions, nan outside; only the touched part of the picture is converted.

    Not `cv2.remap`, which rounds positions to 1/32 px.
    """
    height, width = radiograph.pixels.shape
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    fx, fy = x - left, y - top
    pixels = radiograph.pixels

    def at(row: npt.NDArray[np.intp], column: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        return pixels[row, column].astype(np.float64)

    upper = _mixed(at(top, left), at(top, right), fx)
    lower = _mixed(at(bottom, left), at(bottom, right), fx)
    values = _mixed(upper, lower, fy)
    values[~(inside & np.isfinite(values))] = np.nan
    return values


def _mixed(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """`a` towards `b`; a neighbour with no share does not matter, not even when it has no value."""
    return np.where(share > 0, a * (1 - share) + b * share, a)

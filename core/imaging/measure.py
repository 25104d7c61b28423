"""Lengths on the original pixels, in px and, where the scale is known, in mm with its source and uncertainty.

Coordinates are those of the boxes: continuous px, origin at the picture's top left corner, so pixel
column i reaches from i to i + 1 and its centre lies at i + 0.5.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

from core.domain.radiograph import PitchSource, PixelPitch

Point = tuple[float, float]
Box = tuple[float, float, float, float]
_T = TypeVar("_T", bound=tuple[float, ...])

#: An end of a length, or an edge of a box, lies within this many px of where it was set.
END_UNCERTAINTY_PX = 1.0
#: Coverage factor of every uncertainty here: about 95 % (JCGM 100, 6.2.2).
COVERAGE_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Length:
    """A length and how well it is known.

    The model (JCGM 100:2008, 4.3.7 and 5.1.2): each of the two ends lies anywhere within
    `END_UNCERTAINTY_PX` of where it was set (rectangular, standard uncertainty a / sqrt(3)), the two
    independently; the pitch, where its own uncertainty is known, is independent of both. What it leaves
    out: magnification between part and detector when the pitch is the detector's, blur, and a length that
    is not parallel to the detector.

    Attributes:
        length_px: length in px.
        uncertainty_px: expanded uncertainty in px, k = 2.
        length_mm: length in mm; None without a scale.
        uncertainty_mm: expanded uncertainty in mm, k = 2; None without a scale.
        pitch: mm per px with its source; None without a scale.
        includes_pitch_uncertainty: False when only the ends are covered: the pitch was taken as exact.
    """

    length_px: float
    uncertainty_px: float
    length_mm: float | None = None
    uncertainty_mm: float | None = None
    pitch: PixelPitch | None = None
    includes_pitch_uncertainty: bool = False

    @property
    def text(self) -> str:
        """For people: value, uncertainty, where the scale came from and what is left out."""
        if self.length_mm is None or self.uncertainty_mm is None or self.pitch is None:
            return f"{self.length_px:.1f} ± {self.uncertainty_px:.1f} px (no scale)"
        left_out = "" if self.includes_pitch_uncertainty else "; that of the scale unknown, not included"
        return f"{self.length_mm:.2f} ± {self.uncertainty_mm:.2f} mm (k = 2; {self.pitch.source}{left_out})"


@dataclass(frozen=True, slots=True)
class CalibratedScale:
    """A pitch found from a known length.

    Attributes:
        pitch: mm per px, source USER.
        relative_uncertainty: expanded (k = 2) uncertainty of the pitch as a fraction of it.
    """

    pitch: PixelPitch
    relative_uncertainty: float


def measure_length(
    start: Point,
    end: Point,
    *,
    pitch: PixelPitch | None = None,
    pitch_relative_uncertainty: float | None = None,
    end_uncertainty_px: float = END_UNCERTAINTY_PX,
) -> Length:
    """The straight length between two points.

    Args:
        start: (x, y) in px.
        end: (x, y) in px.
        pitch: the scale, None when unknown.
        pitch_relative_uncertainty: expanded (k = 2), as a fraction of the pitch; None when unknown.
        end_uncertainty_px: half-width of what each end may be off.

    Raises:
        ValueError: when a coordinate is not finite or an uncertainty is negative.
    """
    return _length(
        math.dist(_finite(start), _finite(end)), pitch, pitch_relative_uncertainty, end_uncertainty_px
    )


def measure_box(
    box: Box,
    *,
    pitch: PixelPitch | None = None,
    pitch_relative_uncertainty: float | None = None,
    end_uncertainty_px: float = END_UNCERTAINTY_PX,
) -> tuple[Length, Length]:
    """Width and height of a box (xyxy, px); arguments and errors as of `measure_length`.

    Raises:
        ValueError: also when the box is not xyxy with x2 >= x1 and y2 >= y1.
    """
    x1, y1, x2, y2 = _finite(box)
    if x2 < x1 or y2 < y1:
        raise ValueError(f"box must be xyxy with x2 >= x1 and y2 >= y1, got {box}")
    width, height = (
        _length(side, pitch, pitch_relative_uncertainty, end_uncertainty_px) for side in (x2 - x1, y2 - y1)
    )
    return width, height


def calibrate_scale(
    start: Point,
    end: Point,
    known_mm: float,
    *,
    known_uncertainty_mm: float = 0.0,
    end_uncertainty_px: float = END_UNCERTAINTY_PX,
) -> CalibratedScale:
    """The pitch that makes the length between two points `known_mm`: a ruler, or the wires of an indicator.

    Args:
        start: (x, y) in px.
        end: (x, y) in px.
        known_mm: true length.
        known_uncertainty_mm: its expanded (k = 2) uncertainty.
        end_uncertainty_px: half-width of what each end may be off.

    Raises:
        ValueError: when `known_mm` is not positive, or the points are closer together than they are certain.
    """
    if not (math.isfinite(known_mm) and known_mm > 0):
        raise ValueError(f"known_mm must be positive and finite, got {known_mm}")
    if not known_uncertainty_mm >= 0:
        raise ValueError(f"known_uncertainty_mm must not be negative, got {known_uncertainty_mm}")
    length = measure_length(start, end, end_uncertainty_px=end_uncertainty_px)
    if length.length_px <= length.uncertainty_px:
        raise ValueError(
            f"the two ends are {length.length_px:.1f} px apart, not more than their uncertainty of "
            f"{length.uncertainty_px:.1f} px: choose ends further apart"
        )
    relative = math.hypot(length.uncertainty_px / length.length_px, known_uncertainty_mm / known_mm)
    return CalibratedScale(PixelPitch(known_mm / length.length_px, PitchSource.USER), relative)


def _length(
    length_px: float, pitch: PixelPitch | None, pitch_relative: float | None, end_px: float
) -> Length:
    if not end_px >= 0:
        raise ValueError(f"end_uncertainty_px must not be negative, got {end_px}")
    if pitch_relative is not None and not pitch_relative >= 0:
        raise ValueError(f"pitch_relative_uncertainty must not be negative, got {pitch_relative}")
    uncertainty_px = COVERAGE_FACTOR * end_px * math.sqrt(2 / 3)
    if pitch is None:
        return Length(length_px, uncertainty_px)
    length_mm = length_px * pitch.mm_per_px
    uncertainty_mm = math.hypot(uncertainty_px * pitch.mm_per_px, length_mm * (pitch_relative or 0.0))
    return Length(length_px, uncertainty_px, length_mm, uncertainty_mm, pitch, pitch_relative is not None)


def _finite(values: _T) -> _T:
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"coordinates must be finite, got {values}")
    return values

"""Measures that people drew on a radiograph: lengths, regions, line profiles, and what they read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from core.domain.errors import BadInputError
from core.domain.radiograph import PixelPitch, Pixels

MOST_MEASURES = 200
_LONGEST_ID = 8
_WIDEST_BAND_PX = 101


class MeasureKind(StrEnum):
    """Kind of a measure; the letter of its id is the first one of it."""

    LENGTH = "length"
    REGION = "region"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure; points in px of the image, px i covers i to i + 1.

    Attributes:
        measure_id: such as "L1".
        a, b: x, y of the two ends, or of two corners.
        band_px: width over which a profile is averaged.
        is_background: the region that the others are compared with.
        mean, sd: of the recorded values in a region, sd with n - 1; None of the others, and outside.

    Raises:
        BadInputError: it cannot be.
    """

    measure_id: str
    kind: MeasureKind
    a: tuple[float, float]
    b: tuple[float, float]
    band_px: int = 1
    is_background: bool = False
    mean: float | None = None
    sd: float | None = None

    def __post_init__(self) -> None:
        if not 1 < len(self.measure_id) <= _LONGEST_ID or not self.measure_id.isalnum():
            raise BadInputError(f"measure: expected an id such as L1, got {self.measure_id[:20]!r}")
        if not all(math.isfinite(value) for value in (*self.a, *self.b)):
            raise BadInputError(f"measure {self.measure_id}: expected finite px")
        if not 1 <= self.band_px <= _WIDEST_BAND_PX:
            raise BadInputError(f"measure {self.measure_id}: expected a band of 1 to {_WIDEST_BAND_PX} px")

    @property
    def length_px(self) -> float:
        """Distance of the two points."""
        return math.dist(self.a, self.b)

    @property
    def sides_px(self) -> tuple[float, float]:
        """Width and height of the px whose centres lie between the two points."""
        (x0, x1), (y0, y1) = (sorted((self.a[axis], self.b[axis])) for axis in (0, 1))
        return math.ceil(x1 - 0.5) - math.ceil(x0 - 0.5), math.ceil(y1 - 0.5) - math.ceil(y0 - 0.5)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `measure_from` reads it back."""
        return asdict(self) | {"kind": self.kind.value, "a": list(self.a), "b": list(self.b)}


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure as it stands in a record: name, value with its unit, source of the scale.

    Attributes:
        scale_source: in words; empty for a value that needs no scale.
    """

    measure_id: str
    kind: str
    value: str
    scale_source: str


def measure_from(content: Mapping[str, Any]) -> Measure:
    """The measure in `content`, as stored or as a viewer sends it.

    Raises:
        BadInputError: it is none.
    """
    try:
        ends = [tuple(float(value) for value in content[name]) for name in ("a", "b")]
        (ax, ay), (bx, by) = ends
        mean, sd = (None if content.get(name) is None else float(content[name]) for name in ("mean", "sd"))
        return Measure(
            str(content["measure_id"]),
            MeasureKind(content["kind"]),
            (ax, ay),
            (bx, by),
            int(content.get("band_px", 1)),
            bool(content.get("is_background", False)),
            mean,
            sd,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not a measure: {type(error).__name__} {error}") from None


def region_of(one: Measure, pixels: Pixels) -> Pixels:
    """The px whose centre lies in a region, (h, w), empty outside; as in the viewer (`regionOf`)."""
    height, width = pixels.shape
    (x0, x1), (y0, y1) = (sorted((one.a[axis], one.b[axis])) for axis in (0, 1))
    left, right = (min(width, max(0, math.ceil(x - 0.5))) for x in (x0, x1))
    top, bottom = (min(height, max(0, math.ceil(y - 0.5))) for y in (y0, y1))
    return pixels[top:bottom, left:right]


def with_values(one: Measure, pixels: Pixels) -> Measure:
    """The measure with mean and sd of the recorded values where it is a region."""
    content = one.to_dict() | {"mean": None, "sd": None}
    if one.kind is MeasureKind.REGION and (region := region_of(one, pixels)).size:
        values = region.astype(np.float64)
        content["mean"] = float(values.mean())
        content["sd"] = float(values.std(ddof=1)) if values.size > 1 else None
    return measure_from(content)


def measure_lines(measures: Sequence[Measure], pitch: PixelPitch | None) -> tuple[MeasureLine, ...]:
    """One line each, lengths in mm where a scale is known, in px where not."""
    return tuple(_line(one, pitch) for one in measures)


def _line(one: Measure, pitch: PixelPitch | None) -> MeasureLine:
    source = "no scale: in px" if pitch is None else pitch.words
    kind = {MeasureKind.PROFILE: "line profile"}.get(one.kind, one.kind.value)
    if one.kind is not MeasureKind.REGION:
        return MeasureLine(one.measure_id, kind, _length(one.length_px, pitch), source)
    width, height = (_length(side, pitch) for side in one.sides_px)
    background = ", background" if one.is_background else ""
    if one.mean is None:
        return MeasureLine(one.measure_id, kind + background, "outside of the image", "")
    sd = "" if one.sd is None else f", sd {one.sd:.4g}"
    return MeasureLine(
        one.measure_id, kind + background, f"mean {one.mean:.5g}{sd}, {width} × {height}", source
    )


def _length(px: float, pitch: PixelPitch | None) -> str:
    return f"{px:.1f} px" if pitch is None else f"{px * pitch.mm_per_px:.2f} mm"

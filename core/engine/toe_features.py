"""Where an indication lies beside the toe of the weld, read from the profile across the weld around it.

Undercut is a groove in the parent metal along the toe (ISO 6520-1, 5011 and 5012): darker than the plate
next to it, with plate alone on its outer side and the weld on the other. Slag and lack of fusion lie in the
weld and are mostly lighter than the plate, however dark they look beside the bead. This is read around each
box, because on some films no zone is found, and on others it ends at the bright inner bead instead of at the
toes.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.engine.seam_view import Seam

#: `toe_below`: how far the indication is darker than the plate on its outer, darker side. `toe_rim` and
#: `toe_outside`: how far anything there is lighter than the plate, next to the box and within millimetres.
#: `toe_inside`: how far the other side is lighter. All in heights of the profile. `toe_away`: log of 1 plus
#: the distance to the weld on that side, in steps.
TOE_FEATURES = ("toe_below", "toe_rim", "toe_outside", "toe_inside", "toe_away")
#: Each step of the profile, px; it reaches so many steps to each side, of which so many are compared, and so
#: many are the rim.
_STEP_PX, _REACH, _SIDE, _RIM = 4, 90, 40, 10
#: A side with fewer steps inside of the image tells nothing.
_LEAST_STEPS = 8
#: The profile is the median over the length of the box and so much beside, within these half widths, steps.
_BESIDE, _LEAST_HALF, _MOST_HALF = 6.0, 20, 100
#: Height of a profile: between these percentiles, at least so much grey.
_LOW, _HIGH, _LEAST_HEIGHT = 10, 95, 0.02
#: The plate of a side is this percentile of it; the weld begins at half of the height above it.
_PLATE, _WELD_SHARE = 15, 0.5
#: The indication is as dark as this quantile of what lies in its box.
_DARK = 0.15
_MOST = 2.0

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """Across the weld: (2 * _REACH + 1,) levels, which of them the image shows, and the indication's own."""

    levels: _Values
    is_seen: npt.NDArray[np.bool_]
    dark: float
    half_width: float


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Levels from the box outwards, their distance from it in steps, and the mean of those compared."""

    levels: _Values
    away: _Values
    mean: float


def toe_features(image: FloatArray, boxes: FloatArray, seam: Seam) -> FloatArray:
    """(N, 5) float32, the `TOE_FEATURES` of each box (N, 4) xyxy px; zeros where no side shows anything.

    Args:
        image: (H, W) float32, normalised, more metal is brighter.
        boxes: of the indications.
        seam: of the image; only its direction counts.
    """
    height, width = image.shape
    size = max(1, width // _STEP_PX), max(1, height // _STEP_PX)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
    rows = [_toe(_profile(small, box, seam)) for box in boxes.astype(np.float64)]
    return np.array(rows, np.float32).reshape(-1, len(TOE_FEATURES))


def _profile(small: FloatArray, box: _Values, seam: Seam) -> _Profile:
    height, width = small.shape
    angle = seam.at(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2).angle
    cos, sin = math.cos(angle), math.sin(angle)
    x1, y1, x2, y2 = (box / _STEP_PX).tolist()
    x, y = min((x1 + x2) / 2, width - 1.0), min((y1 + y2) / 2, height - 1.0)
    along, across = (x2 - x1, y2 - y1) if abs(cos) >= abs(sin) else (y2 - y1, x2 - x1)
    half = int(min(max(along / 2 + _BESIDE, _LEAST_HALF), _MOST_HALF))
    # from the strip to the picture
    turn = np.array([[cos, -sin, x - cos * half + sin * _REACH], [sin, cos, y - sin * half - cos * _REACH]])
    strip = cv2.warpAffine(
        small,
        turn,
        (2 * half + 1, 2 * _REACH + 1),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    step = np.arange(-_REACH, _REACH + 1)
    column, row = x - sin * step, y + cos * step
    is_seen = (column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)
    levels = np.asarray(np.median(strip, axis=1), np.float32)
    levels = np.asarray(cv2.GaussianBlur(levels[:, None], (1, 5), 0)[:, 0], np.float32)
    reach = int(max(along / 2, 1))
    inside = strip[np.abs(step) <= max(across / 2, 1), max(0, half - reach) : half + reach + 1]
    dark = float(np.quantile(inside, _DARK))
    return _Profile(levels.astype(np.float64), is_seen, dark, across / 2 + 1)


def _toe(profile: _Profile) -> tuple[float, ...]:
    sides = [side for sign in (-1, 1) if (side := _side(profile, sign)) is not None]
    if not sides:
        return (0.0,) * len(TOE_FEATURES)
    low, high = np.percentile(profile.levels[profile.is_seen], (_LOW, _HIGH))
    height = max(float(high - low), _LEAST_HEIGHT)
    outer = min(sides, key=lambda side: side.mean)
    inner = max(sides, key=lambda side: side.mean)
    beside = outer.levels[:_SIDE]
    plate = float(np.percentile(beside, _PLATE))
    is_weld = inner.levels > plate + _WELD_SHARE * height
    has_weld = len(sides) == 2 and bool(is_weld.any())
    return (
        min(max((plate - profile.dark) / height, -_MOST), _MOST),
        min((float(beside[:_RIM].max()) - plate) / height, _MOST),
        min((float(beside.max()) - plate) / height, _MOST),
        (inner.mean - outer.mean) / height,
        math.log1p(float(inner.away[np.argmax(is_weld)]) if has_weld else _REACH),
    )


def _side(profile: _Profile, sign: int) -> _Side | None:
    """One side of the box; None where the image shows hardly anything of it."""
    away = sign * np.arange(-_REACH, _REACH + 1) - profile.half_width
    chosen = np.flatnonzero(profile.is_seen & (away > 0))[::sign]
    if len(chosen) < _LEAST_STEPS:
        return None
    levels = profile.levels[chosen]
    return _Side(levels, np.asarray(away[chosen], np.float64), float(levels[:_SIDE].mean()))

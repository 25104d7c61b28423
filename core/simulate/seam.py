"""Finding the course of the weld on a real film."""

import cv2
import numpy as np
import numpy.typing as npt

from core.simulate.fields import Array

#: Columns that are looked at together, px.
_STRIP_PX = 250
#: Films bear letters at their edges; the seam's crest is looked for in the middle of the height.
_MARGIN = 0.15
#: The cap ends where the film falls to this share of the crest above the plate.
_EDGE = 0.4


def find_seam(film: Array) -> tuple[Array, Array]:
    """The seam of a film on which it runs from left to right, brighter than the plate.

    A straight line and one width are fitted by medians, so that letters on a few strips do not matter.

    Args:
        film: (H, W) grey, film polarity: more metal is brighter.

    Returns:
        centre: (W,) float32, row of its centre line, px.
        half_width: (W,) float32, half its width, px.

    Raises:
        ValueError: when the film is narrower than 500 or lower than 64 px.
    """
    height, width = film.shape
    if width < 2 * _STRIP_PX or height < 64:
        raise ValueError(f"a film of at least 500x64 px shows a seam, got {width}x{height}")
    starts = range(0, width - _STRIP_PX + 1, _STRIP_PX)
    ends = np.array([_crest(film[:, x : x + _STRIP_PX]) for x in starts], np.float64)
    position = np.array(starts) + 0.5 * _STRIP_PX
    middle, half = ends.mean(axis=1), 0.5 * np.median(ends[:, 1] - ends[:, 0])
    slope = _median_slope(position, middle)
    offset = float(np.median(middle - slope * position))
    centre = offset + slope * np.arange(width)
    return centre.astype(np.float32), np.full(width, max(half, 8.0), np.float32)


def _crest(strip: Array) -> tuple[int, int]:
    """First and last row of the bright band across one strip."""
    height = len(strip)
    rows = np.median(strip, axis=1).astype(np.float32)
    profile = cv2.blur(rows[:, None], (1, max(9, height // 60) | 1)).ravel()
    margin = int(_MARGIN * height)
    crest = margin + int(np.argmax(profile[margin : height - margin]))
    plate = np.percentile(profile, 25)
    is_weld = profile > plate + _EDGE * (profile[crest] - plate)
    above, below = np.flatnonzero(~is_weld[:crest]), np.flatnonzero(~is_weld[crest:])
    first = int(above[-1]) + 1 if len(above) else 0
    last = crest + int(below[0]) - 1 if len(below) else height - 1
    return first, max(first, last)


def _median_slope(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Theil and Sen's: the median of the slopes between all pairs."""
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i]))) if len(i) else 0.0

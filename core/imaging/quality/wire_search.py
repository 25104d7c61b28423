"""Search for wires: three or more thin, straight, parallel, equally spaced lines that fade one by one.

The picture is averaged along the lines (down the rows) first, because a wire is long and noise is not; each
row is then measured in units of its own local noise, and strips of rows are added up along every lean that
is tried.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Lines may lean so much (px sideways per px along) and are tried in these steps.
LEANS = tuple(float(lean) for lean in np.linspace(-0.1, 0.1, 9))
#: Rows of the working picture that are added up.
STRIP_ROWS = 20
STRIP_STEP = 5
#: A peak of a strip stands this many standard deviations over its surroundings.
PEAK = 3.5
MIN_LINES, MAX_LINES = 3, 7
#: Sum of the peaks of a comb, in standard deviations.
MIN_COMB_SCORE = 20.0
_SPACING_TOLERANCE = 0.035
_FADING, _FADING_SLACK = 1.25, 0.5
_CLIP = 4.0
_MARGIN = 80
_WIDEST_PX = 2400


@dataclass(frozen=True, slots=True, eq=False)
class WorkingPicture:
    """A picture made small and measured in its own noise.

    Attributes:
        lines: (rows, columns) float32, thin line over background in standard deviations, -4..4, bright > 0.
        across, along: px of the original per column and row.
    """

    lines: Array
    across: int
    along: int


@dataclass(frozen=True, slots=True)
class Comb:
    """Equally spaced lines in one strip; coordinates are columns and rows of the working picture.

    Attributes:
        score: sum of the peaks, standard deviations.
        sign: 1 for bright lines, -1 for dark ones.
        lean: px sideways per px along, original px.
        top: first row of the strip.
        columns: of each line in the middle of the strip, ascending.
        peaks: of each line, standard deviations.
    """

    score: float
    sign: int
    lean: float
    top: int
    columns: tuple[float, ...]
    peaks: tuple[float, ...]


def working_picture(pixels: Array) -> WorkingPicture:
    """The working picture of `pixels` (H, W) float32, finite."""
    height, width = pixels.shape
    across = 2 if width > _WIDEST_PX else 1
    along = min(8 * across, max(1, height // STRIP_ROWS))
    size = (max(1, width // across), max(1, height // along))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    one = np.ones((1, 1))
    thin = cv2.sepFilter2D(small, -1, cv2.getGaussianKernel(9, 1.3), one)
    wide = cv2.sepFilter2D(small, -1, cv2.getGaussianKernel(61, 10.0), one)
    difference = np.asarray(thin - wide, np.float32)
    noise = 1.25 * cv2.boxFilter(np.abs(difference), -1, (81, 3)) + 1e-3
    return WorkingPicture(np.clip(difference / noise, -_CLIP, _CLIP).astype(np.float32), across, along)


def sheared(lines: Array, shift_per_row: float) -> Array:
    """`lines` with each row moved so that lines of that lean stand upright; the middle row stays."""
    rows, columns = lines.shape
    shifts = shift_per_row * (np.arange(rows) - rows / 2)
    whole = np.floor(shifts).astype(int)
    part = (shifts - whole).astype(np.float32)
    margin = max(_MARGIN, int(np.abs(whole).max()) + 2)
    padded = np.pad(lines, ((0, 0), (margin, margin)))
    out = np.empty_like(lines)
    for row in range(rows):
        left = margin + whole[row]
        out[row] = (1 - part[row]) * padded[row, left : left + columns]
        out[row] += part[row] * padded[row, left + 1 : left + 1 + columns]
    return out


def best_comb(picture: WorkingPicture, signs: tuple[int, ...], spacings: tuple[float, float]) -> Comb | None:
    """The comb with the highest score, None when none reaches `MIN_COMB_SCORE`.

    Args:
        picture: to search.
        signs: 1 for bright lines, -1 for dark ones, or both.
        spacings: smallest and largest, in columns.
    """
    best: Comb | None = None
    rows = picture.lines.shape[0]
    height = min(rows, STRIP_ROWS)
    for lean in LEANS:
        shift = lean * picture.along / picture.across
        upright = sheared(picture.lines, shift)
        sums = np.vstack([np.zeros((1, upright.shape[1]), np.float32), np.cumsum(upright, axis=0)])
        for top in range(0, rows - height + 1, STRIP_STEP):
            strip = (sums[top + height] - sums[top]) / np.float32(np.sqrt(height))
            for sign in signs:
                found = _comb_of_strip(sign * strip, spacings)
                if found is None or (best is not None and found[0] <= best.score):
                    continue
                moved = shift * (top + height / 2 - rows / 2)
                columns = tuple(float(column + moved) for column in found[1])
                best = Comb(found[0], sign, lean, top, columns, found[2])
    return best if best is not None and best.score >= MIN_COMB_SCORE else None


def _comb_of_strip(
    strip: Array, spacings: tuple[float, float]
) -> tuple[float, tuple[float, ...], tuple[float, ...]] | None:
    """Score, columns and peaks of the best comb of one strip."""
    is_peak = (strip[1:-1] > PEAK) & (strip[1:-1] >= strip[:-2]) & (strip[1:-1] > strip[2:])
    columns = np.flatnonzero(is_peak) + 1
    best: tuple[float, tuple[float, ...], tuple[float, ...]] | None = None
    if len(columns) < MIN_LINES:
        return None
    heights = strip[columns]
    for first in range(len(columns) - 2):
        for second in range(first + 1, len(columns)):
            spacing = float(columns[second] - columns[first])
            if spacing > spacings[1]:
                break
            if spacing < spacings[0]:
                continue
            members = _continued(columns, [first, second])
            peaks = heights[members]
            if len(members) < MIN_LINES or not _fades(peaks):
                continue
            score = float(peaks.sum())
            if best is None or score > best[0]:
                best = (score, tuple(map(float, columns[members])), tuple(map(float, peaks)))
    return best


def _continued(columns: npt.NDArray[np.intp], members: list[int]) -> list[int]:
    """The members and every further peak that keeps their spacing."""
    while len(members) < MAX_LINES:
        spacing = (columns[members[-1]] - columns[members[0]]) / (len(members) - 1)
        wanted = columns[members[-1]] + spacing
        nearest = int(np.searchsorted(columns, wanted))
        nearest = min(
            (index for index in (nearest - 1, nearest) if index < len(columns)),
            key=lambda index: abs(columns[index] - wanted),
        )
        if nearest <= members[-1] or abs(columns[nearest] - wanted) > _SPACING_TOLERANCE * spacing + 1:
            break
        members.append(nearest)
    return members


def _fades(peaks: Array) -> bool:
    """True when the peaks become lower from one end to the other, within noise."""
    forwards = all(b <= _FADING * a + _FADING_SLACK for a, b in pairwise(peaks))
    backwards = all(a <= _FADING * b + _FADING_SLACK for a, b in pairwise(peaks))
    return forwards or backwards

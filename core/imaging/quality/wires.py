"""Wire image quality indicators in a radiograph: how many of their wires are visible.

A wire counts as visible when its line, added up along the length on which the two strongest wires of the same
indicator are found, stands `VISIBLE` standard deviations of the noise beside it over its background, and all
thicker ones do. That is a machine's criterion: ISO 19232-1 and ISO 17636 ask whether a person sees 10 mm
of the wire without a break. What is found says so.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.domain.radiograph import PixelPitch, Polarity, Radiograph
from core.domain.wire_sets import wires_of_set
from core.imaging.pixels import float_pixels
from core.imaging.quality.wire_search import (
    MAX_LINES,
    STRIP_ROWS,
    Array,
    Comb,
    WorkingPicture,
    best_comb,
    sheared,
    working_picture,
)

#: Standard deviations; see docs/image-quality.md for how often a place without a wire reaches it.
VISIBLE = 6.0
#: Distance of neighbouring wires, mm at the object or up to 1.3 times magnified.
SPACING_MM = (4.7, 8.5)
#: Without a scale any spacing is tried, px, so more evidence is asked for.
SPACING_PX = (15.0, 400.0)
_LEAST_LINES_WITHOUT_SCALE, _LEAST_SCORE_WITHOUT_SCALE = 4, 32.0
_STRONG = 4.0
_WINDOW_ROWS = 10
_SEARCH = 4
#: A thicker wire is at least so strong beside the mean of the next two.
_THICKER = 0.55
_LEAST_VISIBLE = 2
_TRACK_LEANS = tuple(float(lean) for lean in np.linspace(-0.0375, 0.0375, 7))


@dataclass(frozen=True, slots=True)
class WireIndicator:
    """A wire indicator that was found.

    Attributes:
        n_visible: wires that are visible without a gap, counted from the thickest found.
        positions_px: of the visible wires where the evidence is best, thickest first: x, or y when lying.
        spacing_px: mean distance of neighbours.
        length_px: length along which the strongest wires were followed.
        is_lying: the wires run left to right instead of up and down.
    """

    n_visible: int
    positions_px: tuple[float, ...]
    spacing_px: float
    length_px: float
    is_lying: bool

    def smallest_visible(self, first_wire: int) -> int:
        """Number of the smallest visible wire, given the set, e.g. 14 for W14.

        Too thick a wire rather than too thin a one is named when the set's thickest wires were not found.

        Raises:
            ValueError: when no set begins with `first_wire`.
        """
        return wires_of_set(first_wire)[self.n_visible - 1]


def find_wires(radiograph: Radiograph) -> WireIndicator | None:
    """The wire indicator of a radiograph, None when none is found; the strongest when there are several.

    Looks for wires up to 6 degrees off upright, then off lying. Their lines are brighter than the part on a
    film, darker on a digital radiograph; with unknown polarity either. Not found: wires wider
    than about 20 px.
    """
    signs = {Polarity.FILM: (1,), Polarity.DIGITAL: (-1,)}.get(radiograph.polarity, (1, -1))
    pixels = float_pixels(radiograph)
    for is_lying in (False, True):
        turned = np.ascontiguousarray(pixels.T) if is_lying else pixels
        picture = working_picture(turned)
        spacings = _spacings(radiograph.pitch, picture.across)
        comb = best_comb(picture, signs, spacings)
        if comb is None or not _is_convincing(comb, has_scale=radiograph.pitch is not None):
            continue
        found = _followed(picture, comb, is_lying)
        if found is not None:
            return found
    return None


def _spacings(pitch: PixelPitch | None, across: int) -> tuple[float, float]:
    low, high = SPACING_PX if pitch is None else tuple(mm / pitch.mm_per_px for mm in SPACING_MM)
    return low / across, high / across


def _is_convincing(comb: Comb, *, has_scale: bool) -> bool:
    return has_scale or (
        len(comb.columns) >= _LEAST_LINES_WITHOUT_SCALE and comb.score >= _LEAST_SCORE_WITHOUT_SCALE
    )


def _followed(picture: WorkingPicture, comb: Comb, is_lying: bool) -> WireIndicator | None:
    """The indicator to which the comb belongs; None when fewer than two of its wires are visible."""
    tracks = _Tracks(picture, comb)
    rows = tracks.extent(sorted(comb.columns, key=lambda c: comb.peaks[comb.columns.index(c)])[-2:])
    runs = [_run(tracks, columns, rows) for columns in (comb.columns, comb.columns[::-1])]
    wires = max(runs, key=_evidence)
    if len(wires) < _LEAST_VISIBLE:
        return None
    return WireIndicator(
        n_visible=len(wires),
        positions_px=tuple((wire.column + 0.5) * picture.across for wire in wires),
        spacing_px=abs(wires[-1].column - wires[0].column) / (len(wires) - 1) * picture.across,
        length_px=float((rows[1] - rows[0]) * picture.along),
        is_lying=is_lying,
    )


@dataclass(frozen=True, slots=True)
class _Wire:
    column: float
    strength: float
    lean: float


def _run(tracks: "_Tracks", columns: tuple[float, ...], rows: tuple[int, int]) -> list[_Wire]:
    """The visible wires, thickest first, taking the first of `columns` for the thicker end."""
    step = (columns[-1] - columns[0]) / (len(columns) - 1)
    run = [tracks.measure(column, rows) for column in columns]
    while len(run) > 2 and not _may_precede(run[0], run[1:3]):
        run.pop(0)
    while len(run) < MAX_LINES:  # thicker ones that were too uneven for the comb
        before = tracks.measure(run[0].column - step, rows)
        if not _may_precede(before, run[:2]):
            break
        run.insert(0, before)
    while len(run) < MAX_LINES:
        run.append(tracks.measure(run[-1].column + step, rows))
    run = run[: next((i for i, wire in enumerate(run) if wire.strength < VISIBLE), len(run))]
    return run


def _evidence(run: list[_Wire]) -> float:
    """Strength in all, less where a thinner wire is the stronger one: the way round that fades wins."""
    rises = sum(max(0.0, thin.strength - thick.strength) for thick, thin in pairwise(run))
    return sum(wire.strength for wire in run) - 2 * rises


def _may_precede(wire: _Wire, thinner: list[_Wire]) -> bool:
    mean = sum(other.strength for other in thinner) / len(thinner)
    return wire.strength >= max(VISIBLE, _THICKER * mean)


class _Tracks:
    """Strength of single lines near a comb, over any rows, along any lean close to the comb's."""

    def __init__(self, picture: WorkingPicture, comb: Comb) -> None:
        self._rows, self._columns = picture.lines.shape
        self.middle = comb.top + min(self._rows, STRIP_ROWS) / 2
        self._per_lean = picture.along / picture.across
        self._sums: dict[float, Array] = {}
        for more in _TRACK_LEANS:
            upright = sheared(comb.sign * picture.lines, (comb.lean + more) * self._per_lean)
            summed = np.cumsum(upright, axis=0, dtype=np.float32)
            self._sums[comb.lean + more] = np.vstack([np.zeros((1, self._columns), np.float32), summed])

    def measure(self, column: float, rows: tuple[int, int]) -> _Wire:
        """The strongest line within `_SEARCH` columns of `column` in the comb's middle row."""
        best = _Wire(column, 0.0, 0.0)
        for lean, sums in self._sums.items():
            moved = lean * self._per_lean * (self.middle - self._rows / 2)
            at = round(column - moved)
            low, high = max(0, at - _SEARCH), min(self._columns, at + _SEARCH + 1)
            if high <= low:
                continue
            line = (sums[rows[1], low:high] - sums[rows[0], low:high]) / np.sqrt(rows[1] - rows[0])
            peak = int(line.argmax())
            if line[peak] > best.strength:
                best = _Wire(low + peak + moved, float(line[peak]), lean)
        return best

    def extent(self, columns: list[float]) -> tuple[int, int]:
        """First and last row of the piece around the comb in which all lines at `columns` are strong."""
        window = min(_WINDOW_ROWS, self._rows)
        starts = range(0, self._rows - window + 1, 2)
        is_on = [
            min(self.measure(column, (row, row + window)).strength for column in columns) > _STRONG
            for row in starts
        ]
        first = last = min(len(is_on) - 1, max(0, round(self.middle - window / 2) // 2))
        while first > 0 and any(is_on[max(0, first - 2) : first]):
            first -= 1
        while last < len(is_on) - 1 and any(is_on[last + 1 : last + 3]):
            last += 1
        return 2 * first, min(self._rows, 2 * last + window)

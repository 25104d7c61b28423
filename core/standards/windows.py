"""Indications along a weld: the worst stretch of a given length, and groups whose members lie close together.

Spans are (N, 2) float64, start and end along the weld in mm, end >= start.
"""

import numpy as np
import numpy.typing as npt

from core.standards.interval import TOLERANCE

Spans = npt.NDArray[np.float64]


def worst_total(spans: Spans, window_mm: float, touching: int | None = None) -> float:
    """The largest total length, mm, that any stretch of `window_mm` holds; 0.0 without spans.

    What reaches over the end of the stretch counts with the part within. The total changes its slope only
    where an end of the stretch meets an end of a span, so looking there is exact.

    Args:
        spans: (N, 2).
        window_mm: length of the stretch.
        touching: index of a span that the stretch must at least touch; None: any stretch.
    """
    starts = _stretches(spans, window_mm, touching)
    totals = _length_before(spans, starts + window_mm) - _length_before(spans, starts)
    return float(totals.max(initial=0.0))


def worst_count(spans: Spans, window_mm: float, touching: int | None = None) -> int:
    """The largest number of spans that any stretch of `window_mm` touches. Arguments as in `worst_total`."""
    starts = _stretches(spans, window_mm, touching)
    begun = np.searchsorted(np.sort(spans[:, 0]), starts + window_mm + TOLERANCE, side="right")
    over = np.searchsorted(np.sort(spans[:, 1]), starts - TOLERANCE, side="left")
    return int((begun - over).max(initial=0))


def linked_group(spans: Spans, member: int, gap_factor: float) -> npt.NDArray[np.intp]:
    """Indices of the group that span `member` belongs to, itself included, in order along the weld.

    A group is a run of neighbours in which no gap exceeds `gap_factor` times the longest span of the run. A
    new span joins the run before it, and what grew may join the one before that: one pass is enough.
    """
    groups: list[tuple[float, float, float, list[int]]] = []  # start, end, longest, members
    for index in np.lexsort((spans[:, 1], spans[:, 0])).tolist():
        start, end = spans[index].tolist()
        longest, members = end - start, [index]
        while groups and start - groups[-1][1] <= gap_factor * max(longest, groups[-1][2]) + TOLERANCE:
            before = groups.pop()
            start, end = before[0], max(before[1], end)
            longest, members = max(before[2], longest), before[3] + members
        groups.append((start, end, longest, members))
    return np.asarray(next(group[3] for group in groups if member in group[3]), np.intp)


def _length_before(spans: Spans, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(M,): the total length of spans before each `x`, from sorted ends and their running sums."""
    total = np.zeros_like(x)
    for ends, sign in ((np.sort(spans[:, 0]), 1.0), (np.sort(spans[:, 1]), -1.0)):
        n = np.searchsorted(ends, x)
        sums = np.concatenate([[0.0], np.cumsum(ends)])
        total += sign * (x * n - sums[n])
    return total


def _stretches(spans: Spans, window_mm: float, touching: int | None) -> npt.NDArray[np.float64]:
    """Starts of the stretches to look at, (M,) mm."""
    starts: npt.NDArray[np.float64] = np.unique(np.concatenate([spans.ravel(), spans.ravel() - window_mm]))
    if touching is None:
        return starts
    first, last = spans[touching, 0] - window_mm, spans[touching, 1]
    met: npt.NDArray[np.float64] = starts[(starts >= first) & (starts <= last)]
    return met

"""The indications that a cumulative rule sums up, and what is sure about their sum."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from core.standards.extents import along_weld
from core.standards.finding import Imperfection
from core.standards.interval import Interval
from core.standards.windows import Spans, linked_group, worst_count, worst_total

_Worst = Callable[[Spans, float, int | None], float]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """Indications that count, or may count, together under one rule.

    Attributes:
        ids: of N findings, sorted.
        is_certain: (N,) bool, surely under the rule.
        lengths: (N, 2) float64, along the weld, mm: the least, and the most, infinite when unknown.
        middles: (N,) float64, along the weld, mm; NaN when unknown.
    """

    ids: tuple[str, ...]
    is_certain: _Mask
    lengths: npt.NDArray[np.float64]
    middles: npt.NDArray[np.float64]

    @classmethod
    def of(cls, possible: Sequence[Imperfection], certain: frozenset[str]) -> Self:
        """The peers among `possible`, of which those with an id in `certain` are certain."""
        ordered = sorted(possible, key=lambda finding: finding.finding_id)
        bounds = [along_weld(finding) for finding in ordered]
        positions = [np.nan if f.position_mm is None else f.position_mm for f in ordered]
        return cls(
            tuple(finding.finding_id for finding in ordered),
            np.array([finding.finding_id in certain for finding in ordered], np.bool_),
            np.array([(bound.low, bound.high) for bound in bounds], np.float64).reshape(-1, 2),
            np.array(positions, np.float64),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, finding: Imperfection) -> int:
        """Position of `finding`.

        Raises:
            ValueError: it is none of them.
        """
        return self.ids.index(finding.finding_id)

    def certain_with(self, index: int) -> _Mask:
        """(N,) bool: what is certain if the one at `index` is."""
        mask = self.is_certain.copy()
        mask[index] = True
        return mask

    @property
    def is_placed(self) -> _Mask:
        """(N,) bool: position and length are known."""
        return np.isfinite(self.middles) & np.isfinite(self.lengths[:, 1])

    def spans(self, mask: _Mask, *, is_low: bool) -> Spans:
        """Spans of those in `mask`, which have to be placed, as short or as long as they may be."""
        half = self.lengths[mask, 0 if is_low else 1] / 2
        return np.stack([self.middles[mask] - half, self.middles[mask] + half], axis=1)


def total_in(finding: Imperfection, peers: Peers, window_mm: float | None) -> Interval:
    """The largest total length, mm, in a stretch of `window_mm` that touches `finding`; None: the whole weld.

    The lower bound counts what is certain, as short as it may be, and sets aside what has no position; the
    upper bound counts what is possible, as long as it may be, and takes what has no position to lie together.
    """
    index = peers.index(finding)
    low, high = peers.lengths.T
    if window_mm is None:
        return Interval(float(low[peers.certain_with(index)].sum()), float(high.sum()))
    within = np.minimum(peers.lengths, window_mm)
    return _in_window(index, peers, window_mm, worst_total, within)


def count_in(finding: Imperfection, peers: Peers, window_mm: float | None) -> Interval:
    """The largest number of indications that a stretch of `window_mm` that touches `finding` meets.

    Bounds as in `total_in`.
    """
    index = peers.index(finding)
    if window_mm is None:
        return Interval(int(peers.certain_with(index).sum()), len(peers))
    return _in_window(index, peers, window_mm, worst_count, np.ones_like(peers.lengths))


def group_total_in(finding: Imperfection, peers: Peers, window_mm: float, gap_factor: float) -> Interval:
    """The largest total length, mm, of one group in a stretch of `window_mm` that touches `finding`.

    A group needs two members: a total of 0 says that the indication stands alone. Bounds as in `total_in`.
    """
    index, is_placed = peers.index(finding), peers.is_placed
    low = 0.0
    if is_placed[index]:
        mask = is_placed & peers.certain_with(index)
        low = _group_total(peers.spans(mask, is_low=True), _rank(mask, index), window_mm, gap_factor)
    if len(peers) < 2:
        return Interval(low, low)
    if not is_placed.all():
        return Interval(low, float(peers.lengths[:, 1].sum()))
    spans = peers.spans(is_placed, is_low=False)
    return Interval(low, _group_total(spans, index, window_mm, gap_factor))


def _in_window(
    index: int, peers: Peers, window_mm: float, worst: _Worst, alone: npt.NDArray[np.float64]
) -> Interval:
    """`alone`: (N, 2), the least and the most that each one adds to a stretch by itself."""
    is_placed = peers.is_placed
    low, rank = float(alone[index, 0]), None
    if is_placed[index]:
        mask = is_placed & peers.certain_with(index)
        low = worst(peers.spans(mask, is_low=True), window_mm, _rank(mask, index))
        rank = _rank(is_placed, index)
    high = worst(peers.spans(is_placed, is_low=False), window_mm, rank)
    return Interval(low, high + float(alone[~is_placed, 1].sum()))


def _group_total(spans: Spans, member: int, window_mm: float, gap_factor: float) -> float:
    group = linked_group(spans, member, gap_factor)
    if len(group) < 2:
        return 0.0
    return worst_total(spans[group], window_mm, int(np.flatnonzero(group == member)[0]))


def _rank(mask: _Mask, index: int) -> int:
    """Rank of the one at `index` among those in `mask`."""
    return int(np.count_nonzero(mask[:index]))

"""Claimed groups beside the recorded codes of films, by centimetre cell.

A cell with a code holds at least one indication of the code, but nobody recorded which box that is. So a
recorded cell counts as its group when any claim in it is of that group, and else as the group of the claim
with the highest probability. A cell in which nothing is claimed abstains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.flaw_group import FlawGroup, group_of_code
from core.evaluate.cells import FilmOutcome, reached_cells

GROUPS = tuple(FlawGroup)
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupCells:
    """Recorded against claimed groups.

    Attributes:
        counts: (groups, groups + 1) cells, recorded by claimed; the last column abstains.
    """

    counts: Counts

    @property
    def coverage(self) -> float | None:
        """Share of the cells that do not abstain; None without a cell."""
        total = int(self.counts.sum())
        return None if total == 0 else float(self.counts[:, :-1].sum()) / total

    def f1(self, *, abstained_is_missed: bool = False) -> dict[FlawGroup, float]:
        """F1 of each recorded group, over the cells that do not abstain, or over all of them."""
        found: dict[FlawGroup, float] = {}
        for number, group in enumerate(GROUPS):
            row, column = self.counts[number], self.counts[:, number]
            recorded = int(row.sum() if abstained_is_missed else row[:-1].sum())
            if recorded:
                found[group] = 2 * float(row[number]) / float(recorded + column.sum())
        return found

    def macro_f1(self, *, abstained_is_missed: bool = False) -> float | None:
        """Mean over the recorded groups; None without any."""
        each = self.f1(abstained_is_missed=abstained_is_missed)
        return float(np.mean(list(each.values()))) if each else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "groups": [group.value for group in GROUPS],
            "recorded_by_claimed": self.counts.tolist(),
            "coverage": _rounded(self.coverage),
            "f1": {group.value: round(value, 4) for group, value in self.f1().items()},
            "macro_f1": _rounded(self.macro_f1()),
            "macro_f1_abstained_is_missed": _rounded(self.macro_f1(abstained_is_missed=True)),
        }


def count_group_cells(
    films: Sequence[FilmOutcome],
    claimed: Sequence[Sequence[FlawGroup | None]],
    *,
    probability: float,
    operating: Mapping[str, float] | None = None,
) -> GroupCells:
    """Cells with the codes of one group, and no other group next to them, by what is claimed in them.

    Args:
        films: with boxes; those that nobody recorded say nothing.
        claimed: the group of each box of each film; None where none is sure.
        probability: boxes of at least this were reported.
        operating: probability by group, or "unclassified", in place of `probability`.
    """
    counts = np.zeros((len(GROUPS), len(GROUPS) + 1), np.int64)
    for film, groups in zip(films, claimed, strict=True):
        recorded = recorded_groups(film)
        least = np.array([(operating or {}).get(group or "unclassified", probability) for group in groups])
        is_shown = film.probabilities >= (least if len(groups) else probability)
        by_cell = _boxes_by_cell(film, is_shown)
        for cell, own in recorded.items():
            if len(own) != 1 or cell not in by_cell:
                continue
            (group,) = own
            said = [groups[box] for box in by_cell[cell] if groups[box] is not None]
            claim = group if group in said else (said[0] if said else None)
            counts[GROUPS.index(group), len(GROUPS) if claim is None else GROUPS.index(claim)] += 1
    return GroupCells(counts)


def recorded_groups(film: FilmOutcome) -> dict[int, frozenset[FlawGroup]]:
    """The groups recorded in each cell that has any."""
    found: dict[int, set[FlawGroup]] = {}
    for entry in film.recorded:
        if (group := group_of_code(entry.code)) is not None:
            for cell in entry.cells:
                found.setdefault(cell, set()).add(group)
    return {cell: frozenset(groups) for cell, groups in found.items()}


def _boxes_by_cell(film: FilmOutcome, is_shown: npt.NDArray[np.bool_]) -> dict[int, list[int]]:
    """Numbers of the boxes that reach each cell, the highest probability first."""
    found: dict[int, list[int]] = {}
    shown = np.flatnonzero(is_shown)
    for box in shown[np.argsort(-film.probabilities[shown], kind="stable")]:
        reached = reached_cells(film.boxes[box : box + 1], cell_px=film.cell_px, n_cells=film.n_cells)
        for cell in reached:
            found.setdefault(cell, []).append(int(box))
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

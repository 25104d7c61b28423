"""Errors of a version at its operating point: by kind, by size and by part."""

from dataclasses import dataclass

import numpy as np

from core.evaluate.calibration_groups import SIZE_EDGES_PX
from core.evaluate.error_types import ErrorType, error_types
from core.evaluate.groups import GroupKind, size_groups, truth_in
from core.evaluate.outcome_table import Bools, OutcomeTable
from core.evaluate.proportion import wilson_interval


@dataclass(frozen=True, slots=True)
class Found:
    """Recorded boxes of a group that were found at the operating point.

    Attributes:
        group: size or part, in words.
        n_boxes, n_found: recorded ones, and those of them with a reported box at IoU 0.5.
        n_false: reported boxes of the group that match nothing; None where boxes are grouped by what is
            recorded of them.
        found_ci: 95 % Wilson interval of the share found, as if boxes were independent; None without boxes.
    """

    group: str
    n_boxes: int
    n_found: int
    n_false: int | None
    found_ci: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ErrorSummary:
    """Errors at the operating point of the version.

    Attributes:
        errors: how many boxes of each kind of `ErrorType`.
        found_by_size_px: by the longer side of the recorded box.
        found_by_part: by series, film or image; those with the most missed boxes first.
    """

    errors: dict[str, int]
    found_by_size_px: tuple[Found, ...]
    found_by_part: tuple[Found, ...]


def summarise_errors(table: OutcomeTable) -> ErrorSummary:
    """The errors at the operating probability of the table's version."""
    counts = error_types(table).counts()
    sizes = size_groups(GroupKind.SIZE_PX, SIZE_EDGES_PX)
    return ErrorSummary(
        errors={kind.value: counts[kind] for kind in ErrorType},
        found_by_size_px=tuple(_found(table, one.name, truth_in(table, one), None) for one in sizes),
        found_by_part=_by_part(table),
    )


def _by_part(table: OutcomeTable) -> tuple[Found, ...]:
    parts = np.array(table.parts)
    is_false = table.is_reported() & (table.matched < 0)
    rows = [
        _found(table, name, parts[table.truth_image] == name, is_false & (parts[table.box_image] == name))
        for name in dict.fromkeys(table.parts)
    ]
    return tuple(sorted(rows, key=lambda row: row.n_found - row.n_boxes))


def _found(table: OutcomeTable, name: str, chosen: Bools, false: Bools | None) -> Found:
    n, found = int(chosen.sum()), int((table.box_of_truth()[chosen] >= 0).sum())
    n_false = None if false is None else int(false.sum())
    return Found(name, n, found, n_false, wilson_interval(found, n))

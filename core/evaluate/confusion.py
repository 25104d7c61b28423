"""Confusion of reported and recorded classes, background included."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluate.outcome_table import OutcomeTable

#: Recorded nowhere (a false call) or reported nowhere (a miss).
BACKGROUND = "background"


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Counts of boxes at one operating probability, matched at IoU 0.5 whatever their classes.

    Attributes:
        classes: names of the rows (recorded) and columns (reported); the last one is `BACKGROUND`.
        counts: (K + 1, K + 1) int; [-1, j] are false calls of class j, [i, -1] missed ones of class i.
    """

    classes: tuple[str, ...]
    counts: npt.NDArray[np.int64]


def confusion(table: OutcomeTable, probability: float | None = None) -> Confusion | None:
    """The counts, None where the recorded classes are not the version's: then nothing can be confused."""
    if not table.is_class_aware:
        return None
    n = len(table.classes)
    counts = np.zeros((n + 1, n + 1), np.int64)
    found = table.box_of_truth(probability)
    reported = np.where(found >= 0, table.box_class[found], n) if len(table.boxes) else np.full(len(found), n)
    np.add.at(counts, (table.truth_class, reported), 1)
    is_false = table.is_reported(probability) & (table.matched < 0)
    np.add.at(counts, (np.full(int(is_false.sum()), n), table.box_class[is_false]), 1)
    return Confusion((*table.classes, BACKGROUND), counts)

"""Kind of error of each reported and each recorded box.

After D. Bolya et al., TIDE: A General Toolbox for Identifying Object Detection Errors, ECCV 2020. Deviations:
boxes count as they are reported at the operating point, not weighted by what they cost in average precision;
a recorded box counts as missed also when a box of poor extent lies on it.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.evaluate.matching import IOU_THRESHOLD
from core.evaluate.outcome_table import Bools, OutcomeTable

#: Less overlap with every recorded box than this is background.
BACKGROUND_IOU = 0.1


class ErrorType(StrEnum):
    """Kind of error of a box."""

    TRUE = "true"
    CLASS = "class"
    LOCALISATION = "localisation"
    DUPLICATE = "duplicate"
    BACKGROUND = "background"
    MISSED = "missed"

    @property
    def meaning(self) -> str:
        """In words."""
        return {
            ErrorType.TRUE: "reported where one is recorded",
            ErrorType.CLASS: "reported where one is recorded, under another class",
            ErrorType.LOCALISATION: "near a recorded one, but the extent differs (IoU 0.1 to 0.5)",
            ErrorType.DUPLICATE: "a second box on a recorded one that was found already",
            ErrorType.BACKGROUND: "reported where nothing is recorded",
            ErrorType.MISSED: "recorded, not reported",
        }[self]


_CODES = tuple(ErrorType)


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """The kind of every box at one operating probability.

    Attributes:
        of_box: (D,) index into `ErrorType`, -1 for boxes that are not reported.
        is_missed: (G,) bool.
    """

    of_box: npt.NDArray[np.int8]
    is_missed: Bools

    def boxes(self, kind: ErrorType) -> npt.NDArray[np.intp]:
        """Indices of the reported boxes of this kind; for `MISSED`, of the recorded ones."""
        if kind is ErrorType.MISSED:
            return np.flatnonzero(self.is_missed)
        return np.flatnonzero(self.of_box == _CODES.index(kind))

    def counts(self) -> dict[ErrorType, int]:
        """Counts of each kind."""
        return {kind: len(self.boxes(kind)) for kind in ErrorType}


def error_types(table: OutcomeTable, probability: float | None = None) -> Errors:
    """The kind of every box when those of at least `probability` are reported; None: the operating one."""
    is_true = table.matched >= 0
    of_box = np.full(len(table.scores), _CODES.index(ErrorType.BACKGROUND), np.int8)
    of_box[table.nearest_iou >= BACKGROUND_IOU] = _CODES.index(ErrorType.LOCALISATION)
    of_box[table.nearest_iou >= IOU_THRESHOLD] = _CODES.index(ErrorType.DUPLICATE)
    of_box[is_true] = _CODES.index(ErrorType.TRUE)
    if table.is_class_aware:
        hits = np.flatnonzero(is_true)
        is_other = table.truth_class[table.matched[hits]] != table.box_class[hits]
        of_box[hits[is_other]] = _CODES.index(ErrorType.CLASS)
    of_box[~table.is_reported(probability)] = -1
    return Errors(of_box, table.box_of_truth(probability) < 0)

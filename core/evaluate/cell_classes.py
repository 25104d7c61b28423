"""Agreement of reported classes with recorded codes, by centimetre cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.indication import IndicationClass
from core.evaluate.cells import TOLERANCE_CELLS, FilmOutcome, reached_cells
from core.evaluate.proportion import wilson_interval

_CLASS_OF_CODE = (
    ("1", IndicationClass.CRACK),
    ("20", IndicationClass.POROSITY),
    ("30", IndicationClass.INCLUSION),
    ("401", IndicationClass.LACK_OF_FUSION),
    ("402", IndicationClass.LACK_OF_PENETRATION),
    ("501", IndicationClass.UNDERCUT),
)


@dataclass(frozen=True, slots=True)
class ClassCells:
    """One class on recorded films at one operating probability.

    Attributes:
        indication_class: the class.
        recorded: cells in which a code of this class is recorded.
        found: those of them that a box of any class reaches.
        named: those of them that a box of this class reaches.
        elsewhere: cells of the recorded films more than one away from every recorded one of this class.
        named_elsewhere: those of them that a box of this class reaches.
    """

    indication_class: IndicationClass
    recorded: int
    found: int
    named: int
    elsewhere: int
    named_elsewhere: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values with the 95 % Wilson interval of the named among the found cells."""
        interval = wilson_interval(self.named, self.found)
        return {
            "recorded": self.recorded,
            "found": self.found,
            "named": self.named,
            "named_ci": None if interval is None else [round(end, 4) for end in interval],
            "elsewhere": self.elsewhere,
            "named_elsewhere": self.named_elsewhere,
        }


def class_of_code(code: str) -> IndicationClass | None:
    """The class of an ISO 6520-1 code; None for codes that no class stands for."""
    return next((name for start, name in _CLASS_OF_CODE if code.startswith(start)), None)


def count_classes(films: Sequence[FilmOutcome], *, probability: float) -> list[ClassCells]:
    """Each class on the recorded ones of `films`, with boxes of at least `probability`.

    A cell with codes of two classes counts for both, and a cell that boxes of two classes reach is named
    both ways: read `named` beside `named_elsewhere`.
    """
    judged = [film for film in films if film.is_judged]
    return [_count(judged, name, probability) for _, name in _CLASS_OF_CODE]


def _count(films: Sequence[FilmOutcome], wanted: IndicationClass, probability: float) -> ClassCells:
    counts = np.zeros(5, np.int64)
    for film in films:
        recorded = {c for e in film.recorded if class_of_code(e.code) is wanted for c in e.cells}
        near = {c + s for c in recorded for s in range(-TOLERANCE_CELLS, TOLERANCE_CELLS + 1)}
        elsewhere = set(range(1, film.n_cells + 1)) - near
        kept = film.probabilities >= probability
        of_class = kept & np.array([name is wanted for name in film.classes], np.bool_)
        reached, named = (
            set(reached_cells(film.boxes[chosen], cell_px=film.cell_px, n_cells=film.n_cells))
            for chosen in (kept, of_class)
        )
        counts += [
            len(recorded),
            len(recorded & reached),
            len(recorded & named),
            len(elsewhere),
            len(elsewhere & named),
        ]
    return ClassCells(wanted, *(int(count) for count in counts))

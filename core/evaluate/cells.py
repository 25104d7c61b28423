"""Cell-wise evaluation of whole films: what was recorded by centimetre beside where boxes were reported.

An examiner's record of a film names a start in whole centimetres, a code and a length, no box. So a film is
cut across into columns, the cells, each over its full height: cell k (1, 2, ...) holds the pixel columns
from (k - 1) * cell_px to k * cell_px; the last one may be narrower. A recorded indication of length L
stands in its start cell and the next ones, as many as L fills from the left edge of the start cell:
ceil(L / 1 cm), at least one. Where in its start cell it begins is not recorded, so it may reach one further.

A cell is *reached* when a reported box covers a part of its width, at any height. A recorded cell is found
when it is reached. A reached cell is false when it lies more than one cell away from every recorded one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.indication import IndicationClass

#: Reached cells so near to a recorded one are not false.
TOLERANCE_CELLS = 1
#: Single pores of this length and more are counted apart from smaller ones.
LARGE_PORE_MM = 1.0
_STRETCHES = ("2012", "2013", "2014")
#: A hundredth of a cell longer than full cells still fills only these: lengths are read off a film.
_ROUNDING = 0.01


class CellGroup(StrEnum):
    """Group of ISO 6520-1 codes that are counted together.

    Single pores (2011, 2015 to 2017): the recorded length is that of the cavity. Porosity (2012 to 2014):
    it is that of the affected stretch, and says nothing about the size of a pore.
    """

    PORES = "single pores of 1 mm and more"
    SMALL_PORES = "single pores under 1 mm"
    POROSITY = "uniform, clustered and linear porosity"
    CRACKS = "cracks"
    LACK_OF_PENETRATION = "lack of penetration"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class RecordedCells:
    """One recorded indication as cells.

    Attributes:
        group: what it is counted with.
        code: its ISO 6520-1 code.
        cells: the numbers of its cells, rising, counted from 1.
    """

    group: CellGroup
    code: str
    cells: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FilmOutcome:
    """Recorded and reported on one film.

    Attributes:
        name: file name.
        width: px.
        cell_px: width of a cell.
        recorded: its indications, none on a film without.
        is_judged: False when nobody recorded the film, so that no cell of it can be false.
        boxes: (D, 4) xyxy px.
        probabilities: (D,) calibrated, 0..1.
        classes: D of them.

    Raises:
        ValueError: when boxes, probabilities and classes do not belong together or the cells do not lie on
            the film.
    """

    name: str
    width: int
    cell_px: float
    recorded: tuple[RecordedCells, ...]
    is_judged: bool
    boxes: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.floating[Any]]
    classes: tuple[IndicationClass, ...]

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.probabilities), 4) or len(self.classes) != len(self.boxes):
            raise ValueError(
                f"{self.name}: boxes {self.boxes.shape}, probabilities {self.probabilities.shape}, "
                f"{len(self.classes)} classes"
            )
        listed = [cell for entry in self.recorded for cell in entry.cells]
        if not self.cell_px > 0 or not all(1 <= cell <= self.n_cells for cell in listed):
            raise ValueError(f"{self.name}: cells {listed} of {self.cell_px} px, {self.width} px wide")

    @property
    def n_cells(self) -> int:
        """Number of cells of the film, the last narrower one included."""
        return math.ceil(self.width / self.cell_px)


@dataclass(frozen=True, slots=True)
class FilmCells:
    """Counts of one film.

    Attributes:
        name: file name.
        n_cells: cells of the film.
        n_free: cells more than one away from every recorded one.
        n_reached: cells that a box reaches.
        false_cells: numbers of the false ones; None when nobody recorded the film.
        found, recorded: numbers of the found and of all recorded cells by group or code.
    """

    name: str
    n_cells: int
    n_free: int
    n_reached: int
    false_cells: tuple[int, ...] | None
    found: Mapping[str, tuple[int, ...]]
    recorded: Mapping[str, tuple[int, ...]]


def group_of(code: str, length_mm: float) -> CellGroup:
    """Group of an indication of that code; a pore of unknown length (NaN) counts with the others."""
    if code in _STRETCHES:
        return CellGroup.POROSITY
    if code.startswith("201") and math.isfinite(length_mm):
        return CellGroup.PORES if length_mm >= LARGE_PORE_MM else CellGroup.SMALL_PORES
    if code.startswith("1"):
        return CellGroup.CRACKS
    if code.startswith("402"):
        return CellGroup.LACK_OF_PENETRATION
    return CellGroup.OTHERS


def cells_of_length(start_cell: int, length_mm: float, *, n_cells: int) -> tuple[int, ...]:
    """The cells of an indication that begins in `start_cell` (from 1), cut off at the end of the film.

    Empty when it begins beyond the film. A length of 0 or one that is not known (NaN) takes one cell.
    """
    filled = max(1, math.ceil(length_mm / 10 - _ROUNDING)) if math.isfinite(length_mm) else 1
    return tuple(range(start_cell, min(start_cell + filled - 1, n_cells) + 1))


def reached_cells(boxes: npt.NDArray[np.floating[Any]], *, cell_px: float, n_cells: int) -> tuple[int, ...]:
    """The numbers (from 1) of the cells that a box covers a part of, rising.

    Args:
        boxes: (D, 4) xyxy px; one without width reaches nothing, one that ends on an edge stays before it.
        cell_px: width of a cell, px.
        n_cells: of the film.
    """
    left = np.arange(n_cells) * cell_px
    begins, ends = boxes[:, 0:1], boxes[:, 2:3]
    is_reached = ((begins < left + cell_px) & (ends > left) & (ends > begins)).any(axis=0)
    return tuple(int(cell) + 1 for cell in np.flatnonzero(is_reached))


def count_cells(film: FilmOutcome, *, probability: float) -> FilmCells:
    """Cells of a film that its boxes of at least `probability` reach."""
    kept = film.boxes[film.probabilities >= probability]
    reached = reached_cells(kept, cell_px=film.cell_px, n_cells=film.n_cells)
    recorded: dict[str, set[int]] = {}
    for entry in film.recorded:
        for key in (entry.group.value, entry.code):
            recorded.setdefault(key, set()).update(entry.cells)
    near = {
        cell + shift
        for entry in film.recorded
        for cell in entry.cells
        for shift in range(-TOLERANCE_CELLS, TOLERANCE_CELLS + 1)
    }
    return FilmCells(
        name=film.name,
        n_cells=film.n_cells,
        n_free=len(set(range(1, film.n_cells + 1)) - near),
        n_reached=len(reached),
        false_cells=tuple(cell for cell in reached if cell not in near) if film.is_judged else None,
        found={key: tuple(sorted(cells.intersection(reached))) for key, cells in recorded.items()},
        recorded={key: tuple(sorted(cells)) for key, cells in recorded.items()},
    )

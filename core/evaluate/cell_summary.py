"""The figures of a cell-wise evaluation at one operating probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.evaluate.cells import CellGroup, FilmCells, FilmOutcome, count_cells
from core.evaluate.proportion import wilson_interval


@dataclass(frozen=True, slots=True)
class Share:
    """Found of recorded cells.

    Attributes:
        found: recorded cells that a box reaches.
        recorded: all of them; a cell counts once, however many indications of the group it holds.
        interval: 95 % Wilson interval of the share, None without a cell.
    """

    found: int
    recorded: int
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the share is None without a cell."""
        return {
            "found": self.found,
            "recorded": self.recorded,
            "share": round(self.found / self.recorded, 4) if self.recorded else None,
            "ci": None if self.interval is None else [round(end, 4) for end in self.interval],
        }


@dataclass(frozen=True, slots=True)
class CellSummary:
    """Cells reached and missed on a set of films.

    Attributes:
        probability: boxes of at least this were reported.
        n_films: all films.
        n_judged: those that somebody recorded; false cells are counted on these.
        n_false: false cells on the judged films.
        n_free: cells of the judged films that could have been false.
        groups: the share of each group, in the order of `CellGroup`.
        codes: the share of each ISO 6520-1 code that is recorded, sorted.
    """

    probability: float
    n_films: int
    n_judged: int
    n_false: int
    n_free: int
    groups: dict[CellGroup, Share]
    codes: dict[str, Share]

    @property
    def false_cells_per_film(self) -> float | None:
        """Mean over the judged films; None without one."""
        return self.n_false / self.n_judged if self.n_judged else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        mean = self.false_cells_per_film
        return {
            "probability": round(self.probability, 4),
            "n_films": self.n_films,
            "n_judged": self.n_judged,
            "n_false_cells": self.n_false,
            "n_free_cells": self.n_free,
            "false_cells_per_film": None if mean is None else round(mean, 4),
            "groups": {group.value: share.to_dict() for group, share in self.groups.items()},
            "codes": {code: share.to_dict() for code, share in self.codes.items()},
        }


def summarise_films(films: Sequence[FilmOutcome], *, probability: float) -> CellSummary:
    """The figures of `films` when boxes of at least `probability` are reported; no film gives no figures."""
    counted = [count_cells(film, probability=probability) for film in films]
    judged = [film for film in counted if film.false_cells is not None]
    codes = sorted({entry.code for film in films for entry in film.recorded})
    return CellSummary(
        probability=probability,
        n_films=len(films),
        n_judged=len(judged),
        n_false=sum(len(film.false_cells or ()) for film in judged),
        n_free=sum(film.n_free for film in judged),
        groups={group: _share(counted, group.value) for group in CellGroup},
        codes={code: _share(counted, code) for code in codes},
    )


def _share(films: Sequence[FilmCells], key: str) -> Share:
    found = sum(len(film.found.get(key, ())) for film in films)
    recorded = sum(len(film.recorded.get(key, ())) for film in films)
    return Share(found, recorded, wilson_interval(found, recorded))

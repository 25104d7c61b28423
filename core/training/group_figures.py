"""How often a second stage was right on what it never saw, and the operating points of its groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.flaw_group import UNCLASSIFIED, FlawGroup, GroupClaim
from core.engine.second_stage import GROUPS, LOOKS, MEMBERSHIP, Floats, SecondStage
from core.evaluate.cell_summary import summarise_films
from core.evaluate.cells import FilmOutcome, reached_cells
from core.evaluate.group_cells import GroupCells, count_group_cells, recorded_groups
from core.training.group_fit import look_of_code

Bools = npt.NDArray[np.bool_]
_RELIABILITY_EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001)
#: Most false cells a film, and what the operating points are chosen from.
FALSE_CELLS = 2.0
_GRID = tuple(round(0.04 * step, 2) for step in range(3, 19))
_PLANAR = (FlawGroup.LINEAR.value, FlawGroup.EDGE.value, UNCLASSIFIED)
_VOLUMETRIC = (FlawGroup.ROUNDED.value, FlawGroup.DENSE.value)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Shares of the likeliest answer and whether it was right.

    Attributes:
        shares: (N,) of reports with a known look first, then of recorded cells.
        is_right: (N,).
        n_known: how many are of reports with a known look.
    """

    shares: Floats
    is_right: Bools
    n_known: int

    def evened(self) -> tuple[Floats, Bools]:
        """Shares and whether they were right, cells repeated until they count as much as known reports."""
        n_cells = len(self.shares) - self.n_known
        cells = np.repeat(np.arange(self.n_known, len(self.shares)), max(1, self.n_known // max(1, n_cells)))
        rows = np.concatenate([np.arange(self.n_known), cells])
        return self.shares[rows], self.is_right[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Shares of looks by networks that never saw what they judge.

    Attributes:
        known_shares: (N, looks) of reports with a known look.
        looks: (N,) of them.
        is_virtual: (N,) whether the flaw was laid on a real film.
        film_shares: (D, looks) of the reports on each recorded film.
        outcomes: each film with its reports.
    """

    known_shares: Floats
    looks: npt.NDArray[np.int64]
    is_virtual: Bools
    film_shares: tuple[Floats, ...]
    outcomes: tuple[FilmOutcome, ...]

    def groups(self) -> Answers:
        """The likeliest group of known reports and of recorded cells."""
        by_group = self.known_shares @ MEMBERSHIP
        is_right = by_group.argmax(axis=1) == MEMBERSHIP[self.looks].argmax(axis=1)
        rows = [
            (float(by_group.max()), bool(GROUPS[int(by_group.argmax())] in groups))
            for shares, groups, _ in self._strongest()
            for by_group in (shares @ MEMBERSHIP,)
        ]
        return _answers(by_group.max(axis=1), is_right, rows)

    def types(self) -> Answers:
        """The likeliest type within its group, where the group is right and has several types."""
        by_group = self.known_shares @ MEMBERSHIP
        group = by_group.argmax(axis=1)
        is_asked = (group == MEMBERSHIP[self.looks].argmax(axis=1)) & (MEMBERSHIP.sum(axis=0)[group] > 1)
        within = self.known_shares * MEMBERSHIP[:, group].T / by_group.max(axis=1)[:, None]
        is_right = within.argmax(axis=1) == self.looks
        rows = []
        for shares, groups, looks in self._strongest():
            best = int((shares @ MEMBERSHIP).argmax())
            if GROUPS[best] in groups and MEMBERSHIP[:, best].sum() > 1:
                inside = shares * MEMBERSHIP[:, best]
                rows.append((float(inside.max() / inside.sum()), int(inside.argmax()) in looks))
        return _answers(within.max(axis=1)[is_asked], is_right[is_asked], rows)

    def _strongest(self) -> list[tuple[Floats, frozenset[FlawGroup], set[int]]]:
        """Of each recorded cell that is reached: the shares of its strongest report, its groups and looks."""
        found = []
        for outcome, shares in zip(self.outcomes, self.film_shares, strict=True):
            looks: dict[int, set[int]] = {}
            for entry in outcome.recorded:
                if (look := look_of_code(entry.code)) is not None:
                    for cell in entry.cells:
                        looks.setdefault(cell, set()).add(LOOKS.index(look))
            taken: set[int] = set()
            groups = recorded_groups(outcome)
            for box in np.argsort(-outcome.probabilities, kind="stable"):
                cells = reached_cells(
                    outcome.boxes[box : box + 1], cell_px=outcome.cell_px, n_cells=outcome.n_cells
                )
                for cell in set(cells) - taken:
                    if cell in groups:
                        found.append((shares[box], groups[cell], looks.get(cell, set())))
                taken.update(cells)
        return found


def figures_of(stage: SecondStage, judged: Judged) -> dict[str, Any]:
    """Macro-F1 with abstention, confusion and reliabilities, by kind of data."""
    claims = [stage.claim(shares) for shares in judged.known_shares]
    on_films = [[stage.claim(row).group for row in shares] for shares in judged.film_shares]
    shown = count_group_cells(judged.outcomes, on_films, probability=0.0)
    answers = judged.groups()
    n_known = len(judged.looks)
    figures: dict[str, Any] = {}
    for name, chosen in (("simulated", ~judged.is_virtual), ("virtual", judged.is_virtual)):
        own = [claim for claim, is_in in zip(claims, chosen, strict=True) if is_in]
        figures[name] = _known_figures(own, judged.looks[chosen])
        figures[name]["reliability"] = _bins(
            stage, answers.shares[:n_known][chosen], answers.is_right[:n_known][chosen]
        )
    figures["films"] = shown.to_dict() | {
        "reliability": _bins(stage, answers.shares[n_known:], answers.is_right[n_known:])
    }
    return figures


def operating_by_group(
    stage: SecondStage, judged: Judged, unseen: Sequence[str], *, probability: float
) -> tuple[dict[str, float], dict[str, Any]]:
    """The operating probability of each group, and the figures beside those of one probability for all.

    The points are those that find most recorded cells of linear flaws, then of pores of 1 mm and more, then
    of all, with at most `FALSE_CELLS` false cells a film, or as few as one probability for all gives.

    Args:
        stage: gives the groups.
        judged: by networks that never saw the film.
        unseen: names of the films that trained nothing; all of them where none is named.
        probability: the one for all.
    """
    films = [
        (outcome, [stage.claim(row) for row in shares])
        for outcome, shares in zip(judged.outcomes, judged.film_shares, strict=True)
        if not unseen or outcome.name in unseen
    ]
    before = _film_figures(films, dict.fromkeys((*_PLANAR, *_VOLUMETRIC), probability))
    budget = max(FALSE_CELLS, before["false_cells_per_film"] or 0.0)
    best, best_figures = dict.fromkeys((*_PLANAR, *_VOLUMETRIC), probability), before
    for planar, volumetric in product(_GRID, _GRID):
        if planar > volumetric:
            continue
        points = dict.fromkeys(_PLANAR, planar) | dict.fromkeys(_VOLUMETRIC, volumetric)
        figures = _film_figures(films, points)
        if (figures["false_cells_per_film"] or 0.0) <= budget and _worth(figures) > _worth(best_figures):
            best, best_figures = points, figures
    told = {
        "films": len(films),
        "one_for_all": before | {"probability": probability},
        "by_group": best_figures,
    }
    return best, told | {"points": best}


def _film_figures(
    films: Sequence[tuple[FilmOutcome, Sequence[GroupClaim]]], points: Mapping[str, float]
) -> dict[str, Any]:
    """Found cells when each group has its own probability."""
    shown = []
    for outcome, claims in films:
        least = np.array([points[claim.group or UNCLASSIFIED] for claim in claims], np.float32)
        kept = (outcome.probabilities >= least).astype(np.float32) if len(claims) else outcome.probabilities
        shown.append(replace(outcome, probabilities=kept))
    summary = summarise_films(shown, probability=0.5)
    linear = [(found, recorded) for found, recorded in map(_linear_cells, shown)]
    groups = {group.value: (share.found, share.recorded) for group, share in summary.groups.items()}
    mean = summary.false_cells_per_film
    return {
        "false_cells_per_film": None if mean is None else round(mean, 4),
        "linear": [sum(found for found, _ in linear), sum(recorded for _, recorded in linear)],
        **{name: list(share) for name, share in groups.items()},
    }


def _linear_cells(film: FilmOutcome) -> tuple[int, int]:
    cells = {cell for cell, groups in recorded_groups(film).items() if FlawGroup.LINEAR in groups}
    kept = film.boxes[film.probabilities >= 0.5]
    return len(cells & set(reached_cells(kept, cell_px=film.cell_px, n_cells=film.n_cells))), len(cells)


def _worth(figures: Mapping[str, Any]) -> tuple[float, ...]:
    """What is found, in the order of what matters; then fewer false cells."""
    every = sum(found for name, (found, _) in _shares(figures) if name != "linear")
    pores = figures["single pores of 1 mm and more"][0]
    return (figures["linear"][0], pores, every, -(figures["false_cells_per_film"] or 0.0))


def _shares(figures: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    return [(name, value) for name, value in figures.items() if isinstance(value, list)]


def _known_figures(claims: Sequence[GroupClaim], looks: npt.NDArray[np.int64]) -> dict[str, Any]:
    counts = np.zeros((len(GROUPS), len(GROUPS) + 1), np.int64)
    types = [0, 0]
    for claim, look in zip(claims, looks, strict=True):
        true = LOOKS[look].group
        column = len(GROUPS) if claim.group is None else GROUPS.index(claim.group)
        counts[GROUPS.index(true), column] += 1
        if claim.group is true and MEMBERSHIP[:, GROUPS.index(true)].sum() > 1:
            types[1] += 1
            types[0] += claim.types[0].indication_class is LOOKS[look].indication_class
    return {"n": len(looks)} | GroupCells(counts).to_dict() | {"type_right": types}


def _bins(stage: SecondStage, shares: Floats, is_right: Bools) -> list[list[float]]:
    """Of each bin of claimed reliability that has any: how many, mean claimed, share that was right."""
    claimed = np.array([stage.group_reliability.of(float(share)) for share in shares])
    bins = []
    for low, high in zip(_RELIABILITY_EDGES[:-1], _RELIABILITY_EDGES[1:], strict=True):
        inside = (claimed >= low) & (claimed < high)
        if inside.any():
            bins.append(
                [
                    int(inside.sum()),
                    round(float(claimed[inside].mean()), 3),
                    round(float(is_right[inside].mean()), 3),
                ]
            )
    return bins


def _answers(shares: Floats, is_right: Bools, rows: Sequence[tuple[float, bool]]) -> Answers:
    cells = np.array(rows, np.float64).reshape(-1, 2)
    return Answers(np.append(shares, cells[:, 0]), np.append(is_right, cells[:, 1] > 0), len(shares))

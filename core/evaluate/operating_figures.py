"""The figures of one version at one operating probability, with their resamples."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.evaluate.groups import Group, truth_in
from core.evaluate.outcome_table import Bools, OutcomeTable
from core.evaluate.resampling import Floats, Interval, Resampling, expanded_interval
from core.evaluate.version_figures import VersionFigures, ap_key, version_figures

RECALL, PRECISION, FALSE_CALLS = "recall", "precision", "false_calls_per_image"
#: Shares of images; the first of those with a recorded box.
NOTHING_MISSED, NO_FALSE_CALL = "images_nothing_missed", "images_no_false_call"


@dataclass(frozen=True, slots=True, eq=False)
class OperatingFigures:
    """Figures when boxes of at least `probability` are reported.

    Attributes:
        points: figure to value; recall of a group under `recall_key`. What is not evaluable is missing.
        draws: figure to (R,) values over the plan, NaN where not evaluable.
        support: of the figures of groups: (recorded boxes, parts that hold one).
        is_missing_nothing: (N,) images of which every recorded box is found; those without one count.
        has_truth: (N,) images with a recorded box.
        has_no_false_call: (N,) images without a false call.
    """

    probability: float
    points: dict[str, float]
    draws: dict[str, Floats]
    support: dict[str, tuple[int, int]]
    is_missing_nothing: Bools
    has_truth: Bools
    has_no_false_call: Bools


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredVersion:
    """All figures of one version on one set, at one operating probability."""

    fixed: VersionFigures
    operating: OperatingFigures

    @property
    def points(self) -> Mapping[str, float]:
        """Figure to value."""
        return self.fixed.points | self.operating.points

    @property
    def draws(self) -> Mapping[str, Floats]:
        """Figure to its resamples."""
        return self.fixed.draws | self.operating.draws

    def interval(self, figure: str, n_parts: int) -> Interval | None:
        """The 95 % interval of a figure, None where it cannot be told."""
        draws = self.draws.get(figure)
        return None if draws is None else expanded_interval(draws, n_parts)


def recall_key(group: Group) -> str:
    """Under which the recall of a group stands."""
    return f"{RECALL}:{group.key}"


def measure(table: OutcomeTable, plan: Resampling) -> MeasuredVersion:
    """Every figure of a version at its own operating probability, over the plan of its set."""
    fixed = version_figures(table, plan)
    return MeasuredVersion(fixed, operating_figures(table, plan, fixed.groups))


def operating_figures(
    table: OutcomeTable, plan: Resampling, groups: tuple[Group, ...], probability: float | None = None
) -> OperatingFigures:
    """The figures of a table; None takes the operating probability of the version's calibration."""
    is_reported = table.is_reported(probability)
    is_found = table.box_of_truth(probability) >= 0
    hits = table.per_image(table.truth_image, is_found)
    false_calls = table.per_image(table.box_image, is_reported & (table.matched < 0))
    n_truth = table.per_image(table.truth_image, np.ones(len(table.truth), np.bool_))
    ones = np.ones(table.n_images, np.int64)
    has_truth, nothing_missed = n_truth > 0, hits == n_truth
    ratios = {
        RECALL: (hits, n_truth),
        PRECISION: (hits, hits + false_calls),
        FALSE_CALLS: (false_calls, ones),
        NOTHING_MISSED: (has_truth & nothing_missed, has_truth),
        NO_FALSE_CALL: (false_calls == 0, ones),
    }
    support = {}
    for group in groups:
        is_in = truth_in(table, group)
        parts = len(np.unique(plan.part_of[table.truth_image[is_in]]))
        support[recall_key(group)] = support[ap_key(group)] = (int(is_in.sum()), parts)
        ratios[recall_key(group)] = (
            table.per_image(table.truth_image, is_found & is_in),
            table.per_image(table.truth_image, is_in),
        )
    points, draws = _ratios(ratios, plan)
    at = table.operating_probability if probability is None else probability
    return OperatingFigures(at, points, draws, support, nothing_missed, has_truth, false_calls == 0)


def _ratios(
    ratios: dict[str, tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]], plan: Resampling
) -> tuple[dict[str, float], dict[str, Floats]]:
    if not len(plan.part_of):
        return {}, {}
    columns = np.stack([side for pair in ratios.values() for side in pair], axis=1).astype(np.float64)
    sums, totals = columns.sum(axis=0), plan.totals(columns)
    points, draws = {}, {}
    for index, name in enumerate(ratios):
        above, below = 2 * index, 2 * index + 1
        if sums[below] == 0:
            continue
        points[name] = float(sums[above] / sums[below])
        with np.errstate(invalid="ignore", divide="ignore"):
            draws[name] = totals[:, above] / totals[:, below]
    return points, draws

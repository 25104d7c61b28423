"""Every figure of one version on one set that does not depend on an operating point, with its resamples.

The resamples are kept: two versions that were measured over the same plan are compared by subtracting them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluate.average_precision import (
    RECALL_POINTS,
    RankedDetections,
    average_precision,
    interpolated_precision,
)
from core.evaluate.calibration_figures import (
    calibrated_boxes,
    calibration_draws,
    calibration_figures,
)
from core.evaluate.groups import (
    Group,
    GroupKind,
    groups_of,
    ranked_class_group,
    ranked_of,
    ranked_size_group,
)
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.resampling import Floats, Resampling, expanded_levels

#: Average precision with classes ignored, and the mean over the recorded classes.
AP50, AP50_CLASSES = "ap50", "ap50_classes"
#: False calls an image at which the free-response curve is read.
FALSE_CALL_POINTS = np.geomspace(0.05, 100.0, 45)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A curve with a pointwise 95 % band.

    Attributes:
        x, y: (K,) the curve over all images.
        low, high: (K,) the band over the resamples.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class VersionFigures:
    """Figures and their resamples. What is not evaluable is missing from `points` or NaN in `draws`.

    Attributes:
        points: figure to value; average precision of a group under `ap_key`.
        draws: figure to (R,) values over the plan.
        precision_recall: precision at 101 recalls.
        froc: share found at `FALSE_CALL_POINTS`.
        groups: that average precision was taken of.
    """

    points: dict[str, float]
    draws: dict[str, Floats]
    precision_recall: Band
    froc: Band
    groups: tuple[Group, ...]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays that `figures_from` reads."""
        names = sorted(self.points)
        arrays: dict[str, npt.NDArray[Any]] = {
            "figures": np.array(names, np.str_),
            "points": np.array([self.points[name] for name in names]),
            "draws": np.array([self.draws[name] for name in names], np.float32),
            "group_kinds": np.array([group.kind for group in self.groups], np.str_),
            "group_names": np.array([group.name for group in self.groups], np.str_),
            "group_ends": np.array([(group.low, group.high) for group in self.groups]).reshape(-1, 2),
        }
        for name, band in (("precision_recall", self.precision_recall), ("froc", self.froc)):
            arrays[name] = np.array([band.x, band.y, band.low, band.high])
        return arrays


def ap_key(group: Group) -> str:
    """Under which the average precision of a group stands."""
    return f"{AP50}:{group.key}"


def figures_from(arrays: dict[str, npt.NDArray[Any]]) -> VersionFigures:
    """The figures in what `VersionFigures.to_arrays` gave.

    Raises:
        KeyError: an array is missing.
    """
    names = [str(name) for name in arrays["figures"]]
    ends = arrays["group_ends"]
    kinds = zip(arrays["group_kinds"], arrays["group_names"], ends, strict=True)
    return VersionFigures(
        points={name: float(value) for name, value in zip(names, arrays["points"], strict=True)},
        draws={name: draws.astype(np.float64) for name, draws in zip(names, arrays["draws"], strict=True)},
        precision_recall=Band(*arrays["precision_recall"]),
        froc=Band(*arrays["froc"]),
        groups=tuple(Group(GroupKind(str(k)), str(n), float(e[0]), float(e[1])) for k, n, e in kinds),
    )


def version_figures(table: OutcomeTable, plan: Resampling) -> VersionFigures:
    """The figures of a table over the plan of its set."""
    everything = ranked_of(table, np.ones(len(table.scores), np.bool_), np.ones(len(table.truth), np.bool_))
    groups = groups_of(table)
    ranked = {
        ap_key(group): (ranked_class_group if group.kind is GroupKind.CLASS else ranked_size_group)(
            table, group
        )
        for group in groups
    }
    once = np.ones(table.n_images, np.int64)
    points = _averages(ranked, groups, once)
    draws: dict[str, list[float]] = {name: [] for name in points}
    precision, found = [], []
    for index in range(len(plan.counts)):
        weights = plan.image_weights(index)
        precision.append(_precision(everything, weights))
        found.append(_found(everything, weights))
        for name, value in _averages(ranked, groups, weights).items():
            draws[name].append(value)
    curve = _precision(everything, once)
    named = {name: np.array(values) for name, values in draws.items()} | {
        AP50: np.array([float(one.mean()) for one in precision])
    }
    boxes = calibrated_boxes(table)
    if len(boxes):
        named |= calibration_draws(boxes, plan)
    known = points | {AP50: float(curve.mean())} | calibration_figures(boxes)
    values = {name: known[name] for name in named}
    points = {name: value for name, value in values.items() if value is not None and np.isfinite(value)}
    return VersionFigures(
        points=points,
        draws={name: named[name] for name in points},
        precision_recall=_band(RECALL_POINTS, curve, precision, plan.n_parts),
        froc=_band(FALSE_CALL_POINTS, _found(everything, once), found, plan.n_parts),
        groups=groups,
    )


def _averages(
    ranked: dict[str, RankedDetections], groups: tuple[Group, ...], weights: npt.NDArray[np.int64]
) -> dict[str, float]:
    """Average precision of each group, and its mean over the classes; NaN without a recorded box."""
    values = {name: average_precision(one, weights) for name, one in ranked.items()}
    plain = {name: np.nan if value is None else value for name, value in values.items()}
    of_classes = [plain[ap_key(group)] for group in groups if group.kind is GroupKind.CLASS]
    known = [value for value in of_classes if np.isfinite(value)]
    if of_classes:
        plain[AP50_CLASSES] = float(np.mean(known)) if known else np.nan
    return plain


def _precision(ranked: RankedDetections, weights: npt.NDArray[np.int64]) -> Floats:
    precision = interpolated_precision(ranked, weights)
    return np.full(len(RECALL_POINTS), np.nan) if precision is None else precision


def _found(ranked: RankedDetections, weights: npt.NDArray[np.int64]) -> Floats:
    """The share found at each of `FALSE_CALL_POINTS`, NaN without a recorded box or image."""
    n_truth, n_images = int(ranked.truth_per_image @ weights), int(weights.sum())
    if n_truth == 0 or n_images == 0:
        return np.full(len(FALSE_CALL_POINTS), np.nan)
    per_box = weights[ranked.image_index]
    false_calls = np.cumsum(per_box * ~ranked.is_true) / n_images
    found = np.concatenate([[0.0], np.cumsum(per_box * ranked.is_true) / n_truth])
    at: Floats = found[np.searchsorted(false_calls, FALSE_CALL_POINTS, side="right")]
    return at


def _band(x: Floats, y: Floats, draws: list[Floats], n_parts: int) -> Band:
    known = [one for one in draws if np.isfinite(one).all()]
    if n_parts < 2 or len(known) * 2 < len(draws) or not known:
        return Band(x, y, np.full(len(x), np.nan), np.full(len(x), np.nan))
    low, high = np.quantile(np.array(known), expanded_levels(n_parts), axis=0)
    return Band(x, y, low, high)

"""Two versions on the same images: which figures differ, by how much, and whether chance explains it.

No version is called better anywhere else. A verdict needs a difference that survives Holm's correction over
all figures of its table at 5 % (S. Holm, Scand. J. Stat. 6:65, 1979): of two equal versions, at most one
comparison in forty calls one of them better in a table, however many rows it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from core.evaluate.calibration_figures import BRIER, D_ECE
from core.evaluate.operating_figures import (
    FALSE_CALLS,
    NO_FALSE_CALL,
    NOTHING_MISSED,
    PRECISION,
    RECALL,
    MeasuredVersion,
    OperatingFigures,
    recall_key,
)
from core.evaluate.resampling import Interval, Resampling, expanded_interval, two_sided_p
from core.evaluate.version_figures import AP50, AP50_CLASSES, ap_key

#: Fewer independent parts cannot tell better from worse; the promotion gate asks for as many.
MIN_PARTS = 6
#: Fewer recorded boxes of a class or size cannot either.
MIN_GROUP_BOXES = 20
#: With fewer parts intervals are uncertain, which is told.
FEW_PARTS = 20
LEVEL = 0.05
_LOWER_IS_BETTER = frozenset({FALSE_CALLS, D_ECE, BRIER})
#: Figures whose names begin so depend on the order of the scores alone.
_OF_RANKING = AP50
_MAIN = (
    RECALL,
    FALSE_CALLS,
    PRECISION,
    AP50,
    AP50_CLASSES,
    D_ECE,
    BRIER,
    NOTHING_MISSED,
    NO_FALSE_CALL,
)


class Conclusion(StrEnum):
    """Conclusion about the second version beside the first."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "not distinguishable"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """One figure of two versions on the same images.

    Attributes:
        figure: its key.
        first, second: of the two versions, None where not evaluable.
        first_interval, second_interval: 95 %.
        difference: second minus first.
        interval: 95 % of the difference.
        p_value: of no difference, before the correction.
        is_lower_better: a smaller value is the better one.
        verdict: of the second version.
        why: the reason where nothing is judged, and how images differ in McNemar's rows.
    """

    figure: str
    first: float | None
    second: float | None
    first_interval: Interval | None
    second_interval: Interval | None
    difference: float | None
    interval: Interval | None
    p_value: float | None
    is_lower_better: bool
    verdict: Conclusion = Conclusion.NOT_JUDGED
    why: str = ""


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """Two versions: the main figures, and the same by class and size. Each table is corrected by itself."""

    n_parts: int
    main: tuple[FigureDifference, ...]
    by_group: tuple[FigureDifference, ...]

    def named(self, figure: str) -> FigureDifference | None:
        """The row of a figure, None when it is in neither table."""
        return next((row for row in (*self.main, *self.by_group) if row.figure == figure), None)


def compare(
    first: MeasuredVersion,
    second: MeasuredVersion,
    plan: Resampling,
    *,
    why_not: str = "",
    why_not_calibrated: str = "",
) -> VersionComparison:
    """Differences between two versions that were measured over the same plan.

    Args:
        first: a version.
        second: the version that the verdicts are of.
        plan: how their parts were drawn.
        why_not: why nothing may be judged, e.g. that one was trained on the images; empty when it may.
        why_not_calibrated: why no figure may that rests on probabilities or an operating point; those of the
            ranking, as AP50, do not.
    """
    if not why_not and plan.n_parts < MIN_PARTS:
        why_not = f"{plan.n_parts} independent parts; {MIN_PARTS} are the least that can tell"
    images = _by_image(first.operating, second.operating, plan)
    main = [_difference(name, first, second, plan, images.get(name)) for name in _MAIN]
    groups = [group for group in first.fixed.groups if group in second.fixed.groups]
    names = [key(group) for key in (recall_key, ap_key) for group in groups]
    by_group = [_difference(name, first, second, plan) for name in names]
    why = (why_not, why_not_calibrated)
    return VersionComparison(plan.n_parts, _judged(main, *why), _judged(by_group, *why))


def holm(p_values: Sequence[float | None], level: float = LEVEL) -> list[bool]:
    """Rejected hypotheses by Holm: a false rejection of any has at most probability `level`."""
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    rejected = [False] * len(p_values)
    for rank, (p, index) in enumerate(order):
        if p > level / (len(order) - rank):
            break
        rejected[index] = True
    return rejected


def mcnemar_p(n_first_only: int, n_second_only: int) -> float:
    """The exact two-sided p value: so uneven a split of the discordant ones when both are as likely."""
    n = n_first_only + n_second_only
    if n == 0:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(n_first_only, n_second_only), n, 0.5)))


def _by_image(
    first: OperatingFigures, second: OperatingFigures, plan: Resampling
) -> dict[str, tuple[float, str]]:
    """McNemar's test of the two shares of images: figure to (p value, words).

    Images of one part are not independent, so the parts are counted: one counts for the version that is
    right on more of its images. Where every image is a part of its own, that is McNemar's exact test.
    """
    with_truth = first.has_truth
    return {
        NOTHING_MISSED: _mcnemar(
            first.is_missing_nothing & with_truth, second.is_missing_nothing & with_truth, plan
        ),
        NO_FALSE_CALL: _mcnemar(first.has_no_false_call, second.has_no_false_call, plan),
    }


def _mcnemar(
    first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_], plan: Resampling
) -> tuple[float, str]:
    lead = np.bincount(plan.part_of, second.astype(int) - first.astype(int), minlength=plan.n_parts)
    p = mcnemar_p(int((lead < 0).sum()), int((lead > 0).sum()))
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return p, f"{only_second} images only with the second version, {only_first} only with the first"


def _difference(
    figure: str,
    first: MeasuredVersion,
    second: MeasuredVersion,
    plan: Resampling,
    by_image: tuple[float, str] | None = None,
) -> FigureDifference:
    a, b = first.points.get(figure), second.points.get(figure)
    n_boxes, n_parts = first.operating.support.get(figure, (MIN_GROUP_BOXES, plan.n_parts))
    difference = interval = p_value = None
    why = _too_little(n_boxes, n_parts)
    if a is not None and b is not None:
        draws = second.draws[figure] - first.draws[figure]
        difference, interval = b - a, expanded_interval(draws, n_parts)
        p_value = two_sided_p(b - a, draws, n_parts) if by_image is None else by_image[0]
    return FigureDifference(
        figure=figure,
        first=a,
        second=b,
        first_interval=first.interval(figure, n_parts),
        second_interval=second.interval(figure, n_parts),
        difference=difference,
        interval=interval,
        p_value=None if why else p_value,
        is_lower_better=figure in _LOWER_IS_BETTER,
        why=why if by_image is None else by_image[1],
    )


def _too_little(n_boxes: int, n_parts: int) -> str:
    """Why a class or size cannot be judged, empty when it can."""
    if n_boxes < MIN_GROUP_BOXES:
        return f"{n_boxes} recorded boxes; {MIN_GROUP_BOXES} are the least that can tell"
    return f"in {n_parts} parts; {MIN_PARTS} are the least that can tell" if n_parts < MIN_PARTS else ""


def _judged(
    rows: Sequence[FigureDifference], why_not: str, why_not_calibrated: str
) -> tuple[FigureDifference, ...]:
    """The rows that either version has a value for, with their verdicts."""
    known = [row for row in rows if row.first is not None or row.second is not None]
    if why_not:
        return tuple(replace(row, verdict=Conclusion.NOT_JUDGED, why=why_not) for row in known)
    if why_not_calibrated:
        known = [
            row if row.figure.startswith(_OF_RANKING) else replace(row, p_value=None, why=why_not_calibrated)
            for row in known
        ]
    is_real = holm([row.p_value for row in known])
    return tuple(replace(row, verdict=_verdict(row, real)) for row, real in zip(known, is_real, strict=True))


def _verdict(row: FigureDifference, is_real: bool) -> Conclusion:
    if row.difference is None or row.p_value is None:
        return Conclusion.NOT_JUDGED
    if not is_real:
        return Conclusion.SAME
    return Conclusion.BETTER if (row.difference > 0) is not row.is_lower_better else Conclusion.WORSE

"""Thresholds that route an image by one score, with a bound on how often a part is routed wrongly.

What is tested in order: one threshold after the other, from the strictest on, each by the exact binomial
bound of Clopper and Pearson, until the first that fails. A fixed sequence needs no correction for many
tests: Angelopoulos, Bates, Candes, Jordan, Lei, "Learn then Test" (2021, arXiv 2110.01052), section 3; the
bound of a set of predictions by its risk on held-out units is that of Bates et al., "Distribution-free,
risk-controlling prediction sets" (2021, arXiv 2101.02703). Deviations: the loss is 0 or 1, so its bound is
exact instead of Hoeffding's; the unit is the part and not the image; fewer than 20 parts certify nothing,
whatever the risk.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv

from core.domain.errors import BadInputError

#: With fewer parts nothing is certified, whatever risk is accepted: they are no sample of a production.
MIN_PARTS = 20
#: Thresholds are thousandths, fixed before any score is seen.
STEPS = 1000
_LEAST = 1e-6

Scores = npt.NDArray[np.floating[Any]]


class Route(StrEnum):
    """Route of an image by the model; neither the verdict of a rule nor a person's disposition."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Assurance:
    """The guarantee asked for.

    Attributes:
        risk: highest share of parts that may be routed wrongly, within 0..1.
        confidence: chance that the parts at hand do not mislead us about that, within 0..1.

    Raises:
        BadInputError: one of them is not between 0.000001 and 0.999999.
    """

    risk: float
    confidence: float

    def __post_init__(self) -> None:
        for name in ("risk", "confidence"):
            value = getattr(self, name)
            if not _LEAST <= value <= 1 - _LEAST:  # refuses NaN, too
                raise BadInputError(f"the {name} must lie between {_LEAST:f} and {1 - _LEAST:f}, got {value}")


@dataclass(frozen=True, slots=True)
class RoutingThreshold:
    """A threshold with its bound, or why there is none.

    Attributes:
        threshold: of the image score; None when nothing can be certified.
        n_parts: that were judged.
        n_wrong: of them, routed wrongly at the threshold; without one, at the strictest there is.
        bound: upper confidence bound on the share of parts routed wrongly there.
        n_needed: parts that are enough when none of them is routed wrongly.
        reason: why there is no threshold; empty when there is one.
    """

    threshold: float | None
    n_parts: int
    n_wrong: int
    bound: float
    n_needed: int
    reason: str = ""

    @property
    def is_certified(self) -> bool:
        """True when there is a threshold."""
        return self.threshold is not None


def upper_bound(n_wrong: int, n_parts: int, confidence: float) -> float:
    """One-sided Clopper-Pearson bound on a share of which `n_wrong` in `n_parts` were seen; 1.0 for no part.

    Clopper, Pearson, Biometrika 26 (1934) 404, in its beta form.
    """
    if n_wrong >= n_parts:
        return 1.0
    return float(betaincinv(n_wrong + 1, n_parts - n_wrong, confidence))


def parts_needed(level: Assurance, *, n_wrong: int = 0) -> int:
    """The fewest parts, at least `MIN_PARTS`, that bound the risk when `n_wrong` of them are routed wrongly.

    Without any it is ceil(log(1 - confidence) / log(1 - risk)).
    """
    high = max(MIN_PARTS, n_wrong + 1)
    if _is_bounded(n_wrong, high, level):
        return high
    low = high  # never enough
    while not _is_bounded(n_wrong, high, level):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_bounded(n_wrong, middle, level) else (middle, high)
    return high


def accept_limit(scores: Scores, level: Assurance, *, highest: float = 1.0) -> RoutingThreshold:
    """The highest threshold below which images may be accepted.

    A defective part is routed wrongly when its score lies below the threshold. The chance that a threshold
    comes out whose miss rate exceeds `level.risk` is at most 1 - `level.confidence`, for parts that are
    exchangeable with those met later.

    Args:
        scores: (N,) in 0..1, one a defective part: the lowest of its images, or what else stands for it.
        level: risk and confidence.
        highest: no threshold above it is tried; fixed before any score is seen.
    """
    thresholds = np.arange(1, int(highest * STEPS + 1e-6) + 1) / STEPS
    n_wrong = np.searchsorted(np.sort(scores.astype(np.float64)), thresholds, side="left")
    return _last_bounded(thresholds, n_wrong, len(scores), level, "defective", "accept")


def reject_limit(scores: Scores, level: Assurance, *, lowest: float = 0.0) -> RoutingThreshold:
    """The lowest threshold from which on images may be rejected; the mirror image of `accept_limit`.

    Args:
        scores: (N,) in 0..1, one a clean part: the highest of its images.
        level: risk and confidence; a clean part is routed wrongly when its score reaches the threshold.
        lowest: no threshold below it is tried; fixed before any score is seen.
    """
    thresholds = np.arange(STEPS, int(np.ceil(lowest * STEPS - 1e-6)) - 1, -1) / STEPS
    below = np.searchsorted(np.sort(scores.astype(np.float64)), thresholds, side="left")
    return _last_bounded(thresholds, len(scores) - below, len(scores), level, "clean", "reject")


def route_by(score: float, *, accept_below: float, reject_from: float) -> Route:
    """Reject from the one threshold on, accept below the other, review between them."""
    if score >= reject_from:
        return Route.REJECT
    return Route.ACCEPT if score < accept_below else Route.REVIEW


def _last_bounded(
    thresholds: npt.NDArray[np.float64],
    n_wrong: npt.NDArray[np.intp],
    n_parts: int,
    level: Assurance,
    kind: str,
    route: str,
) -> RoutingThreshold:
    """The last threshold before the first that is not bounded; they begin with the strictest."""
    needed = parts_needed(level)
    strictest = int(n_wrong[0]) if len(n_wrong) else 0
    if n_parts < MIN_PARTS or not len(thresholds) or not _is_bounded(strictest, n_parts, level):
        parts = "part" if n_parts == 1 else "parts"
        reason = f"{n_parts} {kind} {parts}, needs at least {needed} without one routed to {route}"
        if strictest:
            enough = parts_needed(level, n_wrong=strictest)
            reason += (
                f"; {strictest} would be routed to {route} even at the strictest threshold, "
                f"and {enough} parts are needed to bear so many"
            )
        bound = upper_bound(strictest, n_parts, level.confidence)
        return RoutingThreshold(None, n_parts, strictest, bound, needed, reason)
    # counts never fall along the sequence, so what comes before the first failure is what is bounded
    most = max(int(count) for count in np.unique(n_wrong) if _is_bounded(int(count), n_parts, level))
    last = int(np.flatnonzero(n_wrong <= most)[-1])
    count = int(n_wrong[last])
    bound = upper_bound(count, n_parts, level.confidence)
    return RoutingThreshold(float(thresholds[last]), n_parts, count, bound, needed)


def _is_bounded(n_wrong: int, n_parts: int, level: Assurance) -> bool:
    """True when a risk above the level shows so few wrong with a chance of 1 - confidence at most."""
    return bool(bdtr(n_wrong, n_parts, level.risk) <= 1 - level.confidence)

"""Probability of detection against size from targets that were found or missed (MIL-HDBK-1823A, hit/miss).

The handbook takes one curve as given and bounds its size by the likelihood ratio. Here several families of
curves are tried, and choosing the likeliest as if it were given makes the bound too narrow: by simulation
a90/95 covered the truth in 81 % of repeats with 60 targets. So the bound is that over all families, each
paying for its parameters as in Akaike's criterion, and a little wider for few targets: see `deviance_95`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri

from core.evaluate.pod_models import Bools, Floats, Likelihood, PodFit, SizeScale, all_models

#: Fewer targets give no curve (MIL-HDBK-1823A, 4.5.2.1: at least 60 for hit/miss).
LEAST_TARGETS = 60
#: Twice the fall of the log-likelihood at a one-sided 95 % bound of one parameter, chi2(1) at 90 %.
DEVIANCE_95 = float(chdtri(1, 0.1))
#: Chosen by simulation, `python -m benchmarks.pod_coverage`: with so many targets the fall may be twice that.
_FEW_TARGETS = 60
N_POINTS = 25
_A_THOUSANDTH = 1e-3
_MOST_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class PodCurve:
    """A curve with bounds.

    Attributes:
        size_mm: (K,) rising, over the sizes that were tried.
        pod: (K,) probability of detection, 0..1.
        lower, upper: (K,) one-sided 95 % bounds of it, each by the likelihood ratio.
    """

    size_mm: Floats
    pod: Floats
    lower: Floats
    upper: Floats

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists, to four digits."""
        return {name: [float(f"{v:.4g}") for v in getattr(self, name)] for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class PodEstimate:
    """Probability of detection of one kind of target. Sizes are None where the curve does not reach them.

    Attributes:
        n_targets, n_found: that it rests on.
        reason: why there is no curve; empty where there is one.
        fit: the chosen curve.
        curve: it with bounds.
        a50, a90: mm that are found with probability 0.5 and 0.9.
        a90_95: mm above which at least 0.9 are found, with 95 % confidence.
        largest_mm: target; sizes beyond it are extrapolated.
    """

    n_targets: int
    n_found: int
    reason: str = ""
    fit: PodFit | None = None
    curve: PodCurve | None = None
    a50: float | None = None
    a90: float | None = None
    a90_95: float | None = None
    largest_mm: float | None = None

    @property
    def is_extrapolated(self) -> bool:
        """True when a90/95 lies beyond the largest target."""
        return self.a90_95 is not None and self.largest_mm is not None and self.a90_95 > self.largest_mm

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        sizes = {name: getattr(self, name) for name in ("a50", "a90", "a90_95", "largest_mm")}
        return {
            "n_targets": self.n_targets,
            "n_found": self.n_found,
            "reason": self.reason,
            **{name: None if size is None else float(f"{size:.4g}") for name, size in sizes.items()},
            "is_extrapolated": self.is_extrapolated,
            "fit": None if self.fit is None else self.fit.to_dict(),
            "curve": None if self.curve is None else self.curve.to_dict(),
        }


def estimate_pod(size_mm: Floats, hits: Bools, *, has_curve: bool = True) -> PodEstimate:
    """The estimate from targets; the shape, the scale and the asymptotes are those of the lowest AIC.

    Args:
        size_mm: (N,) true sizes above 0.
        hits: (N,) True where a target was found.
        has_curve: whether the bounds along the curve are wanted, which take most of the time.

    Raises:
        ValueError: lengths differ, or a size is not above 0.
    """
    size_mm, hits = _checked(size_mm, hits)
    n, found = len(hits), int(hits.sum())
    if (why := too_little(n, found)) is not None:
        return PodEstimate(n, found, why)
    fitted = [_Fitted(one, one.fit()) for one in (Likelihood(m, size_mm, hits) for m in all_models())]
    fit = min((one.fit for one in fitted), key=lambda fit: fit.aic)
    spare = fit.aic + deviance_95(n)
    near = sorted((one for one in fitted if one.fit.aic < spare), key=lambda one: one.fit.aic)
    if 2 * (fit.log_likelihood - _level(hits)) < DEVIANCE_95:
        return PodEstimate(n, found, "the share that was found does not rise with the size of the targets")
    return PodEstimate(
        n,
        found,
        fit=fit,
        curve=_curve(near, fit, spare, size_mm) if has_curve else None,
        a50=fit.size_at(0.5),
        a90=fit.size_at(0.9),
        a90_95=_size_bound(near, 0.9, spare, size_mm),
        largest_mm=float(size_mm.max()),
    )


def deviance_95(n_targets: int) -> float:
    """Twice the fall of the log-likelihood at a one-sided 95 % bound from so many targets."""
    return DEVIANCE_95 * (1 + _FEW_TARGETS / n_targets)


def too_little(n_targets: int, n_found: int) -> str | None:
    """Why there can be no curve; None where there can."""
    if n_targets < LEAST_TARGETS:
        return f"{n_targets} targets; {LEAST_TARGETS} are the least"
    if n_found == n_targets:
        return f"all {n_targets} targets were found: smaller ones are needed to tell where it begins to miss"
    if n_found == 0:
        return f"none of {n_targets} targets was found: larger ones are needed"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """A family with its most likely curve."""

    likelihood: Likelihood
    fit: PodFit

    def least(self, aic: float) -> float:
        """The log-likelihood at which the AIC of the family is `aic`."""
        return self.fit.log_likelihood - (aic - self.fit.aic) / 2

    def through(self, size: float, probability: float) -> float:
        """The highest log-likelihood of a curve of the family that has the probability at the size."""
        return self.likelihood.through(float(self.fit.model.scale.of(np.array(size))), probability)


def _size_bound(near: list[_Fitted], probability: float, aic: float, size_mm: Floats) -> float | None:
    """The largest bound of the families, None where one has none; the first is the likeliest.

    A family that has no likely curve beyond the bound of those before it is left out at once.
    """
    largest = 0.0
    for one in near:
        size = one.fit.size_at(probability)
        if size is not None and size < largest and one.through(largest, probability) < one.least(aic):
            continue
        through = partial(one.likelihood.through, probability=probability)
        found = size_bound(through, one.least(aic), size, one.fit.model.scale, size_mm)
        if found is None:
            return None
        largest = max(largest, found)
    return largest


def _probability_bound(near: list[_Fitted], size: float, towards: float, aic: float) -> float:
    """The bound of the families that lies nearest to `towards`; the first is the likeliest."""
    bound: float | None = None
    for one in near:
        own = float(one.fit.at(np.array(size)))
        is_within = bound is not None and abs(own - towards) > abs(bound - towards)
        if bound is not None and is_within and one.through(size, bound) < one.least(aic):
            continue
        found = probability_bound(partial(one.through, size), one.least(aic), own, towards)
        bound = found if bound is None or abs(found - towards) < abs(bound - towards) else bound
        if bound == towards:
            break
    assert bound is not None  # there is always one family
    return bound


def size_bound(
    through: Callable[[float], float], least: float, size: float | None, scale: SizeScale, size_mm: Floats
) -> float | None:
    """The size above the most likely one where the likelihood has fallen to a bound; None for no such size.

    Args:
        through: the highest log-likelihood of a curve that has the probability in question at x.
        least: the log-likelihood at the bound.
        size: the most likely size with that probability, mm; None where there is none.
        scale: that makes x of a size.
        size_mm: (N,) targets, which give the step of the search.
    """
    if size is None:
        return None
    if through(float(scale.of(np.array(size)))) <= least:  # nothing to spare
        return size
    low, step = float(scale.of(np.array(size))), max(float(scale.of(size_mm).std()), _A_THOUSANDTH) / 4
    for _ in range(_MOST_STEPS):
        high = low + step
        if through(high) < least:
            found = scale.size_mm(float(brentq(lambda x: through(x) - least, low, high, xtol=1e-5)))
            return found if found < math.inf else None
        low, step = high, step * 1.5
    return None


def probability_bound(
    through: Callable[[float], float], least: float, probability: float, towards: float
) -> float:
    """The probability towards 0 or 1 at which the likelihood has fallen to a bound.

    Args:
        through: the highest log-likelihood of a curve that has a probability at the size in question.
        least: the log-likelihood at the bound.
        probability: the most likely one.
        towards: 0 or 1, which is also returned where the likelihood never falls so far.
    """
    end = abs(towards - 1e-5)
    if through(probability) <= least:  # nothing to spare
        return probability
    if abs(probability - towards) <= _A_THOUSANDTH / 10 or through(end) >= least:
        return towards
    return float(brentq(lambda p: through(p) - least, probability, end, xtol=1e-4))


def _curve(near: list[_Fitted], fit: PodFit, aic: float, size_mm: Floats) -> PodCurve:
    sizes = np.exp(np.linspace(np.log(size_mm.min()), np.log(size_mm.max()), N_POINTS))
    lower = [_probability_bound(near, size, 0.0, aic) for size in sizes.tolist()]
    upper = [_probability_bound(near, size, 1.0, aic) for size in sizes.tolist()]
    return PodCurve(sizes, fit.at(sizes), np.array(lower), np.array(upper))


def _level(hits: Bools) -> float:
    """The log-likelihood of the same probability for all sizes."""
    share = float(hits.mean())
    return float(hits.sum() * math.log(share) + (~hits).sum() * math.log1p(-share))


def _checked(size_mm: Floats, hits: Bools) -> tuple[Floats, Bools]:
    sizes, found = np.asarray(size_mm, np.float64), np.asarray(hits, np.bool_)
    if sizes.ndim != 1 or sizes.shape != found.shape:
        raise ValueError(f"sizes {sizes.shape} and hits {found.shape} do not belong together")
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ValueError("every target needs a size above 0 mm")
    return sizes, found

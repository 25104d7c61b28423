"""Curves of the probability of detection against size, and their likelihood.

POD(a) = floor + (ceiling - floor) * F(intercept + slope * x), x the size in mm or its natural logarithm, F
the logistic or the normal distribution (MIL-HDBK-1823A, appendix G). Unlike in the handbook's curves the
asymptotes may be free: a floor above 0 where something is called without looking at the flaw, a ceiling
below 1 where some flaws are missed whatever their size.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_ndtr, logit, ndtr, ndtri

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Bounds of the slope for sizes of mean 0 and deviation 1: a curve rises, and is never a step.
_SLOPES = (1e-6, 200.0)
_INTERCEPTS = (-1e4, 1e4)
#: A floor is at most this, a ceiling at least.
_FLOOR_MOST, _CEILING_LEAST = 0.3, 0.31
_TINY = 1e-12


class Link(StrEnum):
    """The distribution that a curve has the shape of."""

    LOGIT = "logit"
    PROBIT = "probit"

    def rises(self, at: Floats) -> Floats:
        """F of the values, 0..1, in their shape."""
        return np.asarray(expit(at) if self is Link.LOGIT else ndtr(at), np.float64)

    def density(self, at: Floats) -> Floats:
        """The derivative of F, in the shape of the values."""
        if self is Link.LOGIT:
            share = expit(at)
            return np.asarray(share * (1 - share), np.float64)
        return np.asarray(np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi), np.float64)

    def inverse(self, share: float) -> float:
        """Where F is `share`, which lies between 0 and 1."""
        return float(logit(share) if self is Link.LOGIT else ndtri(share))


class SizeScale(StrEnum):
    """How a size enters a curve."""

    LOG = "log"
    LINEAR = "linear"

    def of(self, size_mm: Floats) -> Floats:
        """Sizes in mm as they enter the curve, in their shape."""
        return np.log(size_mm) if self is SizeScale.LOG else np.asarray(size_mm, np.float64)

    def size_mm(self, x: float) -> float:
        """The size of which `of` gives x; infinite where that overflows."""
        if self is SizeScale.LINEAR:
            return x
        return math.exp(x) if x < math.log(np.finfo(np.float64).max) else math.inf


@dataclass(frozen=True, slots=True)
class PodModel:
    """A family of curves.

    Attributes:
        link: shape.
        scale: of the size.
        has_floor, has_ceiling: whether the lower and the upper asymptote are free, else 0 and 1.
    """

    link: Link
    scale: SizeScale
    has_floor: bool = False
    has_ceiling: bool = False

    @property
    def n_parameters(self) -> int:
        """That are free."""
        return 2 + self.has_floor + self.has_ceiling


def all_models() -> Iterator[PodModel]:
    """Every family, those with fewer parameters first."""
    asymptotes = ((False, False), (True, False), (False, True), (True, True))
    for (has_floor, has_ceiling), link, scale in product(asymptotes, Link, SizeScale):
        yield PodModel(link, scale, has_floor, has_ceiling)


@dataclass(frozen=True, slots=True)
class PodFit:
    """The most likely curve of a family.

    Attributes:
        model: the family.
        intercept, slope: of x as the scale gives it.
        floor, ceiling: asymptotes.
        log_likelihood: of the targets.
    """

    model: PodModel
    intercept: float
    slope: float
    floor: float
    ceiling: float
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's information criterion; lower is better."""
        return 2 * self.model.n_parameters - 2 * self.log_likelihood

    def at(self, size_mm: Floats) -> Floats:
        """The probability of detection of sizes in mm, in their shape."""
        rising = self.model.link.rises(self.intercept + self.slope * self.model.scale.of(size_mm))
        return self.floor + (self.ceiling - self.floor) * rising

    def size_at(self, probability: float) -> float | None:
        """The size in mm that is found with that probability; None where the curve never has it."""
        if not self.floor < probability < self.ceiling:
            return None
        share = (probability - self.floor) / (self.ceiling - self.floor)
        size = self.model.scale.size_mm((self.model.link.inverse(share) - self.intercept) / self.slope)
        return size if 0 < size < math.inf else None

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "PodFit":
        """What `to_dict` made plain."""
        floor, ceiling = float(plain["floor"]), float(plain["ceiling"])
        model = PodModel(Link(plain["link"]), SizeScale(plain["scale"]), floor != 0, ceiling != 1)
        likelihood = float(plain["log_likelihood"])
        return cls(model, float(plain["intercept"]), float(plain["slope"]), floor, ceiling, likelihood)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, to six digits."""
        figures = {name: getattr(self, name) for name in ("intercept", "slope", "floor", "ceiling")}
        return {
            "link": self.model.link.value,
            "scale": self.model.scale.value,
            **{name: float(f"{value:.6g}") for name, value in figures.items()},
            "log_likelihood": round(self.log_likelihood, 4),
            "aic": round(self.aic, 4),
        }


class Likelihood:
    """The likelihood of a family of curves given what was found.

    Args:
        model: the family.
        size_mm: (N,) sizes above 0.
        hits: (N,) True where a target was found.
    """

    def __init__(self, model: PodModel, size_mm: Floats, hits: Bools) -> None:
        self.model = model
        self._hits = hits.astype(np.float64)
        x = model.scale.of(size_mm)
        self._mean, self._deviation = float(x.mean()), max(float(x.std()), _TINY)
        self._z = (x - self._mean) / self._deviation
        self._start: Floats | None = None

    def fit(self) -> PodFit:
        """The most likely curve."""
        asymptotes = self._free_asymptotes(below=_FLOOR_MOST, above=_CEILING_LEAST)
        share = min(max(float(self._hits.mean()), 0.02), 0.98)
        start = [self.model.link.inverse(share), 1.0, *(0.02 if high < 1 else 0.98 for _, high in asymptotes)]
        found = _minimised(self._loss, start, (_INTERCEPTS, _SLOPES, *asymptotes))
        self._start = found.x
        intercept, slope = float(found.x[0]), float(found.x[1])
        floor, ceiling = self._asymptotes(found.x[2:])
        return PodFit(
            self.model,
            intercept - slope * self._mean / self._deviation,
            slope / self._deviation,
            floor,
            ceiling,
            -float(found.fun),
        )

    def through(self, x: float, probability: float) -> float:
        """The highest log-likelihood of a curve that has `probability` at x; `fit` has to come before."""
        assert self._start is not None  # a bug of the caller
        margin = 1e-6
        asymptotes = self._free_asymptotes(
            below=min(_FLOOR_MOST, probability - margin), above=max(_CEILING_LEAST, probability + margin)
        )
        if any(low > high for low, high in asymptotes):
            return -math.inf
        z = (x - self._mean) / self._deviation
        start = [float(self._start[1]), *map(float, self._start[2:])]
        bounds = (_SLOPES, *asymptotes)
        start = [min(max(one, low), high) for one, (low, high) in zip(start, bounds, strict=True)]

        def loss(free: Floats) -> tuple[float, Floats]:
            floor, ceiling = self._asymptotes(free[1:])
            share = (probability - floor) / (ceiling - floor)
            share = min(max(share, _TINY), 1 - _TINY)
            at = self.model.link.inverse(share)
            value, slopes = self._loss(np.array([at - free[0] * z, *free]))
            per_share = 1 / max(float(self.model.link.density(np.array(at))), _TINY)
            moved = [-z]
            if self.model.has_floor:
                moved.append(per_share * (share - 1) / (ceiling - floor))
            if self.model.has_ceiling:
                moved.append(-per_share * share / (ceiling - floor))
            return value, slopes[1:] + slopes[0] * np.array(moved)

        return -float(_minimised(loss, start, bounds).fun)

    def _loss(self, free: Floats) -> tuple[float, Floats]:
        """Minus the log-likelihood, and its derivative by each free parameter (for sizes of deviation 1)."""
        floor, ceiling = self._asymptotes(free[2:])
        at = np.clip(free[0] + free[1] * self._z, -700, 700)
        if not (self.model.has_floor or self.model.has_ceiling):
            return self._plain_loss(at)
        rising = self.model.link.rises(at)
        p = np.clip(floor + (ceiling - floor) * rising, _TINY, 1 - _TINY)
        value = -float(np.sum(self._hits * np.log(p) + (1 - self._hits) * np.log1p(-p)))
        by_p = -(self._hits - p) / (p * (1 - p))
        by_at = by_p * (ceiling - floor) * self.model.link.density(at)
        slopes = [float(by_at.sum()), float(by_at @ self._z)]
        if self.model.has_floor:
            slopes.append(float(by_p @ (1 - rising)))
        if self.model.has_ceiling:
            slopes.append(float(by_p @ rising))
        return value, np.array(slopes)

    def _plain_loss(self, at: Floats) -> tuple[float, Floats]:
        """As `_loss` for asymptotes 0 and 1, exact also where the probability is nearly one of them."""
        signed = np.where(self._hits > 0, at, -at)
        if self.model.link is Link.LOGIT:
            logs = -np.logaddexp(0, -signed)
            ratio = expit(-signed)
        else:
            logs = log_ndtr(signed)
            ratio = np.exp(-(signed**2) / 2 - math.log(math.sqrt(2 * math.pi)) - logs)
        by_at = -np.where(self._hits > 0, ratio, -ratio)
        return -float(logs.sum()), np.array([float(by_at.sum()), float(by_at @ self._z)])

    def _asymptotes(self, free: Floats) -> tuple[float, float]:
        floor = float(free[0]) if self.model.has_floor else 0.0
        ceiling = float(free[-1]) if self.model.has_ceiling else 1.0
        return floor, ceiling

    def _free_asymptotes(self, *, below: float, above: float) -> list[tuple[float, float]]:
        bounds = []
        if self.model.has_floor:
            bounds.append((0.0, below))
        if self.model.has_ceiling:
            bounds.append((above, 1.0))
        return bounds


def _minimised(loss: Any, start: list[float], bounds: Any) -> Any:
    return minimize(
        loss,
        np.array(start),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-11, "gtol": 1e-6},
    )

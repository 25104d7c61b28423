"""Probability of detection against size from the strength of responses (MIL-HDBK-1823A, a-hat against a).

The response rises in a straight line with the size or its logarithm, with normal scatter of one width. It
counts as censored where the target gave none above the floor. POD(a) is the share of responses above the
decision threshold. Bounds are by the likelihood ratio, as for hit/miss, where the handbook takes the delta
method.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtri

from core.evaluate.pod import DEVIANCE_95, LEAST_TARGETS, size_bound
from core.evaluate.pod_models import Bools, Floats, SizeScale

_LOG_SQRT_2PI = math.log(math.sqrt(2 * math.pi))
_SLOPES, _INTERCEPTS, _LOG_WIDTHS = (1e-6, 1e4), (-1e5, 1e5), (-10.0, 10.0)


@dataclass(frozen=True, slots=True)
class ResponseEstimate:
    """Probability of detection by the strength of responses. Sizes are mm, None where there is none.

    Attributes:
        n_targets, n_censored: that it rests on, and those without a response above the floor.
        reason: why there is no line; empty where there is one.
        scale: of the size.
        intercept, slope, width: of the line, and the standard deviation around it.
        decision: responses from here on are called.
        a50, a90, a90_95: as in `core.evaluate.pod`.
        spread_ratio: standard deviation around the line of the larger half of the targets over that of the
            smaller half; far from 1 the form does not fit. None where it cannot be told.
    """

    n_targets: int
    n_censored: int
    reason: str = ""
    scale: SizeScale | None = None
    intercept: float | None = None
    slope: float | None = None
    width: float | None = None
    decision: float | None = None
    a50: float | None = None
    a90: float | None = None
    a90_95: float | None = None
    spread_ratio: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, figures to four digits."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["scale"] = None if self.scale is None else self.scale.value
        return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in values.items()}


class _Line:
    """The likelihood of a line through the responses, sizes on one scale."""

    def __init__(self, scale: SizeScale, size_mm: Floats, responses: Floats, censored: Bools) -> None:
        self.scale = scale
        self._x, self._y, self._censored = scale.of(size_mm), responses, censored
        self.free: Floats = np.zeros(3)
        self.log_likelihood = -math.inf

    def fit(self) -> "_Line":
        slope, intercept = np.polyfit(self._x, self._y, 1)
        width = float(np.std(self._y - intercept - slope * self._x))
        start = [float(intercept), max(float(slope), 1e-3), math.log(max(width, 1e-3))]
        found = _best(self._loss, start, (_INTERCEPTS, _SLOPES, _LOG_WIDTHS))
        self.free, self.log_likelihood = found.x, -float(found.fun)
        return self

    def through(self, x: float, above: float) -> float:
        """The highest log-likelihood of a line that is `above` so many widths at x."""

        def loss(free: Floats) -> float:
            return self._loss(np.array([above * math.exp(free[1]) - free[0] * x, *free]))

        return -float(_best(loss, self.free[1:].tolist(), (_SLOPES, _LOG_WIDTHS)).fun)

    def x_at(self, above: float) -> float:
        intercept, slope, log_width = self.free.tolist()
        return float((above * math.exp(log_width) - intercept) / slope)

    def residuals(self) -> Floats:
        values: Floats = self._y - self.free[0] - self.free[1] * self._x
        return values

    def _loss(self, free: Floats) -> float:
        width = math.exp(free[2])
        away = (self._y - free[0] - free[1] * self._x) / width
        logs = np.where(self._censored, log_ndtr(away), -(away**2) / 2 - free[2] - _LOG_SQRT_2PI)
        return -float(logs.sum())


def estimate_response(
    size_mm: Floats, responses: Floats, *, floor: float, decision: float
) -> ResponseEstimate:
    """The estimate from targets, the size or its logarithm by the higher likelihood.

    Args:
        size_mm: (N,) true sizes above 0.
        responses: (N,) strength of each response; those at or below `floor` count as censored there.
        floor: the weakest response that is recorded.
        decision: responses from here on are called, at or above the floor.
    """
    censored = responses <= floor
    n, n_censored = len(size_mm), int(censored.sum())
    if n < LEAST_TARGETS:
        return ResponseEstimate(n, n_censored, f"{n} targets; {LEAST_TARGETS} are the least")
    if n - n_censored < LEAST_TARGETS / 2:
        return ResponseEstimate(n, n_censored, f"only {n - n_censored} targets gave a response")
    values = np.maximum(responses, floor) - decision  # the line is above 0 where targets are called
    line = max(
        (_Line(scale, size_mm, values, censored).fit() for scale in SizeScale),
        key=lambda one: one.log_likelihood,
    )
    level = _Line(line.scale, size_mm, values, censored)
    flat = -float(_best(lambda free: level._loss(np.array([free[0], 0.0, free[1]])),
                        [float(values.mean()), math.log(float(values.std()) + 1e-3)],
                        (_INTERCEPTS, _LOG_WIDTHS)).fun)  # fmt: skip
    if 2 * (line.log_likelihood - flat) < DEVIANCE_95:
        return ResponseEstimate(n, n_censored, "the response does not rise with the size of the targets")
    above = float(ndtri(0.9))
    a90 = _size(line.scale, line.x_at(above))
    intercept, slope, log_width = line.free.tolist()
    return ResponseEstimate(
        n,
        n_censored,
        scale=line.scale,
        intercept=intercept + decision,
        slope=slope,
        width=math.exp(log_width),
        decision=decision,
        a50=_size(line.scale, line.x_at(0.0)),
        a90=a90,
        a90_95=size_bound(
            lambda x: line.through(x, above),
            line.log_likelihood - DEVIANCE_95 / 2,
            a90,
            line.scale,
            size_mm,
        ),
        spread_ratio=_spread_ratio(line, size_mm, censored),
    )


def _size(scale: SizeScale, x: float) -> float | None:
    size = scale.size_mm(x)
    return size if 0 < size < math.inf else None


def _spread_ratio(line: _Line, size_mm: Floats, censored: Bools) -> float | None:
    """Only from targets with a response; None with fewer than ten in either half."""
    residuals, sizes = line.residuals()[~censored], size_mm[~censored]
    is_large = sizes > np.median(sizes)
    if min(int(is_large.sum()), int((~is_large).sum())) < 10:
        return None
    return float(residuals[is_large].std() / max(float(residuals[~is_large].std()), 1e-9))


def _best(loss: Any, start: list[float], bounds: Any) -> Any:
    start = [min(max(one, low), high) for one, (low, high) in zip(start, bounds, strict=True)]
    return minimize(loss, np.array(start), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12})

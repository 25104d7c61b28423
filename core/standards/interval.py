"""A number known within bounds, and its comparison with a limit."""

import math
from dataclasses import dataclass

from core.standards.verdict import ConditionResult, Verdict

#: Differences below a nanometre are rounding, not size: a value at the limit is within it.
TOLERANCE = 1e-6
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """`low` to `high`, both included; `high` is infinite when nothing bounds it."""

    low: float
    high: float

    def words(self, unit: str = "mm", *, decimals: int | None = None) -> str:
        """Such as "1.8 mm", "1.6 to 2 mm", "at least 3 mm"; `decimals` as in `number`."""
        if not math.isfinite(self.high):
            return f"at least {number(self.low, decimals)} {unit}".rstrip()
        if self.high - self.low <= TOLERANCE:
            return f"{number(self.high, decimals)} {unit}".rstrip()
        return f"{number(self.low, decimals)} to {number(self.high, decimals)} {unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Bound:
    """An upper limit of a value.

    Attributes:
        most: the limit; infinite when it is not known at all.
        words: how it came about, such as "0.2 s = 1.6 mm".
        missing: why the limit may be smaller than `most`; "" when it is exactly `most`.
    """

    most: float
    words: str
    missing: str = ""


def compare(
    name: str, value: Interval, bound: Bound, *, why_wide: str = "", unit: str = "mm"
) -> ConditionResult:
    """The decision on `value`, by the written rule of docs/standards.md ("Uncertainty").

    Not acceptable when all of the interval lies beyond the limit; acceptable when all of it lies within a
    limit that is known; otherwise not evaluable. A value equal to the limit is within it.

    Args:
        name: symbol or words for the value.
        value: what was measured.
        bound: what it may be at most.
        why_wide: why the interval is as wide as it is, said when it straddles the limit.
        unit: of both, "" for a count.
    """
    measured = f"{name} {value.words(unit, decimals=telling_decimals(value, bound.most))}"
    if value.low > bound.most + TOLERANCE:
        words, verdict = f"{measured} > {bound.words}", Verdict.NOT_ACCEPTABLE
    elif bound.missing:
        words, verdict = f"{measured}: {bound.missing}", Verdict.NOT_EVALUABLE
    elif value.high <= bound.most + TOLERANCE:
        words, verdict = f"{measured} <= {bound.words}", Verdict.ACCEPTABLE
    else:
        words = f"{measured} straddles {bound.words}: {why_wide or 'measure again, more finely'}"
        verdict = Verdict.NOT_EVALUABLE
    return ConditionResult(verdict, words, value.low, finite(value.high), finite(bound.most))


def finite(value: float) -> float | None:
    """`value`, None for an infinite one."""
    return value if math.isfinite(value) else None


def telling_decimals(value: Interval, most: float) -> int:
    """The fewest decimals, at least two, with which both ends still stand on their side of the limit."""
    for decimals in range(2, _MOST_DECIMALS):
        ends = [(end, round(end, decimals)) for end in (value.low, value.high) if math.isfinite(end)]
        if all((end > most + TOLERANCE) == (shown > most + TOLERANCE) for end, shown in ends):
            return decimals
    return _MOST_DECIMALS


def number(value: float, decimals: int | None = None) -> str:
    """`value` with at most `decimals` decimals, none of them a trailing zero.

    None: three, or six when three would hide something.
    """
    if decimals is None:
        decimals = 3 if abs(value - round(value, 3)) < TOLERANCE else _MOST_DECIMALS
    shown = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return shown if shown not in ("", "-0") else "0"

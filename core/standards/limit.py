"""A limit as the tables write it: a multiple of a thickness, millimetres, or the smaller of both."""

import math
from dataclasses import dataclass
from fractions import Fraction

from core.standards.finding import InspectedPart, Symbol
from core.standards.interval import Bound, number


@dataclass(frozen=True, slots=True)
class Limit:
    """`times` x `of`, at most `max_mm`.

    Attributes:
        times: exact multiple, None for a plain number of millimetres.
        of: what `times` multiplies, None with it.
        max_mm: millimetres never to be exceeded, None when only the multiple counts.
    """

    times: Fraction | None = None
    of: Symbol | None = None
    max_mm: float | None = None

    def __post_init__(self) -> None:
        if (self.times is None) != (self.of is None):
            raise ValueError("expected both `times` and `of`, or neither")
        if self.times is None and self.max_mm is None:
            raise ValueError("expected `times` and `of`, `max_mm`, or all three")

    def at(self, part: InspectedPart) -> Bound:
        """The limit for `part`. With the thickness unknown, `max_mm` still bounds it from above."""
        cap = math.inf if self.max_mm is None else self.max_mm
        if self.times is None or self.of is None:
            return Bound(cap, f"{number(cap)} mm")
        value = part.value(self.of)
        if value is None:
            return Bound(cap, f"{number(cap)} mm", f"the {self.of.words} is not known")
        multiple = float(self.times * Fraction(value))
        formula = f"{self._multiple} = {number(multiple)} mm"
        if multiple <= cap:
            return Bound(multiple, formula)
        return Bound(cap, f"{number(cap)} mm (the most; {formula})")

    @property
    def _multiple(self) -> str:
        """`times` and `of` as written: "0.4 s", "1/3 t", "s"."""
        if self.times is None or self.of is None or self.times == 1:
            return self.of.value if self.of else ""
        decimal = f"{float(self.times):g}"
        return f"{decimal if Fraction(decimal) == self.times else self.times} {self.of.value}"

    @property
    def words(self) -> str:
        """Such as "0.4 s, at most 5 mm"."""
        cap = "" if self.max_mm is None else f"{number(self.max_mm)} mm"
        if self.of is None:
            return cap
        return f"{self._multiple}, at most {cap}" if cap else self._multiple

    def permits_more_than(self, other: "Limit") -> bool:
        """True when some thickness exists at which this limit lies above `other`.

        Multiples of different lengths cannot be compared: they count as permitting more.
        """
        if self.of is not None and other.of is not None and self.of is not other.of:
            return True
        if other.times is not None and (self.times is None or self.times > other.times):
            return True
        return other.max_mm is not None and (self.max_mm is None or self.max_mm > other.max_mm)

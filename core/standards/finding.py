"""Input of a judgement: an indication with its extent in millimetres, and the part it lies in."""

import math
from dataclasses import dataclass
from enum import StrEnum

from core.domain.indication import IndicationClass
from core.standards.interval import Interval
from core.standards.kinds import class_of, is_kind, name_of


class Symbol(StrEnum):
    """A length of the part that a limit may depend on."""

    S = "s"
    T = "t"
    WELD = "weld length"

    @property
    def words(self) -> str:
        """The length in words."""
        return {
            Symbol.S: "nominal butt weld thickness s",
            Symbol.T: "wall thickness t",
            Symbol.WELD: "length of the weld",
        }[self]


class Fact(StrEnum):
    """A fact that a radiograph does not show and a person has to state."""

    INTERNAL = "internal"
    SHALLOW = "shallow"

    @property
    def words(self) -> str:
        """The fact as a clause."""
        return {
            Fact.INTERNAL: "it does not break the surface",
            Fact.SHALLOW: "it is a shallow crater or star crack",
        }[self]


@dataclass(frozen=True, slots=True)
class Length:
    """A measured length.

    Attributes:
        mm: at the object, at least 0.
        plus_minus_mm: half of the interval that is sure to hold the true length; 0: `mm` is the true one.

    Raises:
        ValueError: on a number that is negative or not finite.
    """

    mm: float
    plus_minus_mm: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and value >= 0 for value in (self.mm, self.plus_minus_mm)):
            raise ValueError(
                f"expected finite lengths of at least 0 mm, got {self.mm} ± {self.plus_minus_mm}"
            )

    @property
    def interval(self) -> Interval:
        """Interval that holds the true length; never below 0."""
        return Interval(max(0.0, self.mm - self.plus_minus_mm), self.mm + self.plus_minus_mm)


@dataclass(frozen=True, slots=True)
class Imperfection:
    """An indication to be judged. Extents are None where nobody measured them or the image has no scale.

    Attributes:
        finding_id: unique among the findings that are judged together.
        indication: the class.
        kind: the ISO 6520-1 number, or the id of a kind without one, that a person gave it; None when only
            the class is known.
        length: longest extent in the image; taken to run along the weld in sums and windows.
        width: extent across `length` in the image, at most `length`.
        height: extent through the wall; a single radiograph does not show it.
        position_mm: middle of the indication along the weld, from any one origin; None when not known.
        is_internal: False when it breaks the surface, None when nobody said.
        is_shallow: of a crater or star crack, None when nobody said.
        covered_percent: share of its projected area that the pores of a group cover; None for a single one.
        grade: severity level that a person read off reference radiographs, from 1; None when nobody said.

    Raises:
        ValueError: a width above the length, a kind of another class, a position that is not finite.
    """

    finding_id: str
    indication: IndicationClass
    kind: str | None = None
    length: Length | None = None
    width: Length | None = None
    height: Length | None = None
    position_mm: float | None = None
    is_internal: bool | None = None
    is_shallow: bool | None = None
    covered_percent: Interval | None = None
    grade: int | None = None

    def __post_init__(self) -> None:
        if self.length is not None and self.width is not None and self.width.mm > self.length.mm:
            raise ValueError(
                f"length is the longest extent: expected at least the width of {self.width.mm} mm, "
                f"got {self.length.mm} mm"
            )
        if self.position_mm is not None and not math.isfinite(self.position_mm):
            raise ValueError(f"expected a finite position, got {self.position_mm}")
        if self.kind is None:
            return
        if not is_kind(self.kind):
            raise ValueError(f"expected an ISO 6520-1 number of 3 to 5 digits or a kind, got {self.kind!r}")
        if class_of(self.kind) is not self.indication:
            raise ValueError(
                f"{name_of(self.kind)} is {class_of(self.kind)}, the class says {self.indication}"
            )

    def says(self, fact: Fact) -> bool | None:
        """True when the fact holds, None when nobody said."""
        return self.is_internal if fact is Fact.INTERNAL else self.is_shallow


@dataclass(frozen=True, slots=True)
class InspectedPart:
    """The weld that the image shows. None means not known; nothing is assumed for it.

    Attributes:
        wall_mm: wall thickness t (T), the thinner wall where two differ.
        thickness_s_mm: nominal butt weld thickness s; equals t in a butt weld with full penetration, which is
            for the caller to say.
        weld_length_mm: length of the weld, not of the image.
        is_single_sided: welded from one side only.

    Raises:
        ValueError: on a length that is not positive and finite.
    """

    wall_mm: float | None = None
    thickness_s_mm: float | None = None
    weld_length_mm: float | None = None
    is_single_sided: bool | None = None

    def __post_init__(self) -> None:
        for symbol in Symbol:
            value = self.value(symbol)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"expected a {symbol.words} above 0 mm, got {value}")

    def value(self, symbol: Symbol) -> float | None:
        """The length `symbol` stands for, mm; None when not known."""
        return {
            Symbol.S: self.thickness_s_mm,
            Symbol.T: self.wall_mm,
            Symbol.WELD: self.weld_length_mm,
        }[symbol]

"""Plain values with a place: every refusal names the file, the rule and what was expected there."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, NoReturn, TypeVar

from core.domain.errors import RuleSetError

EnumT = TypeVar("EnumT", bound=Enum)
_LARGEST_MM = 1e6


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a rule file and where it stands.

    Attributes:
        value: plain, as YAML gave it.
        where: such as "iso-5817.yaml: rule gas-pore: at_most".
    """

    value: Any
    where: str

    def refuse(self, expected: str) -> NoReturn:
        """Raises the one error of this package about this value."""
        found = "nothing" if self.value is None else repr(self.value)
        raise RuleSetError(f"{self.where}: expected {expected}, got {found[:80]}")

    def mapping(
        self, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
    ) -> dict[str, "Field"]:
        """The fields of a mapping that has all `required` keys and none but those and `optional` ones."""
        known = (*required, *optional)
        if not isinstance(self.value, dict):
            self.refuse(f"a mapping with {', '.join(known)}")
        if unknown := [key for key in self.value if key not in known]:
            raise RuleSetError(f"{self.where}: unknown {unknown[0]!r}, expected one of {', '.join(known)}")
        if missing := [key for key in required if self.value.get(key) is None]:
            raise RuleSetError(f"{self.where}: expected {missing[0]!r}, got nothing")
        return {
            key: Field(value, f"{self.where}: {key}")
            for key, value in self.value.items()
            if value is not None
        }

    def items(self) -> Iterator["Field"]:
        """The members of a list that is not empty."""
        if not isinstance(self.value, list) or not self.value:
            self.refuse("a list with at least one item")
        for number, value in enumerate(self.value, start=1):
            yield Field(value, f"{self.where}: item {number}")

    def text(self) -> str:
        """A text that is not empty; a whole number is read as its digits."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse("a text")
        if len(self.value) > 2000 or not self.value.strip().isprintable():
            self.refuse("one line of at most 2000 printable characters")
        return self.value.strip()

    def flag(self) -> bool:
        """True or False."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def whole(self) -> int:
        """A whole number of at least 0."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not 0 <= self.value < 10**6:
            self.refuse("a whole number of at least 0")
        return self.value

    def size_mm(self) -> float:
        """Millimetres above 0."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("a number of millimetres above 0")
        if not (math.isfinite(self.value) and 0 < self.value <= _LARGEST_MM):
            self.refuse("a number of millimetres above 0")
        return float(self.value)

    def factor(self) -> Fraction:
        """A multiple above 0: a number, or a text such as "1/3". Decimals are taken exactly."""
        if (
            isinstance(self.value, bool)
            or not isinstance(self.value, int | float | str)
            or len(str(self.value)) > 12
        ):
            self.refuse('a multiple above 0, such as 0.2 or "1/3"')
        try:
            factor = Fraction(str(self.value))
        except (ValueError, ZeroDivisionError):
            self.refuse('a multiple above 0, such as 0.2 or "1/3"')
        if not 0 < factor <= 10**6:
            self.refuse('a multiple above 0, such as 0.2 or "1/3"')
        return factor

    def one_of(self, choices: type[EnumT]) -> EnumT:
        """The member of the enumeration that the text names."""
        try:
            return choices(self.value)
        except ValueError:
            self.refuse(f"one of {', '.join(repr(choice.value) for choice in choices)}")

"""Severity levels of castings: a person compares the radiograph with graded reference radiographs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grading:
    """The reference radiographs that severity levels are read off.

    Attributes:
        references: their standard, by name.
        highest: the most severe level; the least severe one is 1.
    """

    references: str
    highest: int

    @property
    def words(self) -> str:
        """Such as "ASTM E446, severity levels 1 to 5"."""
        return f"{self.references}, severity levels 1 to {self.highest}"

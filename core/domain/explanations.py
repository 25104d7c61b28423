"""What explains one indication, and how far to believe it, in values and words."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Fill(StrEnum):
    """How a region is filled with its own background."""

    SURFACE = "surface"
    MEMBRANE = "membrane"
    THIN_PLATE = "thin plate"


class Falls(StrEnum):
    """What the probability of an indication does when its region is taken away."""

    FALLS = "falls"
    PARTLY = "falls partly"
    STAYS = "does not fall"
    UNCLEAR = "unclear"
    NOT_EVALUABLE = "not evaluable"


#: The probability falls when at least this share of it goes, and does not when at most that share goes.
FALLS_FROM, STAYS_UP_TO = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class WithoutRegion:
    """The calibrated probability of an indication with its region, and without it.

    Attributes:
        before: probability with nothing changed, read in the same surroundings; 0 when it is not found there.
        after: by fill, the highest of what is still reported at its place; 0 where nothing is.

    Raises:
        ValueError: without a fill, or when a probability is not within 0..1.
    """

    before: float
    after: dict[Fill, float]

    def __post_init__(self) -> None:
        if not self.after:
            raise ValueError("at least one fill must have been read")
        for value in (self.before, *self.after.values()):
            if not 0 <= value <= 1:
                raise ValueError(f"a probability must be within 0..1, got {value}")

    @property
    def typical_after(self) -> float:
        """The median over the fills."""
        return float(np.median(list(self.after.values())))

    @property
    def verdict(self) -> Falls:
        """By the share of the probability that goes; unclear where fills contradict each other."""
        if self.before <= 0:
            return Falls.NOT_EVALUABLE
        verdicts = {_by_share(1 - after / self.before) for after in self.after.values()}
        if {Falls.FALLS, Falls.STAYS} <= verdicts:
            return Falls.UNCLEAR
        return _by_share(1 - self.typical_after / self.before)

    @property
    def words(self) -> str:
        """One sentence for a reader."""
        before, after = f"{self.before:.2f}", f"{self.typical_after:.2f}"
        low, high = min(self.after.values()), max(self.after.values())
        return {
            Falls.FALLS: f"without this region the probability falls from {before} to {after}",
            Falls.PARTLY: f"without this region the probability falls only from {before} to {after}",
            Falls.STAYS: f"does not fall without this region ({before} to {after}): "
            "the call does not rest on what is inside",
            Falls.UNCLEAR: f"unclear: without this region the probability of {before} becomes {low:.2f} to "
            f"{high:.2f}, by what is put there",
            Falls.NOT_EVALUABLE: "not evaluable: read again in its surroundings alone, it is not reported",
        }[self.verdict]


def _by_share(gone: float) -> Falls:
    if gone >= FALLS_FROM:
        return Falls.FALLS
    return Falls.STAYS if gone <= STAYS_UP_TO else Falls.PARTLY

"""What explains one indication, and how far to believe it, in values and words."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Fill(StrEnum):
    """How a region is filled with its own background."""

    SURFACE = "surface"
    MEMBRANE = "membrane"
    THIN_PLATE = "thin plate"


class Method(StrEnum):
    """How the map of a box is made."""

    GRADCAM = "gradcam"
    POOLED = "pooled"
    INTEGRATED = "integrated"
    PERTURBED = "perturbed"


#: Each as a person reads it.
METHOD_WORDS = {
    Method.GRADCAM: "Grad-CAM per box",
    Method.POOLED: "pooled Grad-CAM",
    Method.INTEGRATED: "Integrated Gradients",
    Method.PERTURBED: "windowed perturbation",
}


class Falls(StrEnum):
    """What the probability of an indication does when its region is taken away."""

    FALLS = "falls"
    PARTLY = "falls partly"
    STAYS = "does not fall"
    UNCLEAR = "unclear"
    NOT_EVALUABLE = "not evaluable"


#: The probability falls when at least this share of it goes, and does not when at most that share goes.
FALLS_FROM, STAYS_UP_TO = 0.5, 0.2
#: A probability in the surroundings that differs this much from the listed one is told as another.
ELSEWHERE_FROM = 0.1


@dataclass(frozen=True, slots=True)
class WithoutRegion:
    """The calibrated probability of an indication with its region, and without it.

    Attributes:
        before: probability with nothing changed, read in the same surroundings; 0 when it is not found there.
        after: by fill, the highest of what is still reported at its place; 0 where nothing is.
        listed: probability that the list of indications shows; None where it is not known.

    Raises:
        ValueError: without a fill, or when a probability is not within 0..1.
    """

    before: float
    after: dict[Fill, float]
    listed: float | None = None

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
        """One sentence for a reader, which says so where it begins elsewhere than the list does."""
        if self.listed is None or self.before <= 0 or abs(self.before - self.listed) < ELSEWHERE_FROM:
            return self._becomes
        return (
            f"{self._becomes} (listed with {self.listed:.2f}; read again in its surroundings alone it has "
            f"{self.before:.2f})"
        )

    @property
    def _becomes(self) -> str:
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


class Belief(StrEnum):
    """How far a map is to be believed."""

    FAITHFUL = "faithful"
    WEAK = "weak"
    NOT_DISTINGUISHABLE = "not distinguishable from a drawn blob"
    EMPTY = "empty"


class Baseline(StrEnum):
    """Maps that ask no model."""

    RANDOM = "random"
    GAUSSIAN = "a Gaussian on the box"
    EDGES = "edges"


#: A map is better than a baseline when its insertion minus deletion is larger by more than this.
BETTER_BY = 0.02


@dataclass(frozen=True, slots=True)
class Curve:
    """What the score does while px are taken away or put back, in the order of a map.

    Attributes:
        areas: px that were changed, in areas of the box; begins with 0.
        deletion: score with the highest px filled, as a share of the score of the box, at most 1.
        insertion: the same with nothing but the highest px of the window.
    """

    areas: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]

    @property
    def gain(self) -> float:
        """Mean of insertion minus deletion over the areas (trapezia): the higher, the more faithful."""
        difference = np.array(self.insertion) - np.array(self.deletion)
        span = self.areas[-1] - self.areas[0]
        return float(np.trapezoid(difference, self.areas) / span) if span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """A map's curves by fill, beside those of baselines.

    Attributes:
        own: of the map.
        baselines: of each baseline.
        is_empty: the map had nothing to rank.
    """

    own: dict[Fill, Curve]
    baselines: dict[Baseline, dict[Fill, Curve]]
    is_empty: bool = False

    def gain(self, baseline: Baseline | None = None) -> float:
        """Mean over the fills, of the map or of a baseline."""
        curves = self.own if baseline is None else self.baselines[baseline]
        return float(np.mean([curve.gain for curve in curves.values()]))

    @property
    def belief(self) -> Belief:
        """Faithful: better than every baseline with every fill. Weak: on the mean over the fills."""
        if self.is_empty:
            return Belief.EMPTY
        gaps = {
            baseline: [self.own[fill].gain - curve.gain for fill, curve in curves.items()]
            for baseline, curves in self.baselines.items()
        }
        if all(gap > BETTER_BY for by_fill in gaps.values() for gap in by_fill):
            return Belief.FAITHFUL
        if all(float(np.mean(by_fill)) > BETTER_BY for by_fill in gaps.values()):
            return Belief.WEAK
        return Belief.NOT_DISTINGUISHABLE

    @property
    def words(self) -> str:
        """One line: the verdict and the figures."""
        if self.is_empty:
            return "the map is empty: there is nothing to test"
        others = ", ".join(f"{name} {self.gain(name):.2f}" for name in self.baselines)
        return f"{self.belief}: insertion minus deletion {self.gain():.2f}; {others}"

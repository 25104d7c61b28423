"""Whether a curve of the probability of detection goes through the shares that were found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import chdtrc

#: A curve of the right family misses its points as far in so many of all cases.
_ERROR = 0.01
_LEAST_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where a curve misses its points most, for their numbers.

    Attributes:
        p: probability of points as far from a right curve, after the chi-squared test of Pearson.
        size_mm: of the group.
        found, drawn: shares 0..1 that were found and that the curve tells.
    """

    p: float
    size_mm: float
    found: float
    drawn: float

    @property
    def words(self) -> str:
        """What is missed, a sentence without a full stop."""
        chance = "p < 0.001" if self.p < 1e-3 else f"p = {self.p:.3f}"
        return (
            f"the curve misses its points ({chance}): of flaws of about {self.size_mm:.2g} mm "
            f"{100 * self.found:.0f} % were found where it tells {100 * self.drawn:.0f} %"
        )


def misfit_of(estimate: Mapping[str, Any], bins: Sequence[Mapping[str, Any]]) -> Misfit | None:
    """The misfit of an estimate as it is kept; None where it fits, has no curve or too few groups.

    Args:
        estimate: plain data of `PodEstimate`.
        bins: groups of targets of about the same size, each with `size_mm`, `n` and `found`.
    """
    fit, curve = estimate.get("fit"), estimate.get("curve")
    if not fit or not curve:
        return None
    degrees = len(bins) - 2 - (fit["floor"] != 0) - (fit["ceiling"] != 1)
    if degrees < 1:
        return None
    sizes, n, found = (np.array([one[key] for one in bins], np.float64) for key in ("size_mm", "n", "found"))
    drawn = np.clip(
        np.interp(np.log(sizes), np.log(curve["size_mm"]), curve["pod"]), _LEAST_SHARE, 1 - _LEAST_SHARE
    )
    squares = np.square(found - n * drawn) / (n * drawn * (1 - drawn))
    p = float(chdtrc(degrees, squares.sum()))
    if p >= _ERROR:
        return None
    worst = int(squares.argmax())
    return Misfit(p, float(sizes[worst]), float(found[worst] / n[worst]), float(drawn[worst]))

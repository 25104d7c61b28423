"""The interval of a share that was counted."""

import math
from statistics import NormalDist


def wilson_interval(n_hits: int, n: int, *, confidence: float = 0.95) -> tuple[float, float] | None:
    """The score interval (low, high) of a share of `n_hits` in `n`, within 0..1; None when n is 0.

    E. B. Wilson, J. Am. Stat. Assoc. 22:209 (1927), without continuity correction. It holds for independent
    trials; those of one film or part are not, and then it is too narrow.

    Raises:
        ValueError: when there are more hits than trials, or the confidence is not between 0 and 1.
    """
    if not 0 <= n_hits <= n or not 0 < confidence < 1:
        raise ValueError(f"{n_hits} of {n} at confidence {confidence} is no share")
    if n == 0:
        return None
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    share = n_hits / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if n_hits == 0 else max(0.0, centre - half)
    high = 1.0 if n_hits == n else min(1.0, centre + half)
    return low, high

"""Places in the seam."""

import numpy as np

from core.simulate.geometry import WeldGeometry


def somewhere(rng: np.random.Generator, weld: WeldGeometry, reach: float = 0.8) -> tuple[float, float]:
    """A random x, y in px, at most `reach` half widths from the centre line."""
    return at(weld, rng.uniform(0.01, 0.99) * weld.thickness_mm.shape[1], rng.uniform(-reach, reach))


def at(weld: WeldGeometry, x: float, u: float) -> tuple[float, float]:
    """x, y in px at column `x` and at `u` half widths from the centre line."""
    column = int(np.clip(x, 0, len(weld.centre) - 1))
    return x, float(weld.centre[column] + u * weld.half_width[column])

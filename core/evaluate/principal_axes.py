"""Many features as two: principal component analysis."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def principal_axes(features: npt.NDArray[np.floating[Any]], n_axes: int = 2) -> tuple[Floats, Floats]:
    """(N, n_axes) positions along the axes of most variance, and (n_axes,) the share of it that each holds.

    The sign of an axis is that of its largest loading, so the same features give the same picture. Fewer
    than two rows, or features that are all alike, lie at 0.

    Args:
        features: (N, D).
        n_axes: how many.
    """
    rows = np.asarray(features, np.float64)
    positions, shares = np.zeros((len(rows), n_axes)), np.zeros(n_axes)
    if len(rows) < 2:
        return positions, shares
    left, spread, loadings = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    kept = min(n_axes, len(spread))
    largest = np.abs(loadings[:kept]).argmax(axis=1)
    signs = np.sign(loadings[np.arange(kept), largest])
    positions[:, :kept] = left[:, :kept] * spread[:kept] * np.where(signs == 0, 1, signs)
    total = float((spread**2).sum())
    if total > 0:
        shares[:kept] = spread[:kept] ** 2 / total
    return positions, shares

"""Smooth random curves and fields, the raw material of everything uneven."""

import math

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A value between `low` and `high`, both positive, uniform in its logarithm."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def smooth_curve(rng: np.random.Generator, count: int, scale_px: float) -> Array:
    """(count,) float32 of about unit standard deviation that changes over about `scale_px`."""
    knots = max(4, math.ceil(count / max(scale_px, 1.0)) + 3)
    values = rng.standard_normal(knots, dtype=np.float32)
    position = rng.uniform(0.0, 0.9) + np.arange(count, dtype=np.float64) * ((knots - 2.9) / max(count, 1))
    left = np.minimum(position.astype(np.intp), knots - 2)
    part = position - left
    part = part * part * (3 - 2 * part)
    return np.asarray(values[left] * (1 - part) + values[left + 1] * part, np.float32)


def smooth_field(rng: np.random.Generator, height: int, width: int, scale_px: float) -> Array:
    """(height, width) float32 of about unit standard deviation, blobs of about `scale_px`."""
    rows = max(3, math.ceil(height / scale_px) + 1)
    columns = max(3, math.ceil(width / scale_px) + 1)
    knots = rng.standard_normal((rows, columns), dtype=np.float32)
    return np.asarray(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def grain(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    fine_px: float,
    coarse_px: float,
    coarse_share: float,
) -> Array:
    """(height, width) float32 noise of unit standard deviation, correlated over a few pixels.

    The sum of a fine part (Gaussian of `fine_px`) and a coarse one (Gaussian of about `coarse_px`);
    `coarse_share` of the variance is coarse. Real film noise has a longer tail than one Gaussian.
    """
    fine = rng.standard_normal((height, width), dtype=np.float32)
    if fine_px > 0.25:
        cv2.GaussianBlur(fine, (0, 0), fine_px, dst=fine)
    half = rng.standard_normal((height // 2 + 1, width // 2 + 1), dtype=np.float32)
    half = np.asarray(cv2.GaussianBlur(half, (0, 0), max(coarse_px / 2, 0.3)), np.float32)
    coarse = np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    fine *= math.sqrt(1 - coarse_share) / max(_spread(fine), 1e-9)
    coarse *= math.sqrt(coarse_share) / max(_spread(coarse), 1e-9)
    fine += coarse
    return fine


def _spread(values: Array) -> float:
    return float(values[::3, ::3].std())

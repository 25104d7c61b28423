"""After how many images more noise is noticed, told from the reference alone by drawing from it again."""

import math

import numpy as np
import numpy.typing as npt

from core.domain.drift import NoiseSensitivity
from core.evaluate.drift_tests import LEAST_IMAGES

#: Noise beside that of before, and the windows that are looked at.
MORE_NOISE, MOST_WINDOWS = 1.3, 20
_SURE, _N_REPEATS = 0.9, 300


def noise_sensitivity(
    noise: npt.NDArray[np.float64], *, n_window: int, error: float, times: float = MORE_NOISE, seed: int = 0
) -> NoiseSensitivity | None:
    """When noise that grew is noticed by its own test alone, window after window against one reference.

    Reference and windows are drawn from the reference with replacement (bootstrap), those of the windows
    times `times`; a window alarms where the distance of Kolmogorov and Smirnov exceeds that of the error
    probability (its limit for many images). Other figures may notice earlier what is not noise alone.

    Args:
        noise: (N,) of the images of the reference, not a number where one does not allow it.
        n_window: images of a window.
        error: probability that the test alarms where nothing changed.
        times: how much more noise.
        seed: of the drawing.

    Returns:
        None from fewer than `LEAST_IMAGES` values.
    """
    values = noise[np.isfinite(noise)]
    n = len(values)
    if n < LEAST_IMAGES:
        return None
    rng = np.random.default_rng(seed)
    least = math.sqrt(-math.log(error / 2) / 2 * (n + n_window) / (n * n_window))
    first = np.full(_N_REPEATS, MOST_WINDOWS)
    for repeat in range(_N_REPEATS):
        before = rng.choice(values, n)
        for window in range(MOST_WINDOWS):
            if _distance(before, times * rng.choice(values, n_window)) > least:
                first[repeat] = window
                break
    windows = int(np.sort(first)[math.ceil(_SURE * _N_REPEATS) - 1]) + 1
    low, high = np.percentile(values, (5, 95))
    return NoiseSensitivity(
        times=times,
        n_images=None if windows > MOST_WINDOWS else windows * n_window,
        n_window=n_window,
        most=MOST_WINDOWS * n_window,
        spread=float(high / max(low, 1e-12)),
    )


def _distance(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """The largest difference of the shares of both samples that reach no value."""
    both = np.concatenate((one, other))
    shares = [np.searchsorted(np.sort(sample), both, side="right") / len(sample) for sample in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())

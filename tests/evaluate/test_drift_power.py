"""What a reference tells of how soon more noise is noticed, against windows that are really compared."""

import numpy as np
import pytest

from core.evaluate.drift_power import noise_sensitivity
from core.evaluate.drift_tests import Sample, drift_between

ERROR = 0.01 / 2 / 6
WINDOW = 50


def noise(rng: np.random.Generator, n: int, spread: float) -> np.ndarray:
    """(n,) noise of images, log-normal with deviation `spread`."""
    return np.exp(rng.normal(-6, spread, n))


def test_even_noise_is_noticed_in_the_first_window() -> None:
    found = noise_sensitivity(noise(np.random.default_rng(1), 100, 0.1), n_window=WINDOW, error=ERROR)
    assert found is not None
    assert (found.n_images, found.is_at_once) == (WINDOW, True)
    assert found.spread == pytest.approx(np.exp(2 * 1.645 * 0.1), rel=0.15)
    assert found.words.endswith(
        "30% more noise of the same grain is noticed within 50 images, nine times of ten"
    )


def test_the_more_the_noise_differs_the_later_more_of_it_is_noticed() -> None:
    found = [
        noise_sensitivity(noise(np.random.default_rng(1), 100, spread), n_window=WINDOW, error=ERROR)
        for spread in (0.1, 0.45, 2.5)
    ]
    even, mixed, wild = (one.n_images if one is not None else 0 for one in found)
    assert even is not None
    assert mixed is not None
    assert even < mixed
    assert wild is None
    assert found[2] is not None
    assert "not surely be noticed within 1,000 images" in found[2].words


@pytest.mark.parametrize(("spread", "is_at_once"), [(0.2, True), (0.5, False)])
def test_the_first_window_is_told_where_it_alarms(spread: float, is_at_once: bool) -> None:
    rng = np.random.default_rng(2)
    told, alarms = 0, 0
    for seed in range(30):
        reference, recent = noise(rng, 100, spread), 1.3 * noise(rng, WINDOW, spread)
        found = noise_sensitivity(reference, n_window=WINDOW, error=0.005)
        told += found is not None and found.is_at_once
        before, now = (Sample({"noise": values}, None) for values in (reference, recent))
        alarms += drift_between(before, now, alpha=0.01, seed=seed, n_permutations=600).is_alarm
    print(spread, told, alarms)
    assert (alarms >= 27) is is_at_once
    assert (told >= 27) is is_at_once


def test_few_values_tell_nothing() -> None:
    values = np.append(np.ones(19), [np.nan] * 40)
    assert noise_sensitivity(values, n_window=WINDOW, error=ERROR) is None

"""Two samples of one source raise few alarms; those of two sources do; Holm and MMD as by hand."""

import numpy as np
import pytest

from core.domain.drift import EMBEDDING
from core.evaluate.drift_tests import Permutations, Sample, drift_between, holm, mmd


def sample(rng: np.random.Generator, n: int, *, noise: float = 1.0, moved: float = 0.0) -> Sample:
    """`n` images with five figures and an embedding of eight numbers."""
    figures = {f"figure {i}": rng.normal(size=n) for i in range(4)}
    figures["noise"] = np.exp(rng.normal(0, 0.2, n)) * noise
    return Sample(figures, rng.normal(moved, 1, (n, 8)))


def test_holm_is_as_in_the_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_one_source_is_seldom_alarmed() -> None:
    rng = np.random.default_rng(5)
    alarms = sum(
        drift_between(sample(rng, 60), sample(rng, 40), alpha=0.05, seed=i, n_permutations=400).is_alarm
        for i in range(100)
    )
    assert alarms <= 11  # 99.4 % of all runs at 5 %


@pytest.mark.parametrize(
    ("changed", "name"), [({"noise": 1.5}, "noise"), ({"moved": 0.6}, EMBEDDING)], ids=["noise", "look"]
)
def test_a_change_is_found_and_named(changed: dict[str, float], name: str) -> None:
    rng = np.random.default_rng(6)
    result = drift_between(sample(rng, 100), sample(rng, 50, **changed), alpha=0.01)
    assert [one.name for one in result.changed] == [name]


def test_a_figure_that_few_images_allow_is_not_tested() -> None:
    rng = np.random.default_rng(7)
    rare = np.full(50, np.nan)
    rare[:19] = 9.0
    one = Sample({"CNR": rng.normal(size=100)}, None)
    assert drift_between(one, Sample({"CNR": rare}, None), alpha=0.05).shifts == ()


def test_ties_are_no_difference() -> None:
    same = Sample({"polarity": np.ones(60)}, None)
    (found,) = drift_between(same, Sample({"polarity": np.ones(40)}, None), alpha=0.05).shifts
    assert found.statistic == pytest.approx(0, abs=1e-12)
    assert (found.p, found.is_shifted) == (1.0, False)


def test_a_change_of_little_spread_is_not_hidden_by_what_varies_most() -> None:
    rng = np.random.default_rng(8)

    def films(n: int, moved: float) -> np.ndarray:
        """(n, 40): all columns follow one exposure; their small rest moves in half of them."""
        rest = 0.2 * rng.normal(size=(n, 40)) + 0.2 * moved * (np.arange(40) % 2)
        return rng.normal(size=(n, 1)) + rest

    assert mmd(films(100, 0), films(50, 0.7), Permutations(1, 1000))[1] < 0.005
    assert mmd(films(100, 0), films(50, 0), Permutations(1, 1000))[1] > 0.05


def test_the_discrepancy_is_as_by_hand() -> None:
    one, other = np.array([[0.0], [2.0]]), np.array([[4.0], [6.0]])  # one column: whitening scales it
    kernel = np.exp(-np.square(np.arange(0, 7, 2)[:, None] - np.arange(0, 7, 2)) / 10.0)  # median: (4+16)/2
    expected = kernel[:2, :2].mean() + kernel[2:, 2:].mean() - 2 * kernel[:2, 2:].mean()
    statistic, p = mmd(one, other, Permutations(0, 500))
    assert statistic == pytest.approx(expected)
    assert 0.2 < p < 0.5  # of six ways to part four numbers, two are as extreme

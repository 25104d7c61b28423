import numpy as np
import pytest

from core.evaluate.calibration_error import brier, d_ece, log_loss, perfect_d_ece_band, reliability

NOBODY = (np.zeros(0), np.zeros(0, np.bool_))


def test_d_ece_by_hand_in_one_and_in_two_bins() -> None:
    p, y = np.array([0.2, 0.4, 0.6, 0.8]), np.array([False, True, True, True])
    assert d_ece(p, y, n_bins=1) == pytest.approx(abs(0.5 - 0.75))
    assert d_ece(p, y, n_bins=2) == pytest.approx((abs(0.3 - 0.5) + abs(0.7 - 1.0)) / 2)


def test_it_is_a_fraction_between_both_extremes() -> None:
    assert d_ece(np.ones(50), np.zeros(50, np.bool_)) == 1.0
    assert d_ece(np.ones(50), np.ones(50, np.bool_)) == 0.0


def test_equal_probabilities_share_a_bin_whatever_their_order() -> None:
    random = np.random.default_rng(0)
    p, y = random.choice([0.1, 0.5, 0.9], 200), random.random(200) < 0.5
    order = random.permutation(200)
    assert d_ece(p, y) == pytest.approx(d_ece(p[order], y[order]), abs=1e-12)
    assert [size for _, _, size in reliability(p, y)] == [int((p == v).sum()) for v in (0.1, 0.5, 0.9)]


def test_bins_hold_equal_mass_when_nothing_ties() -> None:
    p = np.random.default_rng(1).random(1003)
    sizes = [size for _, _, size in reliability(p, p > 0.5)]
    assert len(sizes) == 10
    assert sum(sizes) == 1003
    assert max(sizes) - min(sizes) <= 1


def test_fewer_boxes_than_bins_make_one_bin_each() -> None:
    assert d_ece(np.array([0.3, 0.9]), np.array([False, True])) == pytest.approx((0.3 + 0.1) / 2)


@pytest.mark.parametrize(
    ("n", "shape"), [(60, (1, 2)), (300, (1, 2)), (1000, (0.5, 4)), (300, (20, 20))], ids=str
)
def test_a_perfectly_calibrated_model_lies_in_the_band_95_times_in_100(n: int, shape: tuple) -> None:
    """600 repetitions: the standard error of the share is 0.009."""
    random = np.random.default_rng(2)
    inside = 0
    for seed in range(600):
        p = random.beta(*shape, n)
        band = perfect_d_ece_band(p, seed=seed, n_simulations=400)
        assert band is not None
        inside += band[0] <= (d_ece(p, random.random(n) < p) or 0.0) <= band[1]
    assert 0.92 <= inside / 600 <= 0.98


def test_a_sharpened_model_lies_above_the_band() -> None:
    random = np.random.default_rng(2)
    p = random.beta(1, 2, 500)
    sharp = np.clip(p * 2, 0, 1)
    band = perfect_d_ece_band(sharp, seed=0)
    assert band is not None
    assert (d_ece(sharp, random.random(500) < p) or 0.0) > band[1]


def test_the_band_of_500_boxes_reaches_several_points_and_shrinks_with_more() -> None:
    p = np.random.default_rng(3).random(20_000)
    small, large = perfect_d_ece_band(p[:500], seed=1), perfect_d_ece_band(p, seed=1)
    assert small is not None
    assert large is not None
    assert 0.04 < small[1] < 0.09
    assert large[1] < small[0]


def test_the_band_is_the_same_for_the_same_seed() -> None:
    p = np.random.default_rng(4).random(300)
    assert perfect_d_ece_band(p, seed=5) == perfect_d_ece_band(p, seed=5)


def test_brier_and_log_loss_by_hand() -> None:
    p, y = np.array([0.25, 0.5]), np.array([False, True])
    assert brier(p, y) == pytest.approx((0.0625 + 0.25) / 2)
    assert log_loss(p, y) == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2)


def test_a_certain_error_costs_a_finite_log_loss() -> None:
    assert log_loss(np.array([1.0]), np.array([False])) == pytest.approx(-np.log(1e-7))


def test_without_detections_nothing_is_evaluable() -> None:
    assert d_ece(*NOBODY) is None
    assert brier(*NOBODY) is None
    assert log_loss(*NOBODY) is None
    assert perfect_d_ece_band(NOBODY[0], seed=0) is None
    assert reliability(*NOBODY) == []

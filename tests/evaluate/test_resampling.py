import numpy as np
import pytest

from core.evaluate.average_precision import average_precision, interpolated_precision
from core.evaluate.calibration_error import brier, d_ece
from core.evaluate.calibration_figures import BRIER, BRIER_GAIN, D_ECE, LOG_LOSS_GAIN
from core.evaluate.groups import ranked_of
from core.evaluate.operating_figures import FALSE_CALLS, PRECISION, RECALL
from core.evaluate.resampling import expanded_interval, resample, two_sided_p
from core.evaluate.version_figures import AP50, AP50_CLASSES, figures_from, version_figures
from tests.evaluate.versions import Skill, measured, recorded, reported, table_of


def _interval_of_mean(values: np.ndarray, parts: list[str]) -> tuple[float, float]:
    plan = resample(parts, seed=1)
    interval = expanded_interval(plan.totals(values) / plan.totals(np.ones(len(values))), plan.n_parts)
    assert interval is not None
    return interval


def test_the_interval_of_a_mean_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(0).normal(0, 1, 400)
    low, high = _interval_of_mean(values, [str(i) for i in range(400)])
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert low < values.mean() < high


def test_frames_of_one_part_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 20), 20)
    low, high = _interval_of_mean(values, [str(i // 20) for i in range(400)])
    lowest, highest = _interval_of_mean(values, [str(i) for i in range(400)])
    assert high - low > 3 * (highest - lowest)


def test_all_images_of_a_drawn_part_come_together() -> None:
    plan = resample(["a", "b", "a", "c"], n_resamples=20)
    drawn = [plan.image_weights(index).tolist() for index in range(20)]
    assert all(w[0] == w[2] and w[0] + w[1] + w[3] == 3 for w in drawn)
    assert len({tuple(w) for w in drawn}) > 5


def test_the_same_seed_draws_the_same() -> None:
    names = list("abcdefghij")
    first, again, other = (resample(names, seed=seed, n_resamples=50).counts for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_totals_are_the_weighted_sums() -> None:
    plan = resample(["a", "b", "a", "c"], n_resamples=20)
    values = np.random.default_rng(0).normal(size=(4, 3))
    wanted = np.array([plan.image_weights(index) @ values for index in range(20)])
    assert plan.totals(values) == pytest.approx(wanted)
    assert plan.totals(values[:, 0]) == pytest.approx(wanted[:, 0])


def test_few_parts_widen_the_interval() -> None:
    draws = np.random.default_rng(0).normal(size=4000)
    many, few = expanded_interval(draws, 1000), expanded_interval(draws, 5)
    assert many is not None
    assert few is not None
    assert many == pytest.approx((-1.96, 1.96), abs=0.12)
    assert few[1] > many[1] + 0.5


@pytest.mark.parametrize("parts", [[], ["only"], ["only", "only"]])
def test_fewer_than_two_parts_give_no_interval(parts: list[str]) -> None:
    plan = resample(parts, n_resamples=10)
    assert expanded_interval(plan.totals(np.ones(len(parts))), plan.n_parts) is None


def test_what_cannot_be_told_has_no_interval() -> None:
    assert expanded_interval(np.array([np.nan, np.nan, 1.0]), 10) is None
    assert expanded_interval(np.ones(5), 1) is None
    assert two_sided_p(0.1, np.array([np.nan]), 10) is None


def test_the_coverage_of_the_interval_of_seven_parts_is_near_its_name() -> None:
    """Plain percentiles cover 83 to 85 % with seven parts (docs/model-cards.md)."""
    random, covered = np.random.default_rng(3), 0
    for _ in range(300):
        values = random.normal(size=7)
        plan = resample([str(i) for i in range(7)], seed=int(random.integers(1e9)), n_resamples=400)
        interval = expanded_interval(plan.totals(values) / 7, 7)
        assert interval is not None
        covered += interval[0] <= 0 <= interval[1]
    assert covered >= 0.90 * 300


def test_figures_are_those_of_the_reference_functions_and_survive_their_arrays() -> None:
    table = table_of(reported(recorded(25, seed=1), Skill(overconfidence=1.0), seed=2))
    figures = version_figures(table, resample(table.parts, n_resamples=40))
    everything = ranked_of(table, np.ones(len(table.scores), bool), np.ones(len(table.truth), bool))
    assert figures.points[AP50] == pytest.approx(average_precision(everything))
    assert figures.precision_recall.y == pytest.approx(interpolated_precision(everything))
    kept = table.scores >= table.score_cut
    p, is_true = table.probabilities[kept], table.matched[kept] >= 0
    assert figures.points[D_ECE] == pytest.approx(d_ece(p, is_true))
    assert figures.points[BRIER] == pytest.approx(brier(p, is_true))
    again = figures_from(figures.to_arrays())
    assert again.points == figures.points
    assert again.groups == figures.groups
    assert again.draws[AP50] == pytest.approx(figures.draws[AP50], abs=1e-6)
    assert (figures.froc.low <= figures.froc.high + 1e-12).all()
    assert (np.diff(figures.froc.y) >= 0).all()


def test_each_draw_is_the_figure_of_the_images_repeated_so_often() -> None:
    images = reported(recorded(12, seed=3, per_part=2), Skill(overconfidence=1.0), seed=4)
    plan = resample([image.cluster for image in images], n_resamples=6)
    drawn = measured(table_of(images), plan).draws
    for index in range(6):
        weights = plan.image_weights(index)
        again = [image for image, weight in zip(images, weights, strict=True) for _ in range(weight)]
        points = measured(table_of(again), resample(["a"] * len(again), n_resamples=1)).points
        for name in (AP50, AP50_CLASSES, RECALL, PRECISION, FALSE_CALLS, BRIER, BRIER_GAIN, LOG_LOSS_GAIN):
            assert drawn[name][index] == pytest.approx(points[name]), name


def test_the_bands_of_curves_are_as_wide_as_the_intervals_of_figures() -> None:
    """Few parts widen them alike: a point of the band is the interval of the precision at that recall."""
    table = table_of(reported(recorded(15, seed=1, per_part=3), Skill(), seed=2))
    few = version_figures(table, resample(table.parts, n_resamples=200)).precision_recall
    by_image = resample([str(i) for i in range(15)], n_resamples=200)
    many = version_figures(table, by_image).precision_recall
    assert (few.high - few.low).mean() > (many.high - many.low).mean()
    single = version_figures(table, resample(["only"] * 15, n_resamples=20)).precision_recall
    assert np.isnan(single.low).all()

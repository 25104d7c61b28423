import numpy as np
import pytest

from core.evaluate.average_precision import average_precision, interpolated_precision
from core.evaluate.bootstrap import clustered_intervals
from core.evaluate.calibration_error import brier, d_ece
from core.evaluate.groups import ranked_of
from core.evaluate.resampling import expanded_interval, resample, two_sided_p
from core.evaluate.version_figures import AP50, BRIER, D_ECE, figures_from, version_figures
from tests.evaluate.versions import Skill, recorded, reported, table_of


def test_the_draws_are_those_of_the_clustered_bootstrap() -> None:
    parts = ["a", "b", "a", "c", "d"]
    seen: list[list[int]] = []

    def statistic(weights: np.ndarray) -> dict[str, float | None]:
        seen.append(weights.tolist())
        return {"x": 0.0}

    clustered_intervals(parts, statistic, seed=5, n_resamples=30)
    plan = resample(parts, seed=5, n_resamples=30)
    assert seen == [plan.image_weights(index).tolist() for index in range(30)]


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

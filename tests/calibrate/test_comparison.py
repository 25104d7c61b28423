import json

import numpy as np
import pytest
import yaml

from core.calibrate.beta import Beta
from core.calibrate.calibrator import FIT, Calibrator
from core.calibrate.choice import choose_calibrator
from core.calibrate.comparison import (
    COMPARISON_HEADER,
    ISOTONIC_BOXES,
    ISOTONIC_GROUPS,
    CalibratorComparison,
    compare_methods,
    comparison_rows,
    cross_fitted_probabilities,
    mean_difference,
)
from core.calibrate.isotonic import Isotonic
from core.calibrate.platt import Platt
from core.calibrate.temperature import Temperature
from core.domain.errors import CalibrationDataError
from core.evaluate.calibration_error import d_ece


def _drawn(calibrator: Calibrator, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.uniform(0.02, 0.98, n)
    return scores, random.random(n) < calibrator.probability(scores)


def _groups(n: int, n_groups: int) -> list[str]:
    return [f"part {i % n_groups}" for i in range(n)]


def _compared(calibrator: Calibrator, n: int, n_groups: int) -> CalibratorComparison:
    return compare_methods(*_drawn(calibrator, n), _groups(n, n_groups))


#: Steps that no curve of three parameters follows.
STAIRS = Isotonic((0.1, 0.3, 0.35, 0.6, 0.65, 0.9), (0.02, 0.05, 0.5, 0.55, 0.95, 0.97))


@pytest.mark.parametrize(
    ("truth", "chosen"),
    [
        (Temperature(2.0), "temperature"),
        (Platt(1.5, -1.5), "platt"),
        (Beta(3.0, 0.05, 1.0), "beta"),
        (STAIRS, "isotonic"),
    ],
)
def test_the_simplest_method_that_can_follow_the_truth_is_chosen(truth: Calibrator, chosen: str) -> None:
    assert _compared(truth, 6000, 30).chosen == chosen


@pytest.mark.parametrize(
    ("n", "n_groups", "is_eligible"),
    [
        (ISOTONIC_BOXES, ISOTONIC_GROUPS, True),
        (ISOTONIC_BOXES - 1, ISOTONIC_GROUPS, False),
        (ISOTONIC_BOXES, ISOTONIC_GROUPS - 1, False),
    ],
)
def test_isotonic_takes_part_only_with_enough_boxes_and_groups(
    n: int, n_groups: int, is_eligible: bool
) -> None:
    compared = _compared(STAIRS, n, n_groups)
    assert {m.method: m.is_eligible for m in compared.methods} == dict.fromkeys(FIT, True) | {
        "isotonic": is_eligible
    }
    assert ("isotonic" in compared.to_best) is is_eligible
    assert is_eligible or compared.chosen != "isotonic"


@pytest.mark.parametrize("truth", [Platt(2.2, -0.2), Beta(3.0, 0.05, 1.0)], ids=["straight", "curved"])
def test_the_fit_of_isotonic_costs_what_its_limit_says(truth: Calibrator) -> None:
    """The figures of docs/model-cards.md: mean log loss over that of the truth, 60 fits each."""
    random = np.random.default_rng(1)
    fresh = random.uniform(0.15, 0.9, 20_000)
    likely = truth.probability(fresh).astype(np.float64)

    def loss(p: np.ndarray) -> float:
        return float(-np.mean(likely * np.log(p) + (1 - likely) * np.log(1 - p)))

    def mean_cost(n: int) -> float:
        costs = []
        for _ in range(60):
            scores = random.uniform(0.15, 0.9, n)
            fitted = FIT["isotonic"](scores, random.random(n) < truth.probability(scores))
            costs.append(loss(fitted.probability(fresh).astype(np.float64)) - loss(likely))
        return float(np.mean(costs))

    assert mean_cost(ISOTONIC_BOXES) == pytest.approx(0.0035, abs=0.0006)
    assert mean_cost(250) == pytest.approx(0.0095, abs=0.0015)


def test_a_method_as_good_in_log_loss_is_passed_over_when_its_d_ece_leaves_the_band() -> None:
    """Eight parts that differ widely: their log losses cannot tell the methods apart, D-ECE can."""
    random = np.random.default_rng(4)
    part = np.arange(1600) % 8
    intercept = random.normal(-0.5, 1.0, 8)[part]
    scores = random.uniform(0.1, 0.9, 1600)
    is_true = random.random(1600) < 1 / (1 + np.exp(-2 * np.log(scores / (1 - scores)) - intercept))
    compared = compare_methods(scores, is_true, [f"part {i}" for i in part])
    temperature, to_best = compared.methods[0], compared.to_best["temperature"]
    assert to_best.mean <= (to_best.standard_error or 0.0)
    assert temperature.d_ece > temperature.d_ece_band[1]
    assert compared.chosen == "platt"


def test_every_figure_is_out_of_fold_and_differences_refer_to_the_simplest() -> None:
    scores, is_true = _drawn(Platt(1.5, -1.0), 800)
    groups = _groups(800, 10)
    compared = compare_methods(scores, is_true, groups)
    assert (compared.n_boxes, compared.n_true, compared.n_groups) == (800, is_true.sum(), 10)
    assert [m.method for m in compared.methods] == list(FIT)
    first = compared.methods[0]
    assert (first.log_loss_difference.mean, first.brier_difference.mean) == (0.0, 0.0)
    for figures in compared.methods:
        p = cross_fitted_probabilities(figures.method, scores, is_true, groups)
        assert figures.brier == pytest.approx(np.mean((p - is_true) ** 2))
        assert figures.log_loss == pytest.approx(-np.mean(np.log(np.where(is_true, p, 1 - p))), abs=1e-5)
        assert figures.d_ece == d_ece(p, is_true)
        assert figures.log_loss - first.log_loss == pytest.approx(figures.log_loss_difference.mean)
        assert figures.brier - first.brier == pytest.approx(figures.brier_difference.mean)


def test_the_standard_error_of_a_difference_by_hand() -> None:
    found = mean_difference(np.array([0.3, 0.1, 0.5, 0.1]), np.zeros(4), ["a", "a", "b", "b"])
    assert found.mean == pytest.approx(0.25)
    assert found.standard_error == pytest.approx((2 * (0.1**2 + 0.1**2)) ** 0.5 / 4)
    assert mean_difference(np.ones(2), np.zeros(2), ["a", "a"]).standard_error is None


def test_the_standard_error_is_that_of_repeated_samples_of_parts() -> None:
    random = np.random.default_rng(0)
    groups = [f"part {i // 20}" for i in range(800)]
    means, errors = [], []
    for _ in range(400):
        values = np.repeat(random.normal(0, 1, 40), 20) + random.normal(0, 1, 800)
        found = mean_difference(values, np.zeros(800), groups)
        means.append(found.mean)
        errors.append(found.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.12)


def test_out_of_fold_probabilities_never_come_from_the_same_part() -> None:
    scores, is_true = _drawn(Platt(1.0, 0.0), 60)
    groups = _groups(60, 6)
    changed = is_true.copy()
    mine = np.array([g == "part 0" for g in groups])
    changed[mine] = ~changed[mine]
    for method in FIT:
        before = cross_fitted_probabilities(method, scores, is_true, groups)
        after = cross_fitted_probabilities(method, scores, changed, groups)
        assert (before[mine] == after[mine]).all()
        assert (before[~mine] != after[~mine]).any()


def test_one_part_alone_cannot_be_compared() -> None:
    with pytest.raises(CalibrationDataError, match="at least two groups"):
        _compared(Platt(1.0, 0.0), 100, 1)


def test_the_table_is_the_same_after_json_and_yaml() -> None:
    compared = _compared(Beta(3.0, 0.05, 1.0), 3000, 12)
    content = compared.to_dict()
    rows = comparison_rows(content)
    assert rows == comparison_rows(json.loads(json.dumps(content)))
    assert rows == comparison_rows(yaml.safe_load(yaml.safe_dump(content)))
    assert {len(row) for row in rows} == {len(COMPARISON_HEADER)}
    assert [row[0] for row in rows] == ["temperature", "platt", "beta (chosen)", "isotonic (too little data)"]
    assert rows[2][1] == f"{compared.methods[2].log_loss:.4f}"
    assert rows[2][2].startswith("-0.")
    assert rows[0][2] == "+0.0000 (0.0000)"


def test_the_chosen_method_is_fitted_on_all_boxes_and_says_why() -> None:
    scores, is_true = _drawn(Beta(3.0, 0.05, 1.0), 4000)
    choice = choose_calibrator(scores, is_true, _groups(4000, 20))
    assert choice.comparison is not None
    assert choice.calibrator == FIT["beta"](scores, is_true)
    assert choice.reason.startswith("beta, by the rule of one standard error")


def test_what_was_asked_for_is_taken_and_compared_all_the_same() -> None:
    scores, is_true = _drawn(Beta(3.0, 0.05, 1.0), 2000)
    choice = choose_calibrator(scores, is_true, _groups(2000, 20), method="platt")
    assert choice.calibrator.method == "platt"
    assert choice.reason == "platt, as asked"
    assert choice.comparison is not None
    assert choice.comparison.chosen == "beta"


@pytest.mark.parametrize(
    ("method", "expected", "words"),
    [(None, "platt", "at least two groups"), ("beta", "beta", "beta, as asked")],
)
def test_one_part_alone_falls_back_and_says_why(method: str | None, expected: str, words: str) -> None:
    scores, is_true = _drawn(Platt(1.5, -0.5), 100)
    choice = choose_calibrator(scores, is_true, ["film"] * 100, method=method)
    assert choice.calibrator.method == expected
    assert words in choice.reason
    assert choice.comparison is None


def test_calibrating_lowers_the_error_of_overconfident_scores() -> None:
    scores, is_true = _drawn(Platt(0.4, -1.0), 3000)
    fitted = choose_calibrator(scores, is_true, _groups(3000, 10)).calibrator
    fresh, outcome = _drawn(Platt(0.4, -1.0), 3000, seed=9)
    raw, calibrated = d_ece(fresh, outcome), d_ece(fitted.probability(fresh), outcome)
    assert raw is not None
    assert calibrated is not None
    assert raw > 0.15
    assert calibrated < 0.04

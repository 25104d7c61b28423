import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibrate.beta import Beta, fit_beta
from core.calibrate.calibrator import (
    FIT,
    calibrator_from,
    choose_calibrator,
    cross_fitted_probabilities,
)
from core.calibrate.platt import Platt, fit_platt
from core.domain.errors import CalibrationDataError, ModelArtefactError
from core.evaluate.calibration_error import d_ece


def _drawn(calibrator: Platt | Beta, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and outcomes that occur as often as the calibrator says."""
    random = np.random.default_rng(seed)
    scores = random.uniform(0.02, 0.98, n)
    return scores, random.random(n) < calibrator.probability(scores)


def test_platt_by_hand() -> None:
    p = Platt(2.0, -1.0).probability(np.array([0.5, 0.8]))
    assert p.dtype == np.float32
    assert p == pytest.approx([1 / (1 + np.e), 1 / (1 + np.exp(-(2 * np.log(4) - 1)))], abs=1e-6)


def test_beta_by_hand() -> None:
    p = Beta(2.0, 0.5, 0.1).probability(np.array([0.25]))
    assert p[0] == pytest.approx(1 / (1 + np.exp(-(2 * np.log(0.25) - 0.5 * np.log(0.75) + 0.1))), abs=1e-6)


@pytest.mark.parametrize("identity", [Platt(1.0, 0.0), Beta(1.0, 1.0, 0.0)])
def test_the_identity_leaves_scores_as_they_are(identity: Platt | Beta) -> None:
    scores = np.array([0.01, 0.3, 0.99])
    assert identity.probability(scores) == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize("calibrator", [Platt(1.5, -0.5), Beta(0.7, 1.4, -0.3)])
def test_a_score_of_exactly_zero_or_one_gives_a_finite_probability(calibrator: Platt | Beta) -> None:
    p = calibrator.probability(np.array([0.0, 1.0]))
    assert np.isfinite(p).all()
    assert p[0] < p[1]


def test_platt_recovers_the_parameters_that_drew_the_outcomes() -> None:
    fitted = fit_platt(*_drawn(Platt(1.7, -0.8), 40_000))
    assert fitted.parameters == pytest.approx((1.7, -0.8), abs=0.06)


def test_beta_recovers_the_parameters_that_drew_the_outcomes() -> None:
    fitted = fit_beta(*_drawn(Beta(0.8, 2.0, -0.6), 60_000))
    assert fitted.parameters == pytest.approx((0.8, 2.0, -0.6), abs=0.12)


def test_platt_is_the_maximum_of_the_smoothed_likelihood() -> None:
    scores, is_true = _drawn(Platt(1.2, 0.4), 60)
    n_true = is_true.sum()
    targets = np.where(is_true, (n_true + 1) / (n_true + 2), 1 / (60 - n_true + 2))

    def loss(slope: float, intercept: float) -> float:
        z = slope * np.log(scores / (1 - scores)) + intercept
        return float(np.mean(np.logaddexp(0, z) - targets * z))

    slope, intercept = fit_platt(scores, is_true).parameters
    around = [(slope + d, intercept + e) for d in (-1e-3, 0, 1e-3) for e in (-1e-3, 0, 1e-3)]
    assert loss(slope, intercept) <= min(loss(*point) for point in around) + 1e-12


@pytest.mark.parametrize("method", FIT)
def test_perfectly_separated_boxes_give_a_finite_fit_short_of_certainty(method: str) -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    fitted = FIT[method](scores, scores > 0.5)
    assert np.isfinite(fitted.parameters).all()
    assert fitted.probability(np.array([0.95]))[0] < 0.99


@pytest.mark.parametrize("method", FIT)
@pytest.mark.parametrize(
    ("is_true", "message"),
    [([], "no detection"), ([True] * 3, "all 3 detections are true"), ([False], "false")],
)
def test_degenerate_boxes_are_refused_with_the_reason(method: str, is_true: list[bool], message: str) -> None:
    with pytest.raises(CalibrationDataError, match=message):
        FIT[method](np.full(len(is_true), 0.5), np.array(is_true, np.bool_))


@pytest.mark.parametrize("method", FIT)
def test_scores_that_run_the_wrong_way_give_a_flat_map_not_a_falling_one(method: str) -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0.05, 0.95, 500)
    p = FIT[method](scores, random.random(500) > scores).probability(np.linspace(0, 1, 50))
    assert (np.diff(p) >= 0).all()


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(FIT)),
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({r[1] for r in rows}) == 2
    ),
)
def test_every_fit_is_non_decreasing_and_within_0_and_1(method: str, rows: list[tuple[float, bool]]) -> None:
    scores, is_true = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], np.bool_)
    fitted = FIT[method](scores, is_true)
    p = fitted.probability(np.linspace(0, 1, 101))
    assert (np.diff(p) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("method", FIT)
def test_a_stored_calibrator_gives_the_same_probabilities(method: str) -> None:
    fitted = FIT[method](*_drawn(Platt(1.5, -0.4), 300))
    restored = calibrator_from(fitted.method, fitted.parameters)
    scores = np.linspace(0, 1, 11)
    assert (restored.probability(scores) == fitted.probability(scores)).all()


@pytest.mark.parametrize(
    ("method", "parameters"), [("isotonic", (1.0,)), ("platt", (1.0,)), ("beta", (1.0, 1.0, float("nan")))]
)
def test_a_damaged_record_is_refused(method: str, parameters: tuple[float, ...]) -> None:
    with pytest.raises(ModelArtefactError):
        calibrator_from(method, parameters)


def _groups(n: int, n_groups: int) -> list[str]:
    return [f"part {i % n_groups}" for i in range(n)]


def test_beta_is_chosen_where_platt_cannot_follow() -> None:
    scores, is_true = _drawn(Beta(3.0, 0.05, 1.0), 4000)
    choice = choose_calibrator(scores, is_true, _groups(4000, 20))
    assert choice.calibrator.method == "beta"
    assert choice.log_losses["beta"] < choice.log_losses["platt"]


def test_platt_is_chosen_where_it_is_enough() -> None:
    scores, is_true = _drawn(Platt(1.5, -0.5), 2000)
    assert choose_calibrator(scores, is_true, _groups(2000, 20)).calibrator.method == "platt"


def test_one_part_alone_falls_back_to_platt_and_says_why() -> None:
    scores, is_true = _drawn(Platt(1.5, -0.5), 100)
    choice = choose_calibrator(scores, is_true, ["film"] * 100)
    assert choice.calibrator.method == "platt"
    assert "at least two groups" in choice.reason
    assert choice.log_losses == {}


def test_calibrating_lowers_the_error_of_overconfident_scores() -> None:
    scores, is_true = _drawn(Platt(0.4, -1.0), 3000)
    fitted = choose_calibrator(scores, is_true, _groups(3000, 10)).calibrator
    fresh, outcome = _drawn(Platt(0.4, -1.0), 3000, seed=9)
    raw, calibrated = d_ece(fresh, outcome), d_ece(fitted.probability(fresh), outcome)
    assert raw is not None
    assert calibrated is not None
    assert raw > 0.15
    assert calibrated < 0.04


def test_out_of_fold_probabilities_never_come_from_the_same_part() -> None:
    scores, is_true = _drawn(Platt(1.0, 0.0), 60)
    groups = _groups(60, 6)
    changed = is_true.copy()
    mine = np.array([g == "part 0" for g in groups])
    changed[mine] = ~changed[mine]
    before = cross_fitted_probabilities("platt", scores, is_true, groups)
    after = cross_fitted_probabilities("platt", scores, changed, groups)
    assert (before[mine] == after[mine]).all()
    assert (before[~mine] != after[~mine]).any()

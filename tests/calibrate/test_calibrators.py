import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibrate.beta import Beta, fit_beta
from core.calibrate.calibrator import FIT, Calibrator, calibrator_from
from core.calibrate.isotonic import MAX_KNOTS, Isotonic, fit_isotonic
from core.calibrate.platt import Platt, fit_platt
from core.calibrate.temperature import Temperature, fit_temperature
from core.domain.errors import CalibrationDataError, ModelArtefactError
from core.evaluate.calibration_error import log_loss


def _drawn(calibrator: Calibrator, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
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


@pytest.mark.parametrize(
    "identity", [Platt(1.0, 0.0), Beta(1.0, 1.0, 0.0), Temperature(1.0), Isotonic((0.0, 1.0), (0.0, 1.0))]
)
def test_the_identity_leaves_scores_as_they_are(identity: Calibrator) -> None:
    scores = np.array([0.01, 0.3, 0.99])
    assert identity.probability(scores) == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize(
    "calibrator",
    [Platt(1.5, -0.5), Beta(0.7, 1.4, -0.3), Temperature(2.0), Isotonic((0.2, 0.9), (0.1, 0.8))],
)
def test_a_score_of_exactly_zero_or_one_gives_a_finite_probability(calibrator: Calibrator) -> None:
    p = calibrator.probability(np.array([0.0, 1.0]))
    assert np.isfinite(p).all()
    assert p[0] < p[1]


def test_platt_recovers_the_parameters_that_drew_the_outcomes() -> None:
    fitted = fit_platt(*_drawn(Platt(1.7, -0.8), 40_000))
    assert fitted.parameters == pytest.approx((1.7, -0.8), abs=0.06)


def test_beta_recovers_the_parameters_that_drew_the_outcomes() -> None:
    fitted = fit_beta(*_drawn(Beta(0.8, 2.0, -0.6), 60_000))
    assert fitted.parameters == pytest.approx((0.8, 2.0, -0.6), abs=0.12)


def test_temperature_by_hand_and_recovered() -> None:
    assert Temperature(2.0).probability(np.array([0.8]))[0] == pytest.approx(16 / 17, abs=1e-6)
    fitted = fit_temperature(*_drawn(Temperature(2.4), 40_000))
    assert fitted.parameters == pytest.approx((2.4,), abs=0.06)


def test_isotonic_by_hand() -> None:
    """Pooled with the imaginary ends: (1 + 0 + 0) / 3, 1 / 2 pooled with 0, and (1 + 1 + 0) / 3."""
    fitted = fit_isotonic(np.array([0.1, 0.2, 0.4, 0.5, 0.8, 0.9]), np.array([0, 0, 1, 0, 1, 1], np.bool_))
    assert fitted.knots == pytest.approx((0.15, 0.45, 0.85))
    assert fitted.values == pytest.approx((1 / 3, 1 / 2, 2 / 3))
    halfway = fitted.probability(np.array([0.0, 0.3, 0.65, 1.0]))
    assert halfway == pytest.approx([1 / 3, 5 / 12, 7 / 12, 2 / 3])


@pytest.mark.parametrize("truth", [Platt(2.2, -0.3), Beta(3.0, 0.05, 1.0), Temperature(0.4)])
def test_isotonic_recovers_whatever_rising_map_drew_the_outcomes(truth: Calibrator) -> None:
    fitted = fit_isotonic(*_drawn(truth, 40_000))
    at = np.linspace(0.05, 0.95, 50)
    assert fitted.probability(at) == pytest.approx(truth.probability(at), abs=0.04)


def test_blocks_of_isotonic_hold_the_share_that_is_true_in_them() -> None:
    scores, is_true = _drawn(Platt(1.5, -0.4), 5000)
    p = fit_isotonic(scores, is_true).probability(scores)
    assert abs(p.mean() - is_true.mean()) < 0.005
    assert (log_loss(p, is_true) or 9.0) < (
        log_loss(fit_platt(scores, is_true).probability(scores), is_true) or 0.0
    )


def test_the_table_of_isotonic_stays_short() -> None:
    random = np.random.default_rng(0)
    steps = np.linspace(0.01, 0.99, 5000)
    fitted = fit_isotonic(steps, random.random(5000) < steps**3)
    assert 5 < len(fitted.knots) <= MAX_KNOTS
    alternating = fit_isotonic(np.linspace(0.1, 0.9, 900), np.arange(900) % 2 == 0)
    assert len(alternating.knots) < 5


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


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(sorted(FIT)), st.integers(0, 1000))
def test_the_order_of_the_boxes_does_not_matter(method: str, seed: int) -> None:
    scores, is_true = _drawn(Platt(1.2, -0.3), 80, seed=seed)
    scores = scores.round(1).clip(0.05, 0.95)  # with ties
    order = np.random.default_rng(seed).permutation(80)
    at = np.linspace(0, 1, 21)
    first, second = FIT[method](scores, is_true), FIT[method](scores[order], is_true[order])
    assert first.probability(at) == pytest.approx(second.probability(at), abs=1e-5)


@pytest.mark.parametrize("method", FIT)
def test_a_finer_grid_never_falls_between_two_scores(method: str) -> None:
    fitted = FIT[method](*_drawn(Beta(2.0, 0.3, 0.5), 2000))
    p = fitted.probability(np.linspace(0, 1, 100_001).astype(np.float32))
    assert (np.diff(p) >= 0).all()


@pytest.mark.parametrize("method", FIT)
def test_a_stored_calibrator_gives_the_same_probabilities(method: str) -> None:
    fitted = FIT[method](*_drawn(Platt(1.5, -0.4), 300))
    assert all(type(value) is float for value in fitted.parameters)
    restored = calibrator_from(fitted.method, json.loads(json.dumps(fitted.parameters)))
    scores = np.linspace(0, 1, 11)
    assert (restored.probability(scores) == fitted.probability(scores)).all()


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("platt", (1.0,)),
        ("temperature", (1.0, 0.0)),
        ("temperature", ()),
        ("beta", (1.0, 1.0, float("nan"))),
        ("isotonic", ()),
        ("isotonic", (0.5,)),
        ("isotonic", (0.2, 0.5, 0.1, 0.6)),
        ("isotonic", (0.2, 0.5, 0.2, 0.6)),
        ("isotonic", (0.2, 0.5, 0.3, 0.4)),
        ("isotonic", (0.2, 0.5, 0.3, 1.4)),
        ("isotonic", (0.2, float("inf"))),
        ("histogram", (1.0,)),
    ],
)
def test_a_damaged_record_is_refused(method: str, parameters: tuple[float, ...]) -> None:
    with pytest.raises(ModelArtefactError):
        calibrator_from(method, parameters)

"""Probability of detection: published fits, hand values, coverage, and what is refused."""

import math

import numpy as np
import pytest
import yaml
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from core.evaluate.pod import LEAST_TARGETS, PodEstimate, estimate_pod
from core.evaluate.pod_models import Likelihood, Link, PodModel, SizeScale
from core.evaluate.pod_response import estimate_response

#: Beetle mortality (Bliss 1935): log10 dose, exposed, killed. Dobson, An Introduction to Generalized Linear
#: Models, 2nd edition, table 7.2; the fits below are those of its table 7.3 and text.
BEETLES = [(1.6907, 59, 6), (1.7242, 60, 13), (1.7552, 62, 18), (1.7842, 56, 28),
           (1.8113, 63, 52), (1.8369, 59, 53), (1.8610, 62, 61), (1.8839, 60, 60)]  # fmt: skip


def beetles() -> tuple[np.ndarray, np.ndarray]:
    sizes = np.concatenate([np.full(n, 10**dose) for dose, n, _ in BEETLES])
    hits = np.concatenate([np.arange(n) < killed for _, n, killed in BEETLES])
    return sizes, hits


def drawn(n: int, seed: int, *, slope: float = 3.0, a50: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Targets of 0.15 to 5 mm; POD is logistic in the logarithm of the size."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(math.log(0.15), math.log(5), n))
    return sizes, rng.random(n) < expit(slope * np.log(sizes / a50))


@pytest.mark.parametrize(
    ("link", "intercept", "slope"), [(Link.LOGIT, -60.72, 34.27), (Link.PROBIT, -34.94, 19.73)]
)
def test_published_fits_are_found(link: Link, intercept: float, slope: float) -> None:
    fit = Likelihood(PodModel(link, SizeScale.LOG), *beetles()).fit()
    assert fit.intercept == pytest.approx(intercept, abs=0.02)
    assert fit.slope * math.log(10) == pytest.approx(slope, abs=0.02)


def test_another_implementation_fits_the_same_curve() -> None:
    sizes, hits = drawn(400, 7)
    fit = Likelihood(PodModel(Link.LOGIT, SizeScale.LOG), sizes, hits).fit()
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.log(sizes)[:, None], hits)
    assert fit.slope == pytest.approx(float(other.coef_[0, 0]), rel=1e-4)
    assert fit.intercept == pytest.approx(float(other.intercept_[0]), rel=1e-4)


def test_sizes_and_bounds_belong_to_the_curve() -> None:
    sizes, hits = drawn(500, 3)
    found = estimate_pod(sizes, hits)
    assert found.fit is not None
    assert found.curve is not None
    assert found.a50 is not None
    assert found.a90 is not None
    assert found.a90_95 is not None
    assert found.fit.at(np.array([found.a50, found.a90])) == pytest.approx([0.5, 0.9])
    assert found.a50 < found.a90 < found.a90_95
    assert (found.curve.lower <= found.curve.pod).all()
    assert (found.curve.pod <= found.curve.upper).all()
    at = float(np.interp(math.log(found.a90_95), np.log(found.curve.size_mm), found.curve.lower))
    assert at == pytest.approx(0.9, abs=0.02)  # a90/95 is where the lower bound reaches 0.9


def test_more_targets_bring_the_bound_nearer() -> None:
    few, many = (estimate_pod(*drawn(n, 5), has_curve=False) for n in (100, 4000))
    assert few.a90_95 is not None
    assert many.a90_95 is not None
    true = 0.6 * math.exp(math.log(9) / 3)
    assert abs(many.a90_95 - true) < abs(few.a90_95 - true)
    assert many.a90_95 == pytest.approx(true, rel=0.1)


def test_flaws_missed_at_any_size_give_a_ceiling_and_no_a90() -> None:
    sizes, hits = drawn(3000, 11)
    hits &= np.random.default_rng(1).random(3000) < 0.8
    found = estimate_pod(sizes, hits, has_curve=False)
    assert found.fit is not None
    assert found.fit.model.has_ceiling
    assert found.fit.ceiling == pytest.approx(0.8, abs=0.03)
    assert (found.a90, found.a90_95) == (None, None)
    assert found.a50 is not None


def test_calls_that_need_no_flaw_give_a_floor() -> None:
    sizes, hits = drawn(4000, 13, slope=5)
    hits |= np.random.default_rng(2).random(4000) < 0.1
    fit = estimate_pod(sizes, hits, has_curve=False).fit
    assert fit is not None
    assert fit.model.has_floor
    assert fit.floor == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("n", "share", "why"),
    [
        (LEAST_TARGETS - 1, 0.5, "59 targets; 60 are the least"),
        (LEAST_TARGETS, 1.0, "all 60 targets were found"),
        (LEAST_TARGETS, 0.0, "none of 60 targets was found"),
    ],
)
def test_too_little_is_refused_with_its_reason(n: int, share: float, why: str) -> None:
    found = estimate_pod(np.linspace(0.1, 2, n), np.arange(n) < share * n)
    assert why in found.reason
    assert found.a90_95 is None


def test_detection_that_does_not_rise_with_the_size_is_refused() -> None:
    sizes = np.linspace(0.1, 2, 200)
    assert "does not rise" in estimate_pod(sizes, np.arange(200) % 2 == 0).reason
    assert "does not rise" in estimate_pod(sizes, sizes < 1).reason


def test_hits_and_misses_that_do_not_overlap_still_have_a_bound() -> None:
    sizes = np.linspace(0.1, 2, 100)
    found = estimate_pod(sizes, sizes > 1, has_curve=False)
    assert found.a90_95 is not None
    assert 1.0 < found.a90_95 < 1.5


def test_a_size_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        estimate_pod(np.array([0.0, 1.0]), np.array([True, False]))


def test_the_bound_covers_the_truth_as_often_as_promised() -> None:
    true = 0.6 * math.exp(math.log(9) / 3)
    bounds = [estimate_pod(*drawn(100, seed), has_curve=False) for seed in range(100)]
    assert sum(is_covered(one, true) for one in bounds) >= 0.93 * 100


def is_covered(one: PodEstimate, true: float) -> bool:
    return not one.reason and (one.a90_95 is None or one.a90_95 >= true)


def responses(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(math.log(0.15), math.log(5), n))
    return sizes, 1 + 2 * np.log(sizes) + rng.normal(0, 0.8, n)


def test_the_strength_of_responses_gives_the_line_of_least_squares() -> None:
    sizes, strength = responses(300, 1)
    found = estimate_response(sizes, strength, floor=-99.0, decision=0.0)
    slope, intercept = np.polyfit(np.log(sizes), strength, 1)
    width = float(np.std(strength - intercept - slope * np.log(sizes)))
    assert found.scale is SizeScale.LOG
    assert (found.slope, found.intercept, found.width) == pytest.approx((slope, intercept, width), rel=1e-3)
    assert found.a90 == pytest.approx(math.exp((1.2816 * width - intercept) / slope), rel=1e-3)


def test_responses_below_the_floor_are_censored_not_taken_as_they_are() -> None:
    sizes, strength = responses(2000, 2)
    cut = np.maximum(strength, -1.0)
    found = estimate_response(sizes, cut, floor=-1.0, decision=0.0)
    assert found.n_censored == int((strength <= -1.0).sum()) > 200
    assert found.slope == pytest.approx(2.0, rel=0.05)
    assert np.polyfit(np.log(sizes), cut, 1)[0] < 1.8
    assert found.a90_95 is not None
    assert found.a90 is not None
    assert found.a90 < found.a90_95 < 1.1 * found.a90


def test_responses_that_do_not_rise_are_refused() -> None:
    sizes, strength = responses(200, 3)
    assert "does not rise" in estimate_response(sizes, -strength, floor=-99.0, decision=0.0).reason
    assert "least" in estimate_response(sizes[:59], strength[:59], floor=-99.0, decision=0.0).reason


@pytest.mark.parametrize("n", [59, 300])
def test_the_second_form_is_plain_values_that_a_card_can_hold(n: int) -> None:
    sizes, strength = responses(300, 4)
    found = estimate_response(sizes[:n], strength[:n], floor=-99.0, decision=0.0).to_dict()
    assert yaml.safe_load(yaml.safe_dump(found)) == found
    assert found["scale"] == ("log" if n == 300 else None)

"""Thresholds to accept and to reject, and that their bound holds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from core.calibrate.routing import (
    MIN_PARTS,
    Assurance,
    Route,
    accept_limit,
    parts_needed,
    reject_limit,
    route_by,
    upper_bound,
)
from core.domain.errors import BadInputError

LEVEL = Assurance(0.05, 0.95)
_levels = st.builds(Assurance, st.floats(0.005, 0.5), st.floats(0.5, 0.999))
_scores = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), max_size=150).map(np.array)


@pytest.mark.parametrize(
    ("risk", "confidence", "expected"),
    [(0.05, 0.95, 59), (0.10, 0.95, 29), (0.01, 0.95, 299), (0.05, 0.99, 90), (0.05, 0.90, 45)],
)
def test_the_parts_that_are_enough_without_a_miss(risk: float, confidence: float, expected: int) -> None:
    assert parts_needed(Assurance(risk, confidence)) == expected
    assert expected == math.ceil(math.log(1 - confidence) / math.log(1 - risk))


def test_never_fewer_than_twenty_parts_are_enough() -> None:
    assert parts_needed(Assurance(0.2, 0.95)) == 20  # 14 would do for the bound alone
    ten_zero = accept_limit(np.full(MIN_PARTS - 1, 0.9), Assurance(0.2, 0.95))
    assert not ten_zero.is_certified
    assert ten_zero.reason == "19 defective parts, needs at least 20 without one routed to accept"
    assert accept_limit(np.full(MIN_PARTS, 0.9), Assurance(0.2, 0.95)).is_certified


def test_one_missed_part_takes_ninety_three() -> None:
    assert parts_needed(LEVEL, n_wrong=1) == 93
    assert binom.cdf(1, 93, 0.05) <= 0.05 < binom.cdf(1, 92, 0.05)


@pytest.mark.parametrize(("n_wrong", "n_parts"), [(0, 59), (1, 93), (3, 40), (17, 20)])
def test_the_bound_is_that_of_scipys_exact_test(n_wrong: int, n_parts: int) -> None:
    two_sided = binomtest(n_wrong, n_parts).proportion_ci(confidence_level=0.90, method="exact")
    assert upper_bound(n_wrong, n_parts, 0.95) == pytest.approx(two_sided.high)


def test_without_parts_or_with_all_of_them_wrong_the_bound_is_one() -> None:
    assert upper_bound(0, 0, 0.95) == 1.0
    assert upper_bound(5, 5, 0.95) == 1.0


def test_seven_parts_cannot_certify_and_are_told_how_many_could() -> None:
    limit = accept_limit(np.linspace(0.3, 0.9, 7), LEVEL)
    assert (limit.threshold, limit.n_parts, limit.n_wrong, limit.n_needed) == (None, 7, 0, 59)
    assert limit.bound == pytest.approx(1 - 0.05 ** (1 / 7))
    assert "7 defective parts, needs at least 59" in limit.reason


@pytest.mark.parametrize(("n_parts", "is_certified"), [(58, False), (59, True)])
def test_both_sides_of_enough_parts(n_parts: int, is_certified: bool) -> None:
    assert accept_limit(np.full(n_parts, 0.4), LEVEL).is_certified is is_certified
    assert reject_limit(np.full(n_parts, 0.4), LEVEL).is_certified is is_certified


def test_parts_in_which_nothing_was_reported_speak_against_every_threshold() -> None:
    limit = accept_limit(np.array([0.0] * 6 + [0.9] * 94), LEVEL)
    assert (limit.threshold, limit.n_wrong) == (None, 6)
    assert "6 would be routed to accept even at the strictest threshold" in limit.reason
    assert f"{parts_needed(LEVEL, n_wrong=6)} parts are needed to bear so many" in limit.reason


def test_the_threshold_lies_at_the_score_of_the_part_that_may_not_be_missed() -> None:
    scores = np.array([0.2, 0.31, 0.5] + [0.9] * 90)  # 93 parts bear one miss, not two
    limit = accept_limit(scores, LEVEL)
    assert (limit.threshold, limit.n_wrong) == (0.31, 1)
    assert limit.bound <= 0.05
    assert (scores < 0.311).sum() == 2  # the next threshold would miss two


def test_the_other_side_is_its_mirror_image() -> None:
    limit = reject_limit(np.array([0.9, 0.8, 0.5] + [0.1] * 90), LEVEL)
    assert (limit.threshold, limit.n_wrong) == (0.801, 1)  # 0.8 itself would be rejected at 0.800


def test_no_threshold_passes_the_one_that_was_set_before() -> None:
    assert accept_limit(np.full(60, 0.9), LEVEL, highest=0.26).threshold == 0.26
    assert reject_limit(np.full(60, 0.1), LEVEL, lowest=0.26).threshold == 0.26
    assert accept_limit(np.full(60, 0.9), LEVEL, highest=0.0).threshold is None


@pytest.mark.parametrize(
    ("score", "route"),
    [
        (0.0, Route.ACCEPT),
        (math.nextafter(0.2, 0), Route.ACCEPT),
        (0.2, Route.REVIEW),
        (math.nextafter(0.6, 0), Route.REVIEW),
        (0.6, Route.REJECT),
        (1.0, Route.REJECT),
    ],
)
def test_both_sides_of_both_thresholds(score: float, route: Route) -> None:
    assert route_by(score, accept_below=0.2, reject_from=0.6) is route


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.1, math.nan, math.inf])
def test_a_level_outside_of_zero_to_one_is_refused(bad: float) -> None:
    with pytest.raises(BadInputError, match="the risk must lie between"):
        Assurance(bad, 0.95)
    with pytest.raises(BadInputError, match="the confidence must lie between"):
        Assurance(0.05, bad)


@settings(deadline=None)
@given(_scores, _levels)
def test_a_certified_threshold_keeps_its_bound_and_the_next_one_does_not(
    scores: np.ndarray, level: Assurance
) -> None:
    limit = accept_limit(scores, level)
    if limit.threshold is None:
        return
    assert limit.n_wrong == (scores < limit.threshold).sum()
    assert limit.bound <= level.risk + 1e-9
    if limit.threshold < 1:
        following = int((scores < round(limit.threshold + 0.001, 3)).sum())
        assert upper_bound(following, len(scores), level.confidence) > level.risk


@settings(deadline=None)
@given(_scores, _levels, st.floats(0.1, 1.0))
def test_a_lower_risk_or_a_higher_confidence_never_accepts_more(
    scores: np.ndarray, level: Assurance, share: float
) -> None:
    loose = accept_limit(scores, level).threshold or 0.0
    stricter = (
        Assurance(level.risk * share, level.confidence),
        Assurance(level.risk, 1 - (1 - level.confidence) * share),
    )
    for strict in stricter:
        assert (accept_limit(scores, strict).threshold or 0.0) <= loose
        assert parts_needed(strict) >= parts_needed(level)


@settings(deadline=None)
@given(_scores, _levels, st.integers(1, 100))
def test_more_parts_never_raise_what_is_needed_and_caught_ones_never_accept_less(
    scores: np.ndarray, level: Assurance, more: int
) -> None:
    few, many = accept_limit(scores, level), accept_limit(np.append(scores, np.ones(more)), level)
    assert many.n_needed <= few.n_needed
    assert (many.threshold or 0.0) >= (few.threshold or 0.0)


@settings(deadline=None)
@given(_scores, _levels)
def test_rejecting_is_accepting_upside_down(scores: np.ndarray, level: Assurance) -> None:
    from_above, mirrored = reject_limit(scores, level), accept_limit(1 - scores, level)
    assert from_above.is_certified == mirrored.is_certified
    if from_above.threshold is not None and mirrored.threshold is not None:
        # the edge itself is rejected but not accepted: the two differ by one step at most
        assert abs(from_above.threshold - (1 - mirrored.threshold)) <= 0.0011


def _population(kind: str, generator: np.random.Generator) -> np.ndarray:
    """Scores of 20,000 defective parts of which a hard tail is missed at low thresholds."""
    easy = generator.beta(5, 2, 20_000)
    hard = generator.beta(1, 6, 20_000)
    is_hard = generator.random(20_000) < (0.04 if kind == "ties" else 0.12)
    scores = np.where(is_hard, hard, easy)
    if kind == "ties":  # nothing reported at all in one of a hundred, and few distinct scores
        scores = np.where(generator.random(20_000) < 0.01, 0.0, np.round(scores, 1))
    if kind == "worst image":  # of one to six images of each part
        n_images = generator.integers(1, 7, 20_000)
        views = generator.beta(5, 2, (20_000, 6))
        views[np.arange(6)[None, :] >= n_images[:, None]] = 1.0
        scores = np.minimum(scores, views.min(axis=1))
    return scores


@pytest.mark.parametrize("kind", ["continuous", "ties", "worst image"])
@pytest.mark.parametrize("n_parts", [80, 150, 400])
def test_the_bound_holds_in_95_of_100_resplits(kind: str, n_parts: int) -> None:
    generator = np.random.default_rng(20_260)
    scores = _population(kind, generator)
    n_held = n_certified = 0
    for _ in range(1_000):
        order = generator.permutation(len(scores))
        limit = accept_limit(scores[order[:n_parts]], LEVEL)
        missed = 0.0 if limit.threshold is None else (scores[order[n_parts:]] < limit.threshold).mean()
        n_held += missed <= LEVEL.risk
        n_certified += limit.is_certified
    assert n_held >= 950
    assert n_certified > 100, "a certificate that is never given proves nothing"


def test_a_threshold_from_the_observed_miss_rate_alone_would_not_hold() -> None:
    generator = np.random.default_rng(20_260)
    scores = _population("continuous", generator)
    n_held = 0
    for _ in range(1_000):
        order = generator.permutation(len(scores))
        threshold = np.sort(scores[order[:150]])[7]  # seven of 150 missed: 4.7 %
        n_held += (scores[order[150:]] < threshold).mean() <= LEVEL.risk
    assert n_held < 800

import math

import pytest

from core.evaluate.proportion import wilson_interval


def inverted_score_test(n_hits: int, n: int) -> tuple[float, float]:
    """The shares that a two-sided score test at 5 % does not refuse, by bisection."""

    def is_refused(share: float) -> bool:
        return abs(n_hits / n - share) > 1.959963984540054 * math.sqrt(share * (1 - share) / n)

    ends = []
    for refused in (0.0, 1.0):
        outer, inner = refused, n_hits / n
        for _ in range(60):
            middle = (outer + inner) / 2
            outer, inner = (middle, inner) if is_refused(middle) else (outer, middle)
        ends.append(inner)
    return ends[0], ends[1]


@pytest.mark.parametrize(("n_hits", "n"), [(8, 10), (0, 10), (10, 10), (16, 20), (1, 3), (500, 999)])
def test_it_is_the_inverted_score_test(n_hits: int, n: int) -> None:
    assert wilson_interval(n_hits, n) == pytest.approx(inverted_score_test(n_hits, n), abs=1e-9)


def test_a_known_value() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)


def test_without_trials_there_is_no_interval() -> None:
    assert wilson_interval(0, 0) is None


def test_more_trials_and_less_confidence_are_narrower() -> None:
    def width(*args: int, confidence: float = 0.95) -> float:
        interval = wilson_interval(*args, confidence=confidence)
        assert interval is not None
        return interval[1] - interval[0]

    assert width(80, 100) < width(8, 10)
    assert width(8, 10, confidence=0.8) < width(8, 10)


@pytest.mark.parametrize(("n_hits", "n", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_what_is_no_share_is_refused(n_hits: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson_interval(n_hits, n, confidence=confidence)

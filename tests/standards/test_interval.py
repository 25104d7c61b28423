import pytest

from core.standards.interval import Bound, Interval, compare, number
from core.standards.verdict import Verdict


@pytest.mark.parametrize(
    ("low", "high", "most", "words"),
    [
        (0.873993, 1.030693, 2.0, "h 0.87 to 1.03 mm <= 2 mm"),
        (1.8, 1.8, 2.0, "h 1.8 mm <= 2 mm"),
        (2.0, 2.0, 2.0, "h 2 mm <= 2 mm"),
        (2.001, 2.001, 2.0, "h 2.001 mm > 2 mm"),
        (2.00004, 2.3, 2.0, "h 2.00004 to 2.3 mm > 2 mm"),
        (0.02, 0.0312, 2.0, "h 0.02 to 0.03 mm <= 2 mm"),
    ],
)
def test_as_few_decimals_are_shown_as_still_tell_the_side_of_the_limit(
    low: float, high: float, most: float, words: str
) -> None:
    decision = compare("h", Interval(low, high), Bound(most, f"{most:g} mm"))
    assert decision.words == words


def test_a_value_just_beyond_the_limit_is_never_shown_as_equal_to_it() -> None:
    for step in range(1, 400):
        value = 2 + step * 1e-5
        decision = compare("d", Interval(value, value), Bound(2.0, "2 mm"))
        assert decision.verdict is Verdict.NOT_ACCEPTABLE
        assert float(decision.words.split()[1]) > 2


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(0.0, None, "0"), (-0.0001, 2, "0"), (1.5, None, "1.5"), (0.0001, None, "0.0001"), (1.23456, 2, "1.23")],
)
def test_a_number_bears_no_trailing_zero_and_no_negative_nothing(
    value: float, decimals: int | None, shown: str
) -> None:
    assert number(value, decimals) == shown

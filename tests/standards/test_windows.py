import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.standards.windows import Spans, linked_group, worst_count, worst_total

spans_of = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), min_size=1, max_size=7).map(
    lambda found: np.array([(start, start + length) for start, length in found], np.float64)
)


def _total(spans: Spans, start: float, window: float) -> float:
    return sum(max(0.0, min(b, start + window) - max(a, start)) for a, b in spans)


@given(spans_of, st.integers(1, 120))
@settings(deadline=None)
def test_no_stretch_holds_more_than_the_worst_and_one_holds_as_much(spans: Spans, window: int) -> None:
    # all ends are whole, so the worst stretch starts at a whole number
    totals = [_total(spans, start, window) for start in range(-130, 380)]
    assert worst_total(spans, window) == pytest.approx(max(totals))
    counts = [sum(b >= start and a <= start + window for a, b in spans) for start in range(-130, 380)]
    assert worst_count(spans, window) == max(counts)


@given(spans_of, st.integers(1, 120))
@settings(deadline=None)
def test_the_worst_stretch_that_touches_a_span_is_looked_for_around_it(spans: Spans, window: int) -> None:
    a, b = spans[0]
    totals = [_total(spans, start, window) for start in range(-130, 380) if a - window <= start <= b]
    assert worst_total(spans, window, 0) == pytest.approx(max(totals))
    assert max(worst_total(spans, window, i) for i in range(len(spans))) == worst_total(spans, window)


def test_nothing_holds_nothing() -> None:
    assert worst_total(np.zeros((0, 2)), 100) == 0.0
    assert worst_count(np.zeros((0, 2)), 100) == 0


@given(spans_of)
@settings(deadline=None)
def test_a_group_is_linked_and_nothing_beside_it_belongs_to_it(spans: Spans) -> None:
    groups = {tuple(sorted(linked_group(spans, i, 2.0))) for i in range(len(spans))}
    assert sorted(i for group in groups for i in group) == list(range(len(spans)))
    ordered = sorted(groups, key=lambda group: spans[list(group), 0].min())
    for left, right in zip(ordered, ordered[1:], strict=False):
        gap = spans[list(right), 0].min() - spans[list(left), 1].max()
        longest = np.diff(spans[list(left + right)], axis=1).max()
        assert gap > 2.0 * longest


def test_a_long_one_links_neighbours_that_would_not_link_by_themselves() -> None:
    # gaps of 10 exceed 6 x 1 but not 6 x 5
    short = np.array([(0, 1), (11, 12), (22, 23)], np.float64)
    assert linked_group(short, 0, 6.0).tolist() == [0]
    assert sorted(linked_group(np.vstack([short, [(33, 38)]]), 0, 6.0)) == [0, 1, 2, 3]

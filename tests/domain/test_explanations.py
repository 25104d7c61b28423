from dataclasses import replace

import pytest

from core.domain.explanations import Falls, Fill, WithoutRegion


def _without(before: float, *after: float) -> WithoutRegion:
    return WithoutRegion(before, dict(zip(Fill, after, strict=False)))


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.91, (0.05, 0.07, 0.40), Falls.FALLS),
        (0.80, (0.40, 0.40, 0.40), Falls.FALLS),
        (0.80, (0.41, 0.41, 0.41), Falls.PARTLY),
        (0.80, (0.65, 0.70, 0.85), Falls.STAYS),
        (0.80, (0.05, 0.07, 0.75), Falls.UNCLEAR),
        (0.0, (0.0, 0.0, 0.0), Falls.NOT_EVALUABLE),
    ],
)
def test_the_verdict_follows_the_share_that_goes(
    before: float, after: tuple[float, ...], verdict: Falls
) -> None:
    assert _without(before, *after).verdict is verdict


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (_without(0.91, 0.07, 0.07, 0.05), "falls from 0.91 to 0.07"),
        (_without(0.91, 0.90, 0.88, 0.95), "does not rest on what is inside"),
        (_without(0.80, 0.05, 0.07, 0.75), "0.05 to 0.75"),
        (_without(0.80, 0.50, 0.50, 0.50), "falls only from 0.80 to 0.50"),
        (_without(0.0, 0.0), "not evaluable"),
    ],
)
def test_the_words_say_what_was_measured(value: WithoutRegion, words: str) -> None:
    assert words in value.words


@pytest.mark.parametrize(
    ("listed", "is_told"), [(None, False), (0.80, False), (0.71, False), (0.51, True), (0.95, True)]
)
def test_where_it_begins_elsewhere_than_the_list_the_words_say_so(
    listed: float | None, is_told: bool
) -> None:
    words = replace(_without(0.80, 0.0), listed=listed).words
    assert words.startswith("without this region the probability falls from 0.80 to 0.00")
    assert ("read again in its surroundings alone it has 0.80" in words) is is_told
    assert listed is None or (f"listed with {listed:.2f}" in words) is is_told


def test_what_is_not_found_again_is_not_evaluable_whatever_is_listed() -> None:
    assert replace(_without(0.0, 0.0), listed=0.9).words == _without(0.0, 0.0).words


def test_a_probability_out_of_range_or_no_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="within 0..1"):
        _without(1.2, 0.1)
    with pytest.raises(ValueError, match="at least one fill"):
        WithoutRegion(0.5, {})

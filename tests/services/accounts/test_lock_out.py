"""The delay after refused sign-ins."""

from datetime import UTC, datetime, timedelta

import pytest

from core.services.accounts.attempts import wait_s

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("n_refused", "seconds"),
    [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 900), (11, 900), (10_000, 900)],
)
def test_it_doubles_from_the_fifth_up_to_a_quarter_of_an_hour(n_refused: int, seconds: int) -> None:
    assert wait_s(n_refused, NOW, NOW, free=4) == seconds


def test_it_runs_from_the_newest_refusal() -> None:
    assert wait_s(5, NOW, NOW + timedelta(seconds=29.5), free=4) == 1
    assert wait_s(5, NOW, NOW + timedelta(seconds=30), free=4) == 0


def test_a_clock_that_was_set_back_does_not_lengthen_it() -> None:
    assert wait_s(5, NOW + timedelta(days=1), NOW, free=4) == 30


def test_without_a_refusal_there_is_nothing_to_wait_for() -> None:
    assert wait_s(0, None, NOW, free=0) == 0

"""Certificates: the last day counts, the best one goes with a signature, the end is told 60 days ahead."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.domain.certificates import Certificate, Scheme, certificate_words, day_of, standing
from core.domain.errors import BadInputError

LAST = date(2026, 3, 31)
ONE = Certificate("c1", Scheme.ISO_9712, "RT", 2, "4711", LAST)


@pytest.mark.parametrize(("days", "is_valid"), [(-1, True), (0, True), (1, False)])
def test_a_certificate_holds_on_its_last_day_and_not_on_the_next(days: int, is_valid: bool) -> None:
    on = LAST + timedelta(days=days)
    assert ONE.is_valid(on) is is_valid
    assert ONE.days_left(on) == -days
    assert (standing([ONE], on, is_required=True).may_sign) is is_valid


def test_days_are_those_of_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert day_of(datetime(2026, 4, 1, 1, 59, tzinfo=berlin)) == LAST
    assert day_of(datetime(2026, 4, 1, 2, 0, tzinfo=berlin)) == date(2026, 4, 1)
    assert day_of(datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)) == LAST


@pytest.mark.parametrize(
    ("days_left", "says"),
    [
        (61, ""),
        (60, "your certificate ends in 60 days: ISO 9712 RT level 2, no. 4711"),
        (1, "your certificate ends in 1 day: "),
        (0, "your certificate ends today: "),
        (-1, "your certificate ended on 2026-03-31: "),
    ],
)
def test_the_end_is_told_sixty_days_ahead(days_left: int, says: str) -> None:
    warning = standing([ONE], LAST - timedelta(days=days_left)).warning
    assert warning.startswith(says)
    assert bool(warning) is bool(says)


def test_of_several_the_highest_level_goes_with_a_signature_then_the_one_that_is_valid_longest() -> None:
    longer = replace(ONE, certificate_id="c2", valid_until=date(2030, 1, 1))
    third = replace(ONE, certificate_id="c3", level=3)
    assert standing([ONE, longer], LAST).valid == longer
    assert standing([ONE, longer, third], LAST).valid == third
    assert standing([ONE, longer, third], LAST + timedelta(days=1)).valid == longer


def test_a_method_that_is_not_radiographic_does_not_count() -> None:
    ultrasonic, digital = replace(ONE, method="UT"), replace(ONE, method="RT-D")
    assert standing([ultrasonic], LAST, is_required=True).refusal.endswith("has none: ask an administrator")
    assert standing([ultrasonic, digital], LAST).valid == digital


def test_signing_is_refused_only_where_a_certificate_is_required() -> None:
    after = LAST + timedelta(days=1)
    assert standing([], LAST).may_sign
    assert standing([ONE], after).may_sign
    refused = standing([ONE], after, is_required=True)
    assert not refused.may_sign
    assert "yours ended on 2026-03-31" in refused.refusal
    assert standing([ONE], LAST, is_required=True).refusal == ""


def test_level_1_does_not_interpret_radiographs() -> None:
    one = standing([replace(ONE, level=1)], LAST)
    assert one.may_sign
    assert one.warning == f"level 1 does not interpret radiographs: {replace(ONE, level=1).words}"
    needed = standing([replace(ONE, level=1)], LAST, is_required=True)
    assert not needed.may_sign
    assert "of level 2 or 3 here, and yours is level 1" in needed.refusal
    assert standing([replace(ONE, level=1), ONE], LAST, is_required=True).may_sign


def test_the_fact_beside_a_signature_says_what_stands_there_and_what_ends() -> None:
    at_end = "ISO 9712 RT level 2, no. 4711, valid until 2026-03-31"
    assert standing([ONE], date(2026, 1, 1)).fact == at_end
    assert standing([ONE], LAST).fact == f"{at_end} (your certificate ends today)"
    after = LAST + timedelta(days=1)
    assert standing([ONE], after).fact == "not stated (your certificate ended on 2026-03-31)"
    assert standing([], LAST).fact == "not stated"
    assert (
        "signing needs a valid RT certificate of level 2 or 3 here"
        in standing([], LAST, is_required=True).fact
    )


def test_words() -> None:
    assert ONE.words == "ISO 9712 RT level 2, no. 4711, valid until 2026-03-31"
    assert certificate_words(None) == "not stated"


@pytest.mark.parametrize(
    "change",
    [{"method": ""}, {"method": "R" * 17}, {"number": " "}, {"number": "4\n7"}, {"level": 0}, {"level": 4}],
)
def test_what_cannot_be_is_refused(change: dict) -> None:
    with pytest.raises(BadInputError, match="of a certificate: expected"):
        replace(ONE, **change)

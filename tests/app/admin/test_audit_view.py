"""What the audit page makes of events, details and results."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.admin.audit.audit_view import (
    _midnight,
    _named_object,
    details_text,
    event_facts,
    finding_rows,
    headline,
    table_rows,
)
from core.audit.chain import anchor_of
from core.audit.verification import verify
from core.services.auditing import NamedEvent
from tests.audit.chains import RING, START, make_chain, newest

CHAIN = make_chain(9)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", (None, None)),
        ("  ", (None, None)),
        ("user", ("user", None)),
        ("u-17", (None, "u-17")),
        ("user u-17", ("user", "u-17")),
        (" image  abc ", ("image", "abc")),
    ],
)
def test_an_object_is_found_by_type_id_or_both(typed: str, found: tuple[str | None, str | None]) -> None:
    assert _named_object(typed) == found


def test_a_day_ends_where_the_next_begins() -> None:
    assert _midnight(date(2026, 2, 28), days=1) == datetime(2026, 3, 1, tzinfo=UTC)
    assert _midnight(None) is None


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({}, ""),
        ({"n": 2, "of": "x"}, "n 2 · of x"),
        (None, "unreadable"),
        ([1], "[1]"),
        ({"a": [1]}, "a [1]"),
    ],
)
def test_details_fit_one_line(details: object, text: str) -> None:
    assert details_text(details) == text


def test_a_row_names_people_and_a_damaged_one_is_shown_too() -> None:
    rows = table_rows(
        (
            NamedEvent(replace(CHAIN[0], object_type="user", object_id="u-1"), "anna", "bert"),
            NamedEvent(replace(CHAIN[1], at=None, details=None), "u-2", None),
        )
    )
    assert rows[0]["Who"] == "anna"
    assert rows[0]["Object"] == "user bert"
    assert rows[0]["When (UTC)"] == "2026-01-31 07:05:01"
    assert rows[1]["When (UTC)"] == "unreadable moment"
    assert rows[1]["Details"] == "unreadable"


def test_the_facts_of_an_event_leave_out_what_is_not_there() -> None:
    facts = dict(event_facts(NamedEvent(CHAIN[2], "anna", None)))
    assert facts["Who"] == f"anna · {CHAIN[2].actor_id}"
    assert facts["Hash"] == CHAIN[2].hash
    assert {"Before", "After", "Request"}.isdisjoint(facts)


def test_the_headline_says_whether_the_log_is_whole() -> None:
    anchors = [anchor_of(newest(CHAIN), START, RING)]
    whole = headline(verify(CHAIN, newest(CHAIN), anchors, RING), NOW)
    assert whole == (
        ":green[**Whole**] · 9 events verified at 09:30:00 UTC · "
        "anchored up to event 9 on 2026-01-31 07:05:00 UTC"
    )
    cut = verify(CHAIN[:7], newest(CHAIN), [], RING)
    assert headline(cut, NOW).startswith(":red[**Not whole: 1 finding**]")
    assert [row["#"] for row in finding_rows(cut)] == ["8 to 9"]

"""Rows, facts and the filter of the audit page."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.admin.audit.rows import details_text, event_facts, finding_rows, headline, table_rows
from app.admin.audit.state import named_object
from app.shared.templates import rendered
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
    assert named_object(typed) == found


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
    facts = event_facts(NamedEvent(CHAIN[2], "anna", None))
    assert facts["Who"] == f"anna · {CHAIN[2].actor_id}"
    assert facts["Hash"] == CHAIN[2].hash
    shown = rendered("shared/facts.html", facts=facts)
    assert f"<dt>Hash</dt><dd>{CHAIN[2].hash}</dd>" in shown
    assert not [name for name in ("Before", "After", "Request") if f"<dt>{name}</dt>" in shown]


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

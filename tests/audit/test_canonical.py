"""One text for one value."""

import json
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audit.canonical import canonical_json, digest, moment_text, plain

unhurried = settings(deadline=None)  # a busy machine is no failure
texts = st.text(st.characters(exclude_categories=[]))
numbers = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ([1.0, -0.0, 0.1, 1e300], "[1,0,0.1,1e+300]"),
        ({"at": datetime(2026, 1, 31, 8, 5, tzinfo=timezone(timedelta(hours=1)))},
         '{"at":"2026-01-31T07:05:00.000000Z"}'),
        (("ü", Colour.RED), '["\\u00fc","red"]'),
        ({}, "{}"),
    ],
)  # fmt: skip
def test_the_text_is_the_expected_one(value, text):
    assert canonical_json(value) == text.encode("ascii")


def test_a_digest_is_the_sha256_of_the_text():
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@unhurried
@given(values)
def test_a_trip_through_json_changes_nothing(value):
    assert canonical_json(json.loads(json.dumps(plain(value)))) == canonical_json(value)


@unhurried
@given(st.dictionaries(texts, scalars, min_size=2))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime(2026, 1, 31)])
def test_what_has_no_one_text_is_refused(value):
    with pytest.raises(ValueError, match="expected"):
        canonical_json({"x": value})


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {"x"}, object()])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(TypeError, match="expected"):
        canonical_json(value)


def test_any_text_has_a_digest():
    """What somebody typed must not keep it from being saved."""
    assert digest({"note": "\0"}) != digest({"note": "\ud800"})


def test_moments_have_microseconds_and_z():
    assert moment_text(datetime(2026, 1, 31, tzinfo=UTC)) == "2026-01-31T00:00:00.000000Z"

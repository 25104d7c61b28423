"""What may become an event."""

from dataclasses import replace
from datetime import datetime

import pytest

from core.audit.chain import GENESIS, head_of, key_id, keyring, seal
from tests.audit.chains import RING, START, make_chain, make_event


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", "short"),
        ("at", datetime(2026, 1, 31)),
        ("actor_id", ""),
        ("actor_id", "u" * 41),
        ("action", "added"),
        ("action", "User.Added"),
        ("object_type", "two words"),
        ("object_id", "line\nbreak"),
        ("before_hash", "abc"),
        ("request_id", ""),
        ("details", {"text": "x" * 9000}),
        ("details", {"score": float("nan")}),
        ("details", {"text": ["half a pair \ud800"]}),
        ("details", {"text": "\0"}),
        ("details", {"half a pair \ud800": 1}),
    ],
)
def test_what_does_not_fit_is_refused(field, value):
    with pytest.raises(ValueError, match="expected"):
        make_event(1, **{field: value})


@pytest.mark.parametrize(
    "details",
    [
        {"password": "x"},
        {"new_password_hash": "x"},
        {"nested": [{"session_token": "x"}]},
        {"client_secret": "x"},
        {"name": "x"},
        {"email": "x"},
        {"IP": "x"},
    ],
)
def test_details_with_a_secret_or_a_person_are_refused(details):
    with pytest.raises(ValueError, match="looks like a"):
        make_event(1, details=details)


def test_details_are_kept_as_plain_json():
    assert make_event(1, details={"n": 2.0, "at": START, "of": (1, 2)}).details == {
        "n": 2,
        "at": "2026-01-31T07:05:00.000000Z",
        "of": [1, 2],
    }


def test_the_hash_is_the_one_computed_by_hand():
    """Computed once with sha256sum; a change here makes every log in the field unreadable."""
    row = seal(make_event(1), None, RING)
    assert row.previous_hash == GENESIS
    assert row.hash == "152e22237c29ae7921016717d32492b8d341edadc713e89e097bbb8fd16fed1e"
    assert row.key_id == key_id(b"k" * 32) == RING.current_id
    assert row.seal == "ec61c73fb00a1a95a642558c1a4788c611ad1eb65b69da144b316135579d1886"


def test_every_field_is_part_of_the_hash():
    row = make_chain(2)[1]
    for name in row.__slots__:
        if name not in ("hash", "key_id", "seal"):
            other = replace(row, **{name: START if name == "at" else "other"})
            assert other.content_hash() != row.hash, name


def test_a_row_follows_the_head():
    first = seal(make_event(1), None, RING)
    second = seal(make_event(2), head_of(first, RING), RING)
    assert (second.seq, second.previous_hash) == (2, first.hash)


def test_keys_do_not_show():
    ring = keyring(b"\x01secret-key", b"earlier-key")
    assert "secret" not in repr(ring)
    assert "earlier" not in repr(ring)

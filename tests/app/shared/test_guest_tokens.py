"""Guest tokens."""

import pytest

from app.shared.guest_tokens import GuestTokens


def test_an_issued_token_names_its_guest_and_no_two_are_alike() -> None:
    tokens = GuestTokens(b"key")
    one, two = tokens.issue(), tokens.issue()
    assert tokens.guest_of(one)
    assert tokens.guest_of(one) != tokens.guest_of(two)


@pytest.mark.parametrize("token", [None, 7, "", ".", "guest", "guest.", "guest.00", "é.é", "a.b.c"])
def test_what_we_did_not_issue_is_nobody(token: object) -> None:
    assert GuestTokens(b"key").guest_of(token) is None


def test_a_token_of_another_key_or_a_changed_one_is_nobody() -> None:
    token = GuestTokens(b"other key").issue()
    assert GuestTokens(b"key").guest_of(token) is None
    mine = GuestTokens(b"key").issue()
    assert GuestTokens(b"key").guest_of("x" + mine) is None

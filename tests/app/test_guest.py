"""Guest tokens."""

import stat
from pathlib import Path

import pytest

from app.guest import GuestTokens, signing_key
from core.config import Settings


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


def test_the_key_is_the_configured_secret(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, jwt_secret="s" * 40)
    assert signing_key(settings) == b"s" * 40
    assert not list(tmp_path.iterdir())


def test_without_a_secret_one_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "new", jwt_secret=None)
    first = signing_key(settings)
    assert len(first) >= 32
    assert signing_key(settings) == first
    assert stat.S_IMODE((tmp_path / "new" / "signing.key").stat().st_mode) == 0o600

"""Passwords: the rules, and hashes that streamlit-authenticator would accept."""

import time

import bcrypt
import pytest

from core.domain.errors import WeakPasswordError
from core.services.accounts.passwords import (
    MAX_BYTES,
    check_password,
    dummy_hash,
    generate_password,
    hash_password,
    require_strong,
)

GOOD = "three pores in 4 welds"


@pytest.mark.parametrize("password", [GOOD, "längere Schweißnaht", "x" * MAX_BYTES, "Ω" * (MAX_BYTES // 2)])
def test_we_and_the_hasher_of_the_form_accept_each_others_hashes(password: str) -> None:
    from streamlit_authenticator.utilities.hasher import Hasher

    assert Hasher.check_pw(password, hash_password(password, cost=4))
    theirs = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()  # what Hasher.hash does, cheaply
    assert check_password(password, theirs)
    assert Hasher.is_hash(hash_password(password, cost=4))


def test_a_password_fits_only_its_own_hash_and_no_two_hashes_are_alike() -> None:
    one, two = hash_password(GOOD, cost=4), hash_password(GOOD, cost=4)
    assert one != two
    assert check_password(GOOD, one)
    assert not check_password(GOOD + " ", one)
    assert not check_password("", one)


def test_what_bcrypt_would_cut_off_is_refused_and_never_accepted() -> None:
    longest = "x" * MAX_BYTES
    with pytest.raises(WeakPasswordError, match="at most 72 bytes"):
        hash_password(longest + "y")
    assert not check_password(longest + "y", hash_password(longest, cost=4))


@pytest.mark.parametrize("password", ["", GOOD, "x" * 200, "\ud800", "a\0b"])
def test_nothing_fits_the_dummy_or_a_missing_hash(password: str) -> None:
    assert not check_password(password, dummy_hash(4))
    assert not check_password(password, None, cost=4)


def test_a_missing_hash_takes_as_long_as_a_wrong_password() -> None:
    stored = hash_password(GOOD, cost=9)

    def seconds(password_hash: str | None) -> float:
        best = []
        for _ in range(5):
            start = time.process_time()
            check_password("wrong", password_hash, cost=9)
            best.append(time.process_time() - start)
        return min(best)

    assert seconds(None) == pytest.approx(seconds(stored), rel=0.3)


@pytest.mark.parametrize("password", [GOOD, "längere Naht", "x1Y2z3A4b5C6", "correct horse battery weld"])
def test_good_ones_pass(password: str) -> None:
    require_strong(password, name="a.inspector")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x1Y2z3A4b5C6" * 7, "at most 72"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abababababab", "repeats"),
        ("weldweldweldwe", "repeats"),
        ("123456789012", "follows the keys"),
        ("qwertyuiopas", "follows the keys"),
        ("abcdefghijklm", "follows the keys"),
        ("Password1234!", "first that are tried"),
        ("P@ssw0rd2024", "first that are tried"),
        ("password_password"[:9] + "2026!", "first that are tried"),
        ("correcthorsebatterystaple", "first that are tried"),
        ("Radiography 2026", "first that are tried"),
        ("A.Inspector-1", "sign-in name"),
        ("ainspector1999", "sign-in name"),
        ("\ud800 and eleven more", "cannot be typed"),
    ],
)
def test_bad_ones_are_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(WeakPasswordError, match=why):
        require_strong(password, name="a.inspector")


def test_generated_ones_are_good_and_all_different() -> None:
    made = {generate_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        require_strong(password)
        assert len(password) == 24

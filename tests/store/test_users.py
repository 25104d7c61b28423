"""Accounts and the people behind them, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from core.domain.accounts import Role, User
from core.domain.errors import UnknownUserError
from core.store.audit_trail import open_store
from core.store.unit_of_work import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(engine: Engine) -> Store:
    return open_store(engine)


def account(name: str | None, role: Role = Role.INSPECTOR, *, user_id: str = "") -> User:
    return User(user_id or f"u-{name}", name, name and name.title(), role, True, False, 1, NOW)


def add(store: Store, user: User, *, password_hash: str | None = "hash", subject: str | None = None) -> User:
    with store.write() as work:
        work.users.add(user, password_hash=password_hash, oidc_subject=subject)
    return user


def test_an_account_comes_back_as_it_was_stored(store: Store) -> None:
    user = add(store, account("a.inspector"), subject="https://issuer|7")
    with store.read() as work:
        assert work.users.find(user.user_id) == user
        assert work.users.named(" A.Inspector ") == user
        assert work.users.with_subject("https://issuer|7") == user
        assert work.users.password_hash(user.user_id) == "hash"
        assert work.users.find("u-other") is None
        assert work.users.named("other") is None
        assert work.users.with_subject("other") is None
        assert work.users.password_hash("u-other") is None


@pytest.mark.parametrize(
    "second",
    [
        account("a.inspector", user_id="u-second"),
        account("b.reviewer", user_id="u-a.inspector"),
    ],
)
def test_an_id_and_a_name_are_there_once_and_a_refused_one_leaves_nothing(store: Store, second: User) -> None:
    add(store, account("a.inspector"))
    with pytest.raises(IntegrityError):
        add(store, second)
    with store.read() as work:
        assert [user.name for user in work.users.all()] == ["a.inspector"]


def test_the_list_leaves_guests_out_and_the_erased_to_the_end(store: Store) -> None:
    for user in (account("c"), account("a"), account("b"), account(None, Role.GUEST, user_id="guest-1")):
        add(store, user)
    with store.write() as work:
        work.users.erase("u-a")
    with store.read() as work:
        assert [user.user_id for user in work.users.all()] == ["u-b", "u-c", "u-a"]


def test_what_ends_sessions_counts_the_credentials_up_and_a_role_does_not(store: Store) -> None:
    user = add(store, account("a.inspector"))
    versions = []
    with store.write() as work:
        for act in (
            lambda: work.users.set_role(user.user_id, Role.REVIEWER),
            lambda: work.users.set_password(user.user_id, "other", must_change=True),
            lambda: work.users.set_active(user.user_id, False),
            lambda: work.users.erase(user.user_id),
        ):
            act()
            found = work.users.find(user.user_id)
            assert found is not None
            versions.append(found.credentials_version)
    assert versions == [1, 2, 3, 4]


def test_an_erased_person_is_gone_and_the_account_is_not(store: Store) -> None:
    user = add(store, account("a.inspector"), subject="https://issuer|7")
    with store.write() as work:
        work.users.erase(user.user_id)
    with store.read() as work:
        left = work.users.find(user.user_id)
        assert left is not None
        assert (left.name, left.full_name, left.is_active) == (None, None, False)
        assert work.users.named("a.inspector") is None
        assert work.users.with_subject("https://issuer|7") is None
        assert work.users.password_hash(user.user_id) is None


def test_only_active_admins_count_as_admins(store: Store) -> None:
    for name in ("x", "y"):
        add(store, account(name, Role.ADMIN))
    add(store, account("z"))
    with store.write() as work:
        work.users.set_active("u-y", False)
        assert work.users.lock_admins() == {"u-x"}


def test_a_locked_account_is_read_as_it_is_now(store: Store) -> None:
    user = add(store, account("a.inspector"))
    with store.write() as work:
        assert work.users.lock(user.user_id) == user
        assert work.users.lock("u-other") is None


@pytest.mark.parametrize("act", ["set_role", "set_password", "set_active", "set_signed_in", "erase"])
def test_an_unknown_account_is_one_clear_error(store: Store, act: str) -> None:
    arguments = {
        "set_role": (Role.ADMIN,),
        "set_active": (True,),
        "set_signed_in": (NOW,),
        "set_password": ("hash",),
    }.get(act, ())
    named = {"must_change": True} if act == "set_password" else {}
    with pytest.raises(UnknownUserError, match="no user u-other"), store.write() as work:
        getattr(work.users, act)("u-other", *arguments, **named)

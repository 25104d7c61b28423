"""Changing one's own password, on SQLite and on PostgreSQL."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Engine

from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.errors import (
    AccountChangedError,
    LockedOutError,
    NotAllowedError,
    SignInRefusedError,
    WeakPasswordError,
)
from core.services.accounts.accounts import AccountService
from core.services.accounts.attempts import FREE_BY_ACCOUNT, Attempts, account_key, actor_of
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.passwords import check_password, hash_password
from core.store.sessions import StoredSession
from core.store.unit_of_work import Store
from tests.services.recording import Clock, Recorded, recording_store

OLD, NEW = "three pores in 4 welds", "one crack in 7 castings"
ADDRESS = "192.0.2.1"
cheap_hash = partial(hash_password, cost=4)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def store(engine: Engine, recorded: Recorded) -> Store:
    return recording_store(engine, Clock(), recorded)


@pytest.fixture
def accounts(store: Store) -> AccountService:
    return AccountService(store, account_key=partial(account_key, b"key"), make_hash=cheap_hash)


@pytest.fixture
def own(store: Store) -> OwnAccountService:
    return OwnAccountService(store, attempts=Attempts(store, b"key"), make_hash=cheap_hash)


@pytest.fixture
def user(accounts: AccountService) -> User:
    return accounts.add(COMMAND_LINE, "a.inspector", "Ann Inspector", Role.INSPECTOR, OLD).user


def is_password(store: Store, user: User, password: str) -> bool:
    with store.read() as work:
        return check_password(password, work.users.password_hash(user.user_id))


def test_the_new_password_holds_and_every_session_is_over(
    own: OwnAccountService, store: Store, user: User, recorded: Recorded
) -> None:
    with store.write() as work:
        work.sessions.add(StoredSession("s1", user.user_id, 1, "Browser", work.now, work.now), "0" * 64)
    changed = own.change_password(actor_of(user), OLD, NEW, address=ADDRESS)
    assert not changed.must_change_password
    assert changed.credentials_version == user.credentials_version + 1
    assert is_password(store, user, NEW)
    assert not is_password(store, user, OLD)
    with store.read() as work:
        assert work.sessions.of_user(user.user_id) == []
    assert recorded.actions() == ["user.added", "user.password_changed"]
    assert recorded.events[-1] == (user.user_id, "user.password_changed", user.user_id, {})


@pytest.mark.parametrize(
    ("new", "why"),
    [(OLD, "is the current one"), ("short", "at least 12"), ("a.inspector-1999", "sign-in name")],
)
def test_a_password_that_will_not_do_changes_nothing_and_costs_no_attempt(
    own: OwnAccountService, store: Store, user: User, new: str, why: str
) -> None:
    for _ in range(FREE_BY_ACCOUNT + 2):
        with pytest.raises(WeakPasswordError, match=why):
            own.change_password(actor_of(user), OLD, new, address=ADDRESS)
    assert is_password(store, user, OLD)


def test_wrong_current_passwords_lock_the_session_out_and_not_the_sign_in(
    own: OwnAccountService, store: Store, user: User
) -> None:
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(SignInRefusedError, match="not the password"):
            own.change_password(actor_of(user), "a wrong guess 1", NEW, address=ADDRESS)
    with pytest.raises(LockedOutError):
        own.change_password(actor_of(user), "a wrong guess 1", NEW, address=ADDRESS)
    with pytest.raises(LockedOutError):  # the right one does not help now, so guessing shows nothing
        own.change_password(actor_of(user), OLD, NEW, address=ADDRESS)
    assert Attempts(store, b"key").begin("a.inspector", ADDRESS)
    assert is_password(store, user, OLD)


def test_a_change_forgets_the_wrong_ones_before_it(own: OwnAccountService, store: Store, user: User) -> None:
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(SignInRefusedError):
            own.change_password(actor_of(user), "a wrong guess 1", NEW, address=ADDRESS)
    changed = own.change_password(actor_of(user), OLD, NEW, address=ADDRESS)
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(SignInRefusedError, match="not the password"):
            own.confirm_password(actor_of(changed), OLD, address=ADDRESS)


def test_the_password_is_confirmed_and_wrong_ones_count(
    own: OwnAccountService, store: Store, user: User, recorded: Recorded
) -> None:
    recorded.events.clear()
    for _ in range(FREE_BY_ACCOUNT + 2):  # the right one is no attempt
        own.confirm_password(actor_of(user), OLD, address=ADDRESS)
    assert recorded.events == []
    for _ in range(FREE_BY_ACCOUNT):
        with pytest.raises(SignInRefusedError, match="not the password"):
            own.confirm_password(actor_of(user), NEW, address=ADDRESS)
    for guess in (NEW, OLD):
        with pytest.raises(LockedOutError):
            own.confirm_password(actor_of(user), guess, address=ADDRESS)
    assert is_password(store, user, OLD)


def test_who_must_change_the_password_may_change_it(own: OwnAccountService, user: User) -> None:
    identity = actor_of(user)
    assert identity.must_change_password
    assert not own.change_password(identity, OLD, NEW, address=ADDRESS).must_change_password


def test_a_reset_while_it_is_changed_wins(accounts: AccountService, store: Store, user: User) -> None:
    def hash_while_an_admin_resets(password: str) -> str:
        accounts.reset_password(COMMAND_LINE, user.user_id)
        return cheap_hash(password)

    slow = OwnAccountService(store, attempts=Attempts(store, b"key"), make_hash=hash_while_an_admin_resets)
    with pytest.raises(AccountChangedError, match="was not changed"):
        slow.change_password(actor_of(user), OLD, NEW, address=ADDRESS)
    assert not is_password(store, user, NEW)


def test_without_an_account_there_is_nothing_to_change(
    own: OwnAccountService, accounts: AccountService, store: Store, user: User
) -> None:
    guest = Identity("guest-0", "guest", Role.GUEST)
    for nobody in (COMMAND_LINE, guest, replace(actor_of(user), user_id="u-0000000000000000")):
        with pytest.raises(NotAllowedError):
            own.change_password(nobody, OLD, NEW, address=ADDRESS)
    accounts.disable(COMMAND_LINE, user.user_id)
    with pytest.raises(NotAllowedError):
        own.change_password(actor_of(user), OLD, NEW, address=ADDRESS)


def test_an_account_without_a_password_gets_none(own: OwnAccountService, store: Store, user: User) -> None:
    with store.write() as work:
        work.users.set_password(user.user_id, None, must_change=False)
    with pytest.raises(NotAllowedError, match="where you sign in"):
        own.change_password(actor_of(user), "", NEW, address=ADDRESS)
    assert not is_password(store, user, NEW)

"""Accounts on SQLite and on PostgreSQL: every rule, and what happens when two act at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.errors import (
    AccountChangedError,
    BadInputError,
    LastAdminError,
    NotAllowedError,
    UnknownUserError,
    UserExistsError,
    WeakPasswordError,
    WorkbenchError,
)
from core.services.accounts.account_rules import account_content
from core.services.accounts.accounts import FIRST_ADMIN, AccountService
from core.services.accounts.attempts import Attempts, account_key, actor_of
from core.services.accounts.passwords import check_password, hash_password
from core.store.account_tables import PersonRow, SessionRow, UserRow
from core.store.sessions import StoredSession
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.services.recording import Clock, Recorded, recording_store

GOOD = "three pores in 4 welds"


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def store(engine: Engine, recorded: Recorded) -> Store:
    return recording_store(engine, Clock(), recorded)


@pytest.fixture
def accounts(store: Store) -> AccountService:
    return AccountService(
        store, account_key=partial(account_key, b"key"), make_hash=partial(hash_password, cost=4)
    )


def acting(user: User) -> Identity:
    """Who acts once the first password was changed."""
    return replace(actor_of(user), must_change_password=False)


@pytest.fixture
def admin(accounts: AccountService) -> Identity:
    return acting(accounts.add(COMMAND_LINE, "head", "Head of Testing", Role.ADMIN, GOOD).user)


@pytest.fixture
def inspector(accounts: AccountService, admin: Identity) -> User:
    return accounts.add(admin, "A.Inspector", "Ann Inspector", Role.INSPECTOR, GOOD).user


def open_session(store: Store, user: User, number: int = 1) -> None:
    with store.write() as work:
        work.sessions.add(
            StoredSession(
                f"s{number}-{user.user_id}",
                user.user_id,
                user.credentials_version,
                "Browser",
                work.now,
                work.now,
            ),
            f"{number:02d}{user.user_id:0>62}",
        )


def open_sessions(store: Store, user: User) -> int:
    with store.read() as work:
        return len(work.sessions.of_user(user.user_id))


def stored_hash(store: Store, user: User) -> str | None:
    with store.read() as work:
        return work.users.password_hash(user.user_id)


def test_a_new_account_must_change_the_generated_password_that_comes_back_once(
    accounts: AccountService, admin: Identity, store: Store
) -> None:
    added = accounts.add(admin, " B.Reviewer ", "Ben  Reviewer", Role.REVIEWER)
    assert (added.user.name, added.user.full_name, added.user.role) == (
        "b.reviewer",
        "Ben Reviewer",
        Role.REVIEWER,
    )
    assert added.user.must_change_password
    assert added.user.is_active
    assert check_password(added.password or "", stored_hash(store, added.user))
    assert accounts.named(admin, "B.REVIEWER") == added.user


def test_a_chosen_password_is_not_repeated(accounts: AccountService, admin: Identity) -> None:
    assert accounts.add(admin, "chosen", "Chosen One", Role.ANNOTATOR, GOOD).password is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "a.inspector"}, UserExistsError),
        ({"name": "A.Inspector"}, UserExistsError),
        ({"name": "x"}, BadInputError),
        ({"full_name": "a\u202eb"}, BadInputError),
        ({"role": Role.GUEST}, BadInputError),
        ({"password": "short"}, WeakPasswordError),
        ({"password": "newcomer-123"}, WeakPasswordError),
    ],
)
def test_what_will_not_do_adds_nothing(
    accounts: AccountService, admin: Identity, inspector: User, change: dict, error: type[Exception]
) -> None:
    given = {"name": "newcomer", "full_name": "New Comer", "role": Role.INSPECTOR, "password": GOOD, **change}
    with pytest.raises(error):
        accounts.add(admin, **given)
    assert [user.name for user in accounts.all(admin)] == ["a.inspector", "head"]


@ON_EACH_DATABASE
def test_disabling_ends_the_sessions_and_enabling_brings_none_back(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    open_session(store, inspector)
    disabled = accounts.disable(admin, inspector.user_id)
    assert not disabled.is_active
    assert disabled.credentials_version > inspector.credentials_version
    assert open_sessions(store, inspector) == 0
    enabled = accounts.enable(admin, inspector.user_id)
    assert enabled.is_active
    assert enabled.credentials_version > inspector.credentials_version
    assert check_password(GOOD, stored_hash(store, inspector))


def test_a_role_change_leaves_the_sessions_and_holds_in_the_next_read(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    open_session(store, inspector)
    assert accounts.set_role(admin, inspector.user_id, Role.REVIEWER).role is Role.REVIEWER
    with store.read() as work:
        user = work.users.find(inspector.user_id)
    assert user is not None
    assert user.role is Role.REVIEWER
    assert user.credentials_version == inspector.credentials_version
    assert open_sessions(store, inspector) == 1


def test_a_reset_ends_sessions_forgets_failures_and_must_be_changed(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    open_session(store, inspector)
    attempt = Attempts(store, b"key").begin("a.inspector", "192.0.2.1")
    reset = accounts.reset_password(admin, inspector.user_id)
    assert reset.password is not None
    assert reset.user.must_change_password
    assert check_password(reset.password, stored_hash(store, inspector))
    assert not check_password(GOOD, stored_hash(store, inspector))
    assert open_sessions(store, inspector) == 0
    with store.read() as work:
        assert work.failures.of_account(attempt.account_key, work.now - timedelta(days=1))[0] == 0


def test_a_weak_password_resets_nothing(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    with pytest.raises(WeakPasswordError, match="sign-in name"):
        accounts.reset_password(admin, inspector.user_id, "a.inspector-1999")
    assert check_password(GOOD, stored_hash(store, inspector))


@ON_EACH_DATABASE
def test_erasing_removes_the_person_and_keeps_the_account(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    open_session(store, inspector)
    known = account_key(b"key", "a.inspector"), "f" * 64
    with store.write() as work:
        work.known_addresses.note(*known, work.now)
    erased = accounts.erase(admin, inspector.user_id, confirmation=" A.Inspector ")
    with store.read() as work:
        assert not work.known_addresses.has(*known, work.now - timedelta(days=1))
    assert (erased.name, erased.full_name, erased.is_active) == (None, None, False)
    assert erased.user_id == inspector.user_id
    assert stored_hash(store, inspector) is None
    with Session(store.engine) as session:
        assert session.scalar(select(func.count()).select_from(PersonRow)) == 1
        assert session.scalar(select(func.count()).select_from(UserRow)) == 2
        assert session.scalar(select(func.count()).select_from(SessionRow)) == 0
    again = accounts.add(admin, "a.inspector", "Somebody Else", Role.INSPECTOR, GOOD)
    assert again.user.user_id != inspector.user_id


def test_an_erasure_needs_the_name_typed(accounts: AccountService, admin: Identity, inspector: User) -> None:
    with pytest.raises(BadInputError, match="nothing was erased"):
        accounts.erase(admin, inspector.user_id, confirmation="head")
    assert accounts.named(admin, "a.inspector") == inspector


Act = Callable[[AccountService, Identity, str], object]
ACTS: dict[str, Act] = {
    "disable": lambda service, who, user_id: service.disable(who, user_id),
    "enable": lambda service, who, user_id: service.enable(who, user_id),
    "set_role": lambda service, who, user_id: service.set_role(who, user_id, Role.ANNOTATOR),
    "reset_password": lambda service, who, user_id: service.reset_password(who, user_id),
    "erase": lambda service, who, user_id: service.erase(who, user_id, confirmation="a.inspector"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nothing_is_done_to_accounts_that_do_not_exist_or_were_erased(
    accounts: AccountService, admin: Identity, inspector: User, act: Act
) -> None:
    with pytest.raises(UnknownUserError):
        act(accounts, admin, "u-0000000000000000")
    accounts.erase(admin, inspector.user_id, confirmation="a.inspector")
    with pytest.raises(UnknownUserError):
        act(accounts, admin, inspector.user_id)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_admin_who_is_none_any_more_changes_nothing(
    accounts: AccountService, admin: Identity, inspector: User, act: Act
) -> None:
    other = acting(accounts.add(admin, "second", "Second Admin", Role.ADMIN, GOOD).user)
    accounts.set_role(admin, other.user_id, Role.REVIEWER)
    before = accounts.all(admin)
    with pytest.raises(NotAllowedError, match="any more"):  # `other` still says admin, as an open page would
        act(accounts, other, inspector.user_id)
    assert accounts.all(admin) == before


@pytest.mark.parametrize("name", ["disable", "set_role", "reset_password", "erase"])
def test_nobody_does_it_to_their_own_account(accounts: AccountService, admin: Identity, name: str) -> None:
    accounts.add(admin, "second", "Second Admin", Role.ADMIN, GOOD)
    with pytest.raises(NotAllowedError, match="their own account"):
        ACTS[name](accounts, admin, admin.user_id)


def test_the_last_active_admin_stays_one_even_for_commands(accounts: AccountService, admin: Identity) -> None:
    second = accounts.add(admin, "second", "Second Admin", Role.ADMIN, GOOD).user
    accounts.disable(admin, second.user_id)
    for act in (
        lambda: accounts.disable(COMMAND_LINE, admin.user_id),
        lambda: accounts.set_role(COMMAND_LINE, admin.user_id, Role.INSPECTOR),
        lambda: accounts.erase(COMMAND_LINE, admin.user_id, confirmation="head"),
    ):
        with pytest.raises(LastAdminError, match="last active admin"):
            act()
    accounts.enable(admin, second.user_id)
    accounts.disable(COMMAND_LINE, admin.user_id)
    assert [user.name for user in accounts.all(COMMAND_LINE) if user.is_active] == ["second"]


@pytest.mark.parametrize("name", ["disable", "enable", "set_role", "reset_password"])
def test_a_decision_about_what_changed_meanwhile_is_refused(
    accounts: AccountService, admin: Identity, inspector: User, name: str
) -> None:
    accounts.set_role(admin, inspector.user_id, Role.REVIEWER)
    before = accounts.all(admin)
    calls = {
        "disable": lambda: accounts.disable(admin, inspector.user_id, seen=inspector),
        "enable": lambda: accounts.enable(admin, inspector.user_id, seen=inspector),
        "set_role": lambda: accounts.set_role(admin, inspector.user_id, Role.ADMIN, seen=inspector),
        "reset_password": lambda: accounts.reset_password(admin, inspector.user_id, seen=inspector),
    }
    with pytest.raises(AccountChangedError, match="somebody else changed"):
        calls[name]()
    assert accounts.all(admin) == before


def test_a_sign_in_meanwhile_is_no_change(
    accounts: AccountService, admin: Identity, inspector: User, store: Store
) -> None:
    with store.write() as work:
        work.users.set_signed_in(inspector.user_id, work.now)
    assert not accounts.disable(admin, inspector.user_id, seen=inspector).is_active


def test_a_second_setup_finds_the_first_admin(accounts: AccountService) -> None:
    first = accounts.add_first_admin()
    assert first is not None
    assert first.password is not None
    assert (first.user.name, first.user.role, first.user.must_change_password) == (
        FIRST_ADMIN,
        Role.ADMIN,
        True,
    )
    assert accounts.add_first_admin() is None


def test_no_first_admin_where_there_are_accounts(accounts: AccountService, inspector: User) -> None:
    assert accounts.add_first_admin() is None


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each came back with or raised, all started together."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[index] = act()
        except WorkbenchError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@ON_EACH_DATABASE
def test_setups_at_the_same_time_make_one_admin(accounts: AccountService) -> None:
    made = at_once(*[accounts.add_first_admin] * 4)
    assert sum(result is not None for result in made) == 1
    assert len(accounts.all(COMMAND_LINE)) == 1


@ON_EACH_DATABASE
def test_two_admins_who_disable_each_other_at_once_leave_one(
    accounts: AccountService, admin: Identity
) -> None:
    for round_ in range(3):
        other = acting(accounts.add(COMMAND_LINE, f"second{round_}", "Second Admin", Role.ADMIN, GOOD).user)
        results = at_once(
            lambda other=other: accounts.disable(admin, other.user_id),
            lambda other=other: accounts.disable(other, admin.user_id),
        )
        assert sum(isinstance(result, User) for result in results) == 1, results
        assert sum(user.is_active for user in accounts.all(COMMAND_LINE)) == 1
        accounts.enable(COMMAND_LINE, admin.user_id)
        for user in accounts.all(COMMAND_LINE):
            if user.user_id != admin.user_id and user.is_active:
                accounts.disable(COMMAND_LINE, user.user_id)


@ON_EACH_DATABASE
def test_the_same_name_added_at_once_is_one_account(accounts: AccountService, admin: Identity) -> None:
    add = partial(accounts.add, admin, "newcomer", "New Comer", Role.INSPECTOR, GOOD)
    results = at_once(*[add] * 3)
    assert sum(isinstance(result, UserExistsError) for result in results) == 2, results
    assert [user.name for user in accounts.all(admin)] == ["head", "newcomer"]


def test_every_change_leaves_one_line_that_names_nobody(
    accounts: AccountService, admin: Identity, inspector: User, recorded: Recorded
) -> None:
    recorded.events.clear()
    user_id = inspector.user_id
    accounts.set_role(admin, user_id, Role.REVIEWER)
    accounts.disable(admin, user_id)
    accounts.enable(admin, user_id)
    accounts.reset_password(admin, user_id)
    accounts.erase(admin, user_id, confirmation="a.inspector")
    assert recorded.events == [
        (admin.user_id, "user.role_changed", user_id, {"role": "reviewer", "was": "inspector"}),
        (admin.user_id, "user.disabled", user_id, {}),
        (admin.user_id, "user.enabled", user_id, {}),
        (admin.user_id, "user.password_reset", user_id, {}),
        (admin.user_id, "user.erased", user_id, {}),
    ]


def test_what_is_so_already_or_was_refused_leaves_none(
    accounts: AccountService, admin: Identity, inspector: User, recorded: Recorded
) -> None:
    recorded.events.clear()
    assert accounts.enable(admin, inspector.user_id) == inspector
    assert accounts.set_role(admin, inspector.user_id, Role.INSPECTOR) == inspector
    with pytest.raises(BadInputError):
        accounts.erase(admin, inspector.user_id, confirmation="")
    with pytest.raises(UserExistsError):
        accounts.add(admin, "a.inspector", "Another One", Role.INSPECTOR, GOOD)
    assert recorded.events == []


def test_what_the_log_digests_holds_nothing_of_the_person(inspector: User) -> None:
    other = replace(inspector, user_id="u-1", name="b", full_name="B")
    assert account_content(inspector) == account_content(other)
    assert set(account_content(inspector)) == {
        "role", "is_active", "is_erased", "must_change_password", "credentials_version",
    }  # fmt: skip

"""Sessions, tickets and refused sign-ins, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from core.domain.accounts import Role, User
from core.store.audit_trail import open_store
from core.store.sessions import StoredSession
from core.store.unit_of_work import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICKET, OTHER = "7" * 64, "8" * 64


@pytest.fixture
def store(engine: Engine) -> Store:
    """With the accounts u-a and u-b."""
    store = open_store(engine)
    with store.write() as work:
        for name in ("a", "b"):
            user = User(f"u-{name}", name, name, Role.INSPECTOR, True, False, 1, NOW)
            work.users.add(user, password_hash=None)
    return store


def session(number: int, user_id: str = "u-a", *, seen_at: datetime = NOW) -> StoredSession:
    return StoredSession(f"s-{number}", user_id, 1, "Browser", NOW, seen_at)


def add(store: Store, *sessions: StoredSession) -> None:
    with store.write() as work:
        for stored in sessions:
            work.sessions.add(stored, token_of(stored.session_id))


def token_of(session_id: str) -> str:
    return f"{session_id:0>64}"


def ids(sessions: list[StoredSession]) -> list[str]:
    return [stored.session_id for stored in sessions]


def test_a_session_is_found_by_the_digest_of_its_token_only(store: Store) -> None:
    add(store, session(1), session(2))
    with store.read() as work:
        assert work.sessions.with_token(token_of("s-1")) == session(1)
        assert work.sessions.with_token("s-1") is None


def test_a_token_is_there_once(store: Store) -> None:
    add(store, session(1))
    with pytest.raises(IntegrityError), store.write() as work:
        work.sessions.add(session(2), token_of("s-1"))


def test_a_session_of_nobody_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError):
        add(store, session(1, "u-nobody"))


def test_open_sessions_are_listed_last_seen_first(store: Store) -> None:
    add(store, session(1), session(2, seen_at=NOW + MINUTE), session(3, "u-b"))
    with store.write() as work:
        work.sessions.touch("s-1", NOW + 2 * MINUTE)
    with store.read() as work:
        assert ids(work.sessions.of_user("u-a")) == ["s-1", "s-2"]
        assert ids(work.sessions.open()) == ["s-1", "s-2", "s-3"]


def test_an_ended_session_stays_ended_with_its_first_reason(store: Store) -> None:
    add(store, session(1), session(2))
    with store.write() as work:
        assert work.sessions.end(["s-1", "s-unknown"], NOW + MINUTE, "signed out") == 1
        assert work.sessions.end(["s-1"], NOW + 2 * MINUTE, "idle") == 0
        assert work.sessions.end([], NOW, "nothing") == 0
    with store.read() as work:
        ended = work.sessions.with_token(token_of("s-1"))
        assert ended is not None
        assert (ended.ended_at, ended.end_reason) == (NOW + MINUTE, "signed out")
        assert ids(work.sessions.open()) == ["s-2"]


def test_nothing_is_left_of_somebody_who_is_forgotten(store: Store) -> None:
    add(store, session(1), session(2, "u-b"))
    with store.write() as work:
        work.sessions.add_ticket(TICKET, user_id="u-a", credentials_version=1, expires_at=NOW + MINUTE)
        work.sessions.forget_user("u-a")
        assert work.sessions.use_ticket(TICKET, NOW) is None
    with store.read() as work:
        assert work.sessions.with_token(token_of("s-1")) is None
        assert ids(work.sessions.open()) == ["s-2"]


def test_old_sessions_and_tickets_are_purged_and_others_kept(store: Store) -> None:
    add(store, session(1, seen_at=NOW - MINUTE), session(2, seen_at=NOW))
    with store.write() as work:
        work.sessions.add_ticket(TICKET, user_id="u-a", credentials_version=1, expires_at=NOW - MINUTE)
        work.sessions.add_ticket(OTHER, user_id="u-a", credentials_version=1, expires_at=NOW + MINUTE)
        work.sessions.purge(NOW)
        assert ids(work.sessions.open()) == ["s-2"]
        assert work.sessions.use_ticket(TICKET, NOW - 2 * MINUTE) is None
        assert work.sessions.use_ticket(OTHER, NOW) == ("u-a", 1)


@pytest.mark.parametrize(("after", "is_good"), [(timedelta(0), True), (MINUTE, False), (2 * MINUTE, False)])
def test_a_ticket_is_good_once_and_until_it_expires(store: Store, after: timedelta, is_good: bool) -> None:
    with store.write() as work:
        work.sessions.add_ticket(TICKET, user_id="u-a", credentials_version=3, expires_at=NOW + MINUTE)
        assert work.sessions.use_ticket(TICKET, NOW + after) == (("u-a", 3) if is_good else None)
        assert work.sessions.use_ticket(TICKET, NOW + after) is None


def test_a_ticket_that_many_use_at_once_is_good_for_one(store: Store) -> None:
    with store.write() as work:
        work.sessions.add_ticket(TICKET, user_id="u-a", credentials_version=1, expires_at=NOW + MINUTE)
    barrier, got = threading.Barrier(4), []

    def use() -> None:
        barrier.wait()
        with store.write() as work:
            got.append(work.sessions.use_ticket(TICKET, NOW))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=str) == [("u-a", 1), None, None, None]


def test_a_token_of_an_identity_provider_is_exchanged_once(store: Store) -> None:
    expires = {"user_id": "u-a", "credentials_version": 1, "expires_at": NOW + MINUTE}
    with store.write() as work:
        work.sessions.add_ticket(TICKET, oidc_token_hash="9" * 64, **expires)
    with pytest.raises(IntegrityError), store.write() as work:
        work.sessions.add_ticket(OTHER, oidc_token_hash="9" * 64, **expires)


def test_refused_sign_ins_are_counted_by_account_and_by_address(store: Store) -> None:
    with store.write() as work:
        for account, address, minutes in (("a", "x", 0), ("a", "y", 1), ("b", "x", 2)):
            work.failures.add(account_key=account * 64, address_key=address * 64, at=NOW + minutes * MINUTE)
    with store.read() as work:
        assert work.failures.of_account("a" * 64, NOW - MINUTE) == (2, NOW + MINUTE)
        assert work.failures.of_address("x" * 64, NOW - MINUTE) == (2, NOW + 2 * MINUTE)
        assert work.failures.of_account("a" * 64, NOW) == (1, NOW + MINUTE), "the moment itself is left out"
        assert work.failures.of_account("c" * 64, NOW - MINUTE) == (0, None)


def test_an_account_is_cleared_alone_and_old_refusals_are_purged(store: Store) -> None:
    with store.write() as work:
        for account, minutes in (("a", 0), ("b", 0), ("b", 2)):
            work.failures.add(account_key=account * 64, address_key="x" * 64, at=NOW + minutes * MINUTE)
        work.failures.clear_account("a" * 64)
        assert work.failures.of_address("x" * 64, NOW - MINUTE)[0] == 2
        work.failures.purge(NOW + MINUTE)
        assert work.failures.of_account("b" * 64, NOW - MINUTE) == (1, NOW + 2 * MINUTE)


def test_refusals_at_one_address_are_counted_and_cleared_by_themselves(store: Store) -> None:
    with store.write() as work:
        for account, address, minutes in (("a", "x", 0), ("a", "y", 1), ("b", "x", 2)):
            work.failures.add(account_key=account * 64, address_key=address * 64, at=NOW + minutes * MINUTE)
        assert work.failures.of_both("a" * 64, "y" * 64, NOW - MINUTE) == (1, NOW + MINUTE)
        work.failures.clear("a" * 64, "y" * 64)
        assert work.failures.of_both("a" * 64, "y" * 64, NOW - MINUTE) == (0, None)
        assert work.failures.of_account("a" * 64, NOW - MINUTE) == (1, NOW)
        assert work.failures.of_address("x" * 64, NOW - MINUTE)[0] == 2


def test_an_account_knows_the_addresses_of_its_newest_sign_ins(store: Store) -> None:
    home, hotel = ("a" * 64, "x" * 64), ("a" * 64, "y" * 64)
    with store.write() as work:
        for at in (NOW, NOW + 2 * MINUTE):
            work.known_addresses.note(*home, at)
        work.known_addresses.note(*hotel, NOW)
        assert work.known_addresses.has(*home, NOW + MINUTE)
        assert not work.known_addresses.has(*hotel, NOW), "the moment itself is left out"
        assert not work.known_addresses.has("b" * 64, "x" * 64, NOW - MINUTE)
        work.known_addresses.purge(NOW + MINUTE)
        assert [work.known_addresses.has(*pair, NOW - MINUTE) for pair in (home, hotel)] == [True, False]
        work.known_addresses.clear_account("a" * 64)
        assert not work.known_addresses.has(*home, NOW - MINUTE)

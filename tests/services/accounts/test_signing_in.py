"""Signing in and out, on both databases."""

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

import core.services.accounts.signing_in as module
from core.domain.accounts import Identity, Role
from core.domain.errors import LockedOutError, NotAllowedError, SignInRefusedError
from core.services.accounts.passwords import check_password, hash_password
from core.services.accounts.signing_in import SignInService
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.services.recording import Clock, Recorded, add_user, recording_store

SECRET = b"s" * 40
PASSWORD = "three pores in 4 welds"
HOME = "192.0.2.7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def store(engine: Engine, clock: Clock, recorded: Recorded) -> Store:
    return recording_store(engine, clock, recorded)


@pytest.fixture
def service(store: Store) -> SignInService:
    add_user(store, "inspector", PASSWORD)
    return SignInService(store, SECRET, idle=timedelta(minutes=60), absolute=timedelta(hours=12), cost=4)


def test_nobody_is_locked_out_by_what_a_clock_that_ran_ahead_noted(
    service: SignInService, clock: Clock
) -> None:
    clock.pass_(days=1)
    for _ in range(6):
        with pytest.raises(SignInRefusedError):
            service.verify("inspector", "wrong", HOME)
    with pytest.raises(LockedOutError):
        service.verify("inspector", PASSWORD, HOME)
    clock.pass_(days=-1)
    assert service.verify("inspector", PASSWORD, HOME)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Every hash that bcrypt was asked about."""
    asked: list[str | None] = []

    def check(password: str, password_hash: str | None, *, cost: int) -> bool:
        asked.append(password_hash)
        return check_password(password, password_hash, cost=cost)

    monkeypatch.setattr(module, "check_password", check)
    return asked


def signed_in(service: SignInService, name: str = "inspector") -> str:
    """The token of a new session."""
    return service.exchange(service.verify(name, PASSWORD, HOME), "Browser")


def refused(service: SignInService, name: str = "inspector", address: str = HOME) -> SignInRefusedError:
    with pytest.raises(SignInRefusedError) as error:
        service.verify(name, "a wrong password", address)
    return error.value


@ON_EACH_DATABASE
def test_name_and_password_lead_to_a_session_that_says_who_it_is(service: SignInService) -> None:
    identity = service.who(signed_in(service))
    assert identity is not None
    assert (identity.name, identity.role, identity.must_change_password) == (
        "inspector",
        Role.INSPECTOR,
        False,
    )
    assert identity.session_id == service.sessions_of(identity.user_id)[0].session_id


@pytest.mark.parametrize("name", ["INSPECTOR", "  Inspector "])
def test_letter_case_and_spaces_around_the_name_do_not_matter(service: SignInService, name: str) -> None:
    assert service.who(signed_in(service, name))


def test_every_refusal_reads_alike_and_takes_one_bcrypt(
    service: SignInService, store: Store, counted: list[str | None]
) -> None:
    add_user(store, "gone", PASSWORD, is_active=False)
    add_user(store, "outsider", None)
    said = set()
    for name, password in (
        ("inspector", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("outsider", ""),
        ("outsider", PASSWORD),
        ("", ""),
        ("x" * 5000, "y" * 5000),
        ("a\0b", "a\0b"),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(SignInRefusedError) as error:
            service.verify(name, password, f"192.0.2.{len(counted)}")
        said.add(str(error.value))
    assert len(said) == 1
    assert len(counted) == 9


def test_an_accepted_sign_in_takes_one_bcrypt_too(service: SignInService, counted: list[str | None]) -> None:
    service.verify("inspector", PASSWORD, HOME)
    assert len(counted) == 1


@ON_EACH_DATABASE
def test_the_fifth_refusal_locks_the_account_and_the_delay_grows(
    service: SignInService, clock: Clock, counted: list[str | None]
) -> None:
    assert [type(refused(service)) for _ in range(4)] == [SignInRefusedError] * 4
    for delay_s in (30, 60, 120):
        error = refused(service)
        assert isinstance(error, LockedOutError)
        assert error.retry_after_s == delay_s
        clock.pass_(seconds=delay_s - 1)
        n_checked = len(counted)
        with pytest.raises(LockedOutError) as still:
            service.verify("inspector", PASSWORD, HOME)  # not even the right one
        assert still.value.retry_after_s == 1
        assert len(counted) == n_checked
        clock.pass_(seconds=1)
    assert service.verify("inspector", PASSWORD, HOME)


def test_waiting_attempts_do_not_prolong_the_delay(service: SignInService, clock: Clock) -> None:
    for _ in range(5):
        refused(service)
    for _ in range(29):
        clock.pass_(seconds=1)
        refused(service)
    clock.pass_(seconds=1)
    assert service.verify("inspector", PASSWORD, HOME)


def test_an_unknown_name_is_locked_out_like_a_known_one(service: SignInService) -> None:
    errors = [refused(service, "nobody") for _ in range(6)]
    assert [isinstance(error, LockedOutError) for error in errors] == [False] * 4 + [True] * 2


def test_other_addresses_do_not_help_for_long_against_a_locked_account(service: SignInService) -> None:
    errors = [refused(service, address=f"198.51.100.{n // 4}") for n in range(21)]
    assert [isinstance(error, LockedOutError) for error in errors] == [False] * 19 + [True] * 2


def test_an_address_is_locked_out_after_twenty_names_and_others_are_not(service: SignInService) -> None:
    errors = [refused(service, f"guess{n}") for n in range(20)]
    assert [isinstance(error, LockedOutError) for error in errors] == [False] * 19 + [True]
    with pytest.raises(LockedOutError):
        service.verify("inspector", PASSWORD, HOME)
    assert service.verify("inspector", PASSWORD, "198.51.100.1")


def test_signing_in_forgets_the_refusals_of_the_account(service: SignInService) -> None:
    for _ in range(3):
        for _ in range(4):
            assert not isinstance(refused(service), LockedOutError)
        service.verify("inspector", PASSWORD, HOME)


@ON_EACH_DATABASE
def test_many_guesses_at_once_get_no_more_looks_than_one_after_the_other(
    service: SignInService, counted: list[str | None]
) -> None:
    def guess() -> None:
        with pytest.raises(SignInRefusedError):
            service.verify("inspector", "a wrong password", HOME)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counted) == 5


def test_the_log_has_every_attempt_and_never_what_was_typed(
    service: SignInService, recorded: Recorded, clock: Clock
) -> None:
    refused(service, "mytypedpassword")
    refused(service)
    service.verify("inspector", PASSWORD, HOME)
    assert [(who, action, details.get("reason")) for who, action, _, details in recorded.events] == [
        ("unknown", "sign_in.refused", "unknown user"),
        ("u-0000000inspector", "sign_in.refused", "wrong password"),
        ("u-0000000inspector", "sign_in.accepted", None),
    ]
    assert "typed" not in str(recorded.events)
    assert HOME not in str(recorded.events)


def test_a_flood_against_a_locked_account_is_one_line_for_each_lock_out(
    service: SignInService, recorded: Recorded, clock: Clock
) -> None:
    for _ in range(5):
        refused(service)
    for _ in range(50):
        refused(service)
    assert [details["reason"] for *_, details in recorded.events].count("locked out") == 1
    clock.pass_(seconds=31)
    refused(service)
    refused(service)
    assert [details["reason"] for *_, details in recorded.events].count("locked out") == 2


def test_a_ticket_is_good_once(service: SignInService) -> None:
    ticket = service.verify("inspector", PASSWORD, HOME)
    service.exchange(ticket, "Browser")
    with pytest.raises(SignInRefusedError, match="sign in again"):
        service.exchange(ticket, "Browser")


@pytest.mark.parametrize(("seconds", "is_good"), [(29, True), (30, False)])
def test_a_ticket_is_good_for_half_a_minute(
    service: SignInService, clock: Clock, seconds: int, is_good: bool
) -> None:
    ticket = service.verify("inspector", PASSWORD, HOME)
    clock.pass_(seconds=seconds)
    if is_good:
        assert service.exchange(ticket, "Browser")
    else:
        with pytest.raises(SignInRefusedError):
            service.exchange(ticket, "Browser")


@ON_EACH_DATABASE
def test_one_ticket_exchanged_at_once_makes_one_session(service: SignInService) -> None:
    ticket, got = service.verify("inspector", PASSWORD, HOME), []

    def exchange() -> None:
        with contextlib.suppress(SignInRefusedError):
            got.append(service.exchange(ticket, "Browser"))

    threads = [threading.Thread(target=exchange) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


@pytest.mark.parametrize("ticket", ["", "nonsense", "é", "x" * 10_000])
def test_what_is_no_ticket_is_refused(service: SignInService, ticket: str) -> None:
    with pytest.raises(SignInRefusedError):
        service.exchange(ticket, "Browser")


def test_a_ticket_is_void_when_the_password_was_changed_or_the_account_disabled(
    service: SignInService, store: Store
) -> None:
    for change in (
        lambda work, user_id: work.users.set_password(user_id, "x", must_change=False),
        lambda work, user_id: work.users.set_active(user_id, False),
    ):
        ticket = service.ticket_for("u-0000000inspector")
        with store.write() as work:
            change(work, "u-0000000inspector")
        with pytest.raises(SignInRefusedError):
            service.exchange(ticket, "Browser")


def test_an_identity_providers_token_makes_one_session_only(service: SignInService) -> None:
    assert service.ticket_for("u-0000000inspector", oidc_token="header.claims.signature")
    with pytest.raises(SignInRefusedError, match="used already"):
        service.ticket_for("u-0000000inspector", oidc_token="header.claims.signature")
    assert service.ticket_for("u-0000000inspector", oidc_token="header.later.signature")


def test_there_is_no_ticket_for_nobody_or_for_a_disabled_account(
    service: SignInService, store: Store
) -> None:
    gone = add_user(store, "gone", PASSWORD, is_active=False)
    for user_id in ("u-none", gone.user_id):
        with pytest.raises(SignInRefusedError):
            service.ticket_for(user_id)


@pytest.mark.parametrize("token", [None, "", "nonsense", "é", "x" * 10_000])
def test_what_is_no_token_is_nobody(service: SignInService, token: str | None) -> None:
    assert service.who(token) is None


def test_neither_token_nor_ticket_is_in_the_database(service: SignInService, store: Store) -> None:
    ticket = service.verify("inspector", PASSWORD, HOME)
    token = service.exchange(ticket, "Browser")
    with store.engine.connect() as connection:
        rows = [
            str(row)
            for table in ("sessions", "sign_in_tickets", "sign_in_failures")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert rows
    assert not [row for row in rows if token in row or ticket in row]


def test_another_secret_knows_none_of_the_sessions(service: SignInService, store: Store) -> None:
    other = SignInService(store, b"o" * 40, idle=timedelta(hours=1), absolute=timedelta(hours=1), cost=4)
    assert other.who(signed_in(service)) is None


def test_signing_out_ends_this_session_and_no_other(service: SignInService, recorded: Recorded) -> None:
    here, there = signed_in(service), signed_in(service)
    service.sign_out(here)
    assert service.who(here) is None
    assert service.who(there)
    service.sign_out(here)  # nothing happens
    assert recorded.actions().count("session.ended") == 1


@pytest.mark.parametrize(("minutes", "is_on"), [(59, True), (60, False)])
def test_a_session_that_does_nothing_ends(
    service: SignInService, clock: Clock, recorded: Recorded, minutes: int, is_on: bool
) -> None:
    token = signed_in(service)
    clock.pass_(minutes=minutes)
    assert (service.who(token) is not None) is is_on
    assert service.who(token) is None or is_on
    assert recorded.actions().count("session.ended") == (0 if is_on else 1)


def test_use_keeps_a_session_but_polling_does_not(service: SignInService, clock: Clock) -> None:
    used, polled = signed_in(service), signed_in(service)
    for _ in range(3):
        clock.pass_(minutes=25)
        assert service.who(used)
        service.who(polled, touch=False)
    assert service.who(polled, touch=False) is None


def test_a_session_ends_after_its_longest_time_however_busy(service: SignInService, clock: Clock) -> None:
    token = signed_in(service)
    for _ in range(23):
        clock.pass_(minutes=30)
        assert service.who(token)
    clock.pass_(minutes=30)
    assert service.who(token) is None


def test_use_is_written_down_every_half_minute_at_most(service: SignInService, clock: Clock) -> None:
    token = signed_in(service)
    began = clock.now
    clock.pass_(seconds=30)
    service.who(token)
    assert service.sessions_of("u-0000000inspector")[0].seen_at == began
    clock.pass_(seconds=1)
    service.who(token)
    assert service.sessions_of("u-0000000inspector")[0].seen_at == clock.now


def test_the_role_is_the_one_of_now(service: SignInService, store: Store) -> None:
    token = signed_in(service)
    with store.write() as work:
        work.users.set_role("u-0000000inspector", Role.ANNOTATOR)
    identity = service.who(token)
    assert identity is not None
    assert identity.role is Role.ANNOTATOR


@ON_EACH_DATABASE
def test_disabling_and_a_new_password_end_every_session_at_once(service: SignInService, store: Store) -> None:
    one, two = signed_in(service), signed_in(service)
    with store.write() as work:
        work.users.set_password("u-0000000inspector", hash_password(PASSWORD, cost=4), must_change=False)
    assert service.who(one) is None
    assert service.who(two, touch=False) is None
    three = signed_in(service)
    with store.write() as work:
        work.users.set_active("u-0000000inspector", False)
        work.users.set_active("u-0000000inspector", True)
    assert service.who(three) is None


def test_a_password_that_must_be_changed_is_said_with_the_identity(
    service: SignInService, store: Store
) -> None:
    add_user(store, "fresh", PASSWORD, must_change_password=True)
    identity = service.who(signed_in(service, "fresh"))
    assert identity is not None
    assert identity.must_change_password


def test_everybody_ends_their_own_sessions_and_admins_those_of_others(service: SignInService) -> None:
    mine, other = signed_in(service), signed_in(service)
    identity = service.who(mine)
    assert identity is not None
    assert service.end_sessions(identity, identity.user_id, "asked", keep=identity.session_id) == 1
    assert service.who(mine)
    assert service.who(other) is None
    stranger = replace(identity, user_id="u-other")
    with pytest.raises(NotAllowedError):
        service.end_sessions(stranger, identity.user_id, "asked")
    admin = Identity("u-admin", "admin", Role.ADMIN)
    assert service.end_sessions(admin, identity.user_id, "asked") == 1
    assert service.who(mine) is None


@ON_EACH_DATABASE
def test_the_list_of_sessions_holds_the_good_ones_only(service: SignInService, clock: Clock) -> None:
    signed_in(service)
    clock.pass_(minutes=90)
    signed_in(service)
    assert len(service.sessions_of("u-0000000inspector")) == 1
    assert service.sessions_of("u-none") == []


def test_what_the_browser_calls_itself_is_kept_short_and_printable(service: SignInService) -> None:
    service.exchange(service.verify("inspector", PASSWORD, HOME), "Browser\0\n" + "x" * 500)
    (stored,) = service.sessions_of("u-0000000inspector")
    assert stored.agent == ("Browser" + "x" * 500)[:120]

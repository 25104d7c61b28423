"""Passwords guessed at a known name: who has to wait, and who never does."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine

from core.domain.accounts import Identity
from core.domain.errors import LockedOutError, SignInRefusedError
from core.keys import Purpose, derive
from core.services.accounts.attempts import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, Attempts
from core.services.accounts.own_account import OwnAccountService
from core.services.accounts.passwords import check_password, hash_password
from core.services.accounts.signing_in import SignInService
from core.store.unit_of_work import Store
from tests.services.recording import Clock, Recorded, add_user, recording_store

SECRET = b"s" * 40
PASSWORD, WRONG = "three pores in 4 welds", "a wrong password"
DESK, ELSEWHERE, HOTEL = "192.0.2.7", "198.51.100.1", "203.0.113.9"
NAME = "inspector"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> Store:
    made = recording_store(engine, clock, Recorded())
    add_user(made, NAME, PASSWORD)
    return made


@pytest.fixture
def signing_in(store: Store) -> SignInService:
    return SignInService(store, SECRET, idle=timedelta(minutes=60), absolute=timedelta(hours=12), cost=4)


@pytest.fixture
def own(store: Store) -> OwnAccountService:
    return OwnAccountService(
        store,
        attempts=Attempts(store, derive(SECRET, Purpose.CLIENT)),
        check=partial(check_password, cost=4),
        make_hash=partial(hash_password, cost=4),
    )


def session_at(signing_in: SignInService, address: str) -> Identity:
    identity = signing_in.who(signing_in.exchange(signing_in.verify(NAME, PASSWORD, address), "Browser"))
    assert identity is not None
    return identity


def guess(signing_in: SignInService, address: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefusedError):
            signing_in.verify(NAME, WRONG, address)


@pytest.mark.parametrize("address", [ELSEWHERE, DESK])
def test_wrong_passwords_typed_for_a_name_never_keep_its_owner_from_signing(
    signing_in: SignInService, own: OwnAccountService, address: str
) -> None:
    inspector = session_at(signing_in, DESK)
    guess(signing_in, address, 40)
    own.confirm_password(inspector, PASSWORD, address=DESK)


def test_guesses_from_many_addresses_do_not_keep_the_owner_from_signing_or_signing_in_at_the_desk(
    signing_in: SignInService, own: OwnAccountService
) -> None:
    inspector = session_at(signing_in, DESK)
    for n in range(60):
        guess(signing_in, f"198.51.100.{n}", 1)
    own.confirm_password(inspector, PASSWORD, address=DESK)
    session_at(signing_in, DESK)


def test_one_address_that_guesses_has_to_wait_before_the_name_has_to(signing_in: SignInService) -> None:
    guess(signing_in, ELSEWHERE, FREE_BY_ACCOUNT + 1)
    with pytest.raises(LockedOutError):
        signing_in.verify(NAME, PASSWORD, ELSEWHERE)
    session_at(signing_in, HOTEL)


def test_a_name_that_many_addresses_guess_at_has_to_wait_at_a_strange_one(signing_in: SignInService) -> None:
    session_at(signing_in, DESK)
    for n in range(FREE_BY_ADDRESS + 1):
        guess(signing_in, f"198.51.100.{n}", 1)
    with pytest.raises(LockedOutError):
        signing_in.verify(NAME, PASSWORD, HOTEL)


def test_colleagues_behind_one_address_do_not_lock_out_who_works_there(signing_in: SignInService) -> None:
    session_at(signing_in, DESK)
    for n in range(FREE_BY_ADDRESS + 5):
        with pytest.raises(SignInRefusedError):
            signing_in.verify(f"colleague{n}", WRONG, DESK)
    session_at(signing_in, DESK)


def test_a_desk_is_known_for_a_while_only(signing_in: SignInService, clock: Clock) -> None:
    session_at(signing_in, DESK)
    clock.pass_(days=61)
    for n in range(FREE_BY_ADDRESS + 1):
        guess(signing_in, f"198.51.100.{n}", 1)
    with pytest.raises(LockedOutError):
        signing_in.verify(NAME, PASSWORD, DESK)


def test_guesses_in_a_session_that_was_left_open_delay_that_session_alone(
    signing_in: SignInService, own: OwnAccountService
) -> None:
    left_open, at_work = session_at(signing_in, HOTEL), session_at(signing_in, DESK)
    for _ in range(FREE_BY_ACCOUNT + 1):
        with pytest.raises(SignInRefusedError):
            own.confirm_password(left_open, WRONG, address=HOTEL)
    with pytest.raises(LockedOutError):  # the right one does not help: guessing shows nothing
        own.confirm_password(left_open, PASSWORD, address=HOTEL)
    own.confirm_password(at_work, PASSWORD, address=DESK)
    session_at(signing_in, HOTEL)


def test_signing_in_at_the_desk_gives_a_guesser_elsewhere_no_new_guesses(signing_in: SignInService) -> None:
    guess(signing_in, ELSEWHERE, FREE_BY_ACCOUNT + 1)
    session_at(signing_in, DESK)
    with pytest.raises(LockedOutError):
        signing_in.verify(NAME, WRONG, ELSEWHERE)

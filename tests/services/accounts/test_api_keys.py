"""API keys: in whose name they act, what they may do, and when they end."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.api_keys import Scope
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError, UnknownUserError
from core.domain.permissions import Action, require
from core.services.accounts.accounts import AccountService
from core.services.accounts.api_answers import ApiAnswerService, RepeatedRequestError
from core.services.accounts.api_keys import ApiKeyService
from core.store.database import open_database
from core.store.unit_of_work import Store
from tests.empty_stores import copy_empty_database
from tests.records import new_store

ADMIN = Identity("u-0", "boss", Role.ADMIN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_database(copy_empty_database(tmp_path / "radikal.db"))
    store = new_store(engine)
    accounts(store).add(COMMAND_LINE, "station", "Station 3", Role.INSPECTOR, "three pores in 4 welds")
    with store.write() as work:
        user = work.users.named("station")
        assert user is not None
        work.users.set_password(user.user_id, "x", must_change=False)
    yield store
    engine.dispose()


@pytest.fixture
def keys(store: Store) -> ApiKeyService:
    return ApiKeyService(store)


def accounts(store: Store) -> AccountService:
    return AccountService(store, account_key=str, make_hash=lambda _: "x")


def identity_of(keys: ApiKeyService, *scopes: Scope) -> Identity:
    """Whoever acts with a new key of these scopes."""
    issued = keys.add(COMMAND_LINE, "station", "cell 3", scopes, days=30)
    identity = keys.who(issued.token)
    assert identity is not None
    return identity


def test_a_key_acts_as_its_account_within_its_scopes(keys: ApiKeyService) -> None:
    identity = identity_of(keys, Scope.DETECT)
    assert (identity.name, identity.role, identity.scopes) == ("station", Role.INSPECTOR, {Scope.DETECT})
    require(identity, Action.IMAGES_ADD)
    with pytest.raises(NotAllowedError, match="scopes of this API key"):
        require(identity, Action.INSPECTIONS_READ)


def test_scopes_give_no_right_that_the_role_lacks(keys: ApiKeyService) -> None:
    with pytest.raises(NotAllowedError, match="the role Inspector may not promote"):
        require(identity_of(keys, *Scope), Action.MODELS_PROMOTE)


@pytest.mark.parametrize(
    "action",
    [Action.SIGNATURES_ADD, Action.REVIEWS_ADD, Action.PASSWORD_CHANGE, Action.USERS_MANAGE,
     Action.API_KEYS_MANAGE, Action.MODELS_CONSENT],
)  # fmt: skip
def test_no_key_does_what_needs_a_person(keys: ApiKeyService, store: Store, action: Action) -> None:
    for role in (Role.REVIEWER, Role.ADMIN):
        identity = identity_of(keys, *Scope)
        with pytest.raises(NotAllowedError, match="scopes of this API key"):
            require(Identity(identity.user_id, "x", role, scopes=identity.scopes), action)


def test_the_key_itself_is_nowhere_in_the_database(keys: ApiKeyService, store: Store) -> None:
    issued = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.READ], days=30)
    with store.read() as work:
        dump = "\n".join(work._session.connection().connection.iterdump())
    assert issued.key.key_id in dump
    assert issued.token not in dump
    assert issued.token.removeprefix("radikal_") not in dump


def test_a_revoked_an_expired_and_an_unknown_key_are_refused(keys: ApiKeyService, store: Store) -> None:
    issued = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.READ], days=1)
    for wrong in ("", "radikal_x", issued.token[:-1], issued.token + "x", "radikal_é", "x" * 5000):
        assert keys.who(wrong) is None
    clock, store._clock = store._clock, lambda: issued.key.expires_at - timedelta(seconds=1)
    assert keys.who(issued.token) is not None
    store._clock = lambda: issued.key.expires_at
    assert keys.who(issued.token) is None
    store._clock = clock
    keys.revoke(COMMAND_LINE, issued.key.key_id)
    assert keys.who(issued.token) is None
    assert list(keys.all(COMMAND_LINE).states.values()) == ["revoked"]


def test_a_disabled_account_takes_its_keys_along(keys: ApiKeyService, store: Store) -> None:
    issued = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.READ], days=30)
    accounts(store).disable(COMMAND_LINE, issued.key.user_id)
    assert keys.who(issued.token) is None


def test_the_last_use_is_shown(keys: ApiKeyService) -> None:
    issued = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.READ], days=30)
    assert keys.all(COMMAND_LINE).keys[0].last_used_at is None
    keys.who(issued.token)
    assert keys.all(COMMAND_LINE).keys[0].last_used_at is not None


def test_what_cannot_be_a_key_is_refused(keys: ApiKeyService) -> None:
    for name, scopes, days in (
        ("", [Scope.READ], 1),
        ("x", [], 1),
        ("x", [Scope.READ], 0),
        ("x" * 81, [Scope.READ], 1),
    ):
        with pytest.raises(BadInputError):
            keys.add(COMMAND_LINE, "station", name, scopes, days=days)
    with pytest.raises(UnknownUserError):
        keys.add(COMMAND_LINE, "nobody", "x", [Scope.READ], days=1)
    with pytest.raises(UnknownRecordError):
        keys.revoke(COMMAND_LINE, "k-0")


def test_what_a_key_does_is_told_with_its_id_in_the_audit_log(keys: ApiKeyService, store: Store) -> None:
    identity = identity_of(keys, Scope.READ)
    with store.write() as work:
        work.audit.record(identity, action="x.done", object_type="x", object_id="1", details={"n": 1})
    with store.read() as work:
        events = {event.action: dict(event.details) for event in work.audit.rows()}
    assert events["x.done"] == {"n": 1, "api_key": identity.api_key}
    assert events["api_key.added"]["scopes"] == ["read"]


def test_a_request_that_comes_twice_is_done_once(keys: ApiKeyService, store: Store) -> None:
    identity, answers, done = identity_of(keys, Scope.DETECT), ApiAnswerService(store), []

    def do() -> tuple[int, dict[str, int]]:
        done.append(1)
        return 200, {"n": len(done)}

    assert answers.once(identity, "order-1", "a" * 64, do) == (200, {"n": 1})
    assert answers.once(identity, "order-1", "a" * 64, do) == (200, {"n": 1})
    assert answers.once(identity, "order-2", "a" * 64, do) == (200, {"n": 2})
    with pytest.raises(RepeatedRequestError, match="another request") as told:
        answers.once(identity, "order-1", "b" * 64, do)
    assert told.value.is_other


def test_a_request_that_failed_may_come_again_and_one_under_way_may_not(
    keys: ApiKeyService, store: Store
) -> None:
    identity, answers = identity_of(keys, Scope.DETECT), ApiAnswerService(store)

    def fail() -> tuple[int, dict[str, int]]:
        with pytest.raises(RepeatedRequestError, match="still being worked on"):
            answers.once(identity, "order-1", "a" * 64, lambda: (200, {}))
        raise BadInputError("no")

    with pytest.raises(BadInputError):
        answers.once(identity, "order-1", "a" * 64, fail)
    assert answers.once(identity, "order-1", "a" * 64, lambda: (200, {"n": 1})) == (200, {"n": 1})

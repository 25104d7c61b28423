"""What served when, and requests to promote, on a real database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.domain.accounts import Role
from core.domain.errors import UnknownRecordError
from core.domain.records import new_id
from core.domain.serving import ChangeKind, PromotionRequest, RequestState, ServingChange
from core.store.unit_of_work import Store
from tests.records import START, add_user, new_store

GATE = {"is_green": False, "reasons": ["recall is worse"]}


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


def change(version: int, hours: float = 0, *, alias: str = "champion", model: str = "weld") -> ServingChange:
    return ServingChange(
        change_id=new_id(),
        model_name=model,
        alias=alias,
        version=version,
        model_sha256="ab" * 32,
        previous_version=None,
        kind=ChangeKind.PROMOTED,
        changed_at=START + timedelta(hours=hours),
        gate=GATE,
        note="why",
    )


def request(by: str) -> PromotionRequest:
    return PromotionRequest(
        request_id=new_id(),
        model_name="weld",
        alias="champion",
        version=2,
        model_sha256="ab" * 32,
        current_version=1,
        gate=GATE,
        note="the old one crashes",
        state=RequestState.OPEN,
        requested_by=by,
        requested_at=START,
    )


def test_changes_come_back_as_they_were_kept_oldest_first(store: Store) -> None:
    made = [change(1), change(2, 1), change(1, 2, alias="challenger")]
    with store.write() as work:
        for one in reversed(made):
            work.serving.hold()
            work.serving.add(one)
        work.serving.add(change(7, model="casting"))
    with store.read() as work:
        found = work.serving.of("weld")
        assert sorted(found, key=lambda one: one.change_id) == sorted(
            [made[1], made[2], replace(made[0], changed_at=made[1].changed_at + timedelta(microseconds=1))],
            key=lambda one: one.change_id,
        ), "what is kept later is later, whatever the clock says"
        assert found[0].gate == GATE
        assert {alias: one.version for alias, one in work.serving.newest("weld").items()} == {
            "champion": 1,
            "challenger": 1,
        }


@pytest.mark.parametrize(("hours", "version"), [(-0.1, None), (0, 1), (0.5, 1), (1, 2), (9, 2)])
def test_any_moment_has_its_answer(store: Store, hours: float, version: int | None) -> None:
    with store.write() as work:
        work.serving.add(change(1))
        work.serving.add(change(2, 1))
        work.serving.add(change(3, 0.5, alias="challenger"))
    with store.read() as work:
        found = work.serving.at("weld", "champion", START + timedelta(hours=hours))
        assert (found and found.version) == version


@pytest.mark.parametrize(
    "statement", ["UPDATE serving_changes SET version = 9", "DELETE FROM serving_changes"]
)
def test_the_database_refuses_to_change_what_served(store: Store, statement: str) -> None:
    with store.write() as work:
        work.serving.add(change(1))
    with pytest.raises(DBAPIError), store.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_request_is_open_until_somebody_closes_it(store: Store) -> None:
    engineer, reviewer = add_user(store, Role.ML_ENGINEER), add_user(store, Role.REVIEWER)
    asked = request(engineer.user_id)
    with store.write() as work:
        work.promotion_requests.add(asked)
    with store.read() as work:
        assert work.promotion_requests.open_of("weld") == [asked]
        assert work.promotion_requests.open_of("casting") == []
    with store.write() as work:
        work.promotion_requests.close(
            asked.request_id, RequestState.GRANTED, by=reviewer.user_id, at=START + timedelta(hours=1)
        )
    with store.read() as work:
        assert work.promotion_requests.open_of("weld") == []
        found = work.promotion_requests.find(asked.request_id)
        assert (found.state, found.closed_by) == (RequestState.GRANTED, reviewer.user_id)
        with pytest.raises(UnknownRecordError):
            work.promotion_requests.find("nothing")


def test_the_database_refuses_that_one_person_grants_their_own_request(store: Store) -> None:
    engineer = add_user(store, Role.ML_ENGINEER)
    asked = request(engineer.user_id)
    with store.write() as work:
        work.promotion_requests.add(asked)
    with pytest.raises(IntegrityError), store.write() as work:
        work.promotion_requests.close(asked.request_id, RequestState.GRANTED, by=engineer.user_id, at=START)

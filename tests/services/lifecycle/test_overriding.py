"""Overriding the gate takes two people."""

from pathlib import Path

import pytest

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError, UnknownRecordError
from core.services.lifecycle.alias_moves import Move
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.services.promotions import Promotions

WANTED = Move("weld", 2, seen=1, note="the customer needs the new classes")


@pytest.fixture
def at(store: Store, tmp_path: Path) -> Promotions:
    made = Promotions(store, tmp_path)
    made.serving.observe()
    made.refuse(2)
    return made


@ON_EACH_DATABASE
@pytest.mark.parametrize("role", [Role.ML_ENGINEER, Role.REVIEWER, Role.ADMIN])
def test_a_second_person_lets_it_serve_and_both_are_kept(at: Promotions, role: Role) -> None:
    second = at.person(role)
    request = at.overriding.ask(at.engineer, WANTED)
    assert at.registry.aliases("weld") == {"champion": 1}, "asking changes nothing"
    assert at.overriding.waiting(second, "weld") == [(request, at.engineer.name)]
    change = at.overriding.consent(second, request.request_id)
    assert at.registry.aliases("weld") == {"champion": 2}
    assert (change.changed_by, change.consent_by) == (at.engineer.user_id, second.user_id)
    assert (change.note, change.gate["is_green"]) == (WANTED.note, False)
    assert at.rows()[-1] == ("overridden", 1, 2)
    assert at.overriding.waiting(second, "weld") == []
    assert at.actions()[-3:] == [
        "model.override_requested",
        "model.override_granted",
        "model.overridden",
    ]
    with pytest.raises(BadInputError, match="granted already"):
        at.overriding.consent(second, request.request_id)


def test_nobody_consents_to_their_own_request(at: Promotions) -> None:
    request = at.overriding.ask(at.engineer, WANTED)
    with pytest.raises(NotAllowedError, match="second person"):
        at.overriding.consent(at.engineer, request.request_id)
    assert at.registry.aliases("weld") == {"champion": 1}


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.ANNOTATOR])
def test_other_roles_do_not_consent(at: Promotions, role: Role) -> None:
    request = at.overriding.ask(at.engineer, WANTED)
    with pytest.raises(NotAllowedError):
        at.overriding.consent(at.person(role), request.request_id)


def test_an_override_needs_a_note_a_person_and_a_gate_that_refuses(at: Promotions) -> None:
    with pytest.raises(BadInputError, match="needs a note"):
        at.overriding.ask(at.engineer, Move("weld", 2, seen=1, note=" "))
    with pytest.raises(BadInputError, match="gate is green"):
        at.overriding.ask(at.engineer, Move("weld", 3, seen=1, note="why not"))
    with pytest.raises(NotAllowedError, match="a person has to ask"):
        at.overriding.ask(COMMAND_LINE, WANTED)
    with pytest.raises(NotAllowedError):
        at.overriding.ask(at.reviewer, WANTED)
    with pytest.raises(StaleVersionError):
        at.overriding.ask(at.engineer, Move("weld", 2, seen=3, note="why not"))


@ON_EACH_DATABASE
def test_the_same_is_not_asked_for_twice(at: Promotions) -> None:
    at.overriding.ask(at.engineer, WANTED)
    with pytest.raises(BadInputError, match="asked for already"):
        at.overriding.ask(at.engineer, WANTED)


@ON_EACH_DATABASE
def test_a_request_is_declined_by_another_and_withdrawn_by_oneself(at: Promotions) -> None:
    declined = at.overriding.ask(at.engineer, WANTED)
    at.overriding.refuse(at.reviewer, declined.request_id)
    withdrawn = at.overriding.ask(at.engineer, WANTED)
    at.overriding.refuse(at.engineer, withdrawn.request_id)
    assert at.actions()[-3:] == [
        "model.override_declined",
        "model.override_requested",
        "model.override_withdrawn",
    ]
    with pytest.raises(BadInputError, match="declined already"):
        at.overriding.consent(at.reviewer, declined.request_id)
    with pytest.raises(UnknownRecordError):
        at.overriding.consent(at.reviewer, "nothing")
    assert at.registry.aliases("weld") == {"champion": 1}


def test_consent_comes_too_late_when_another_version_serves_by_now(at: Promotions) -> None:
    request = at.overriding.ask(at.engineer, WANTED)
    at.promoting.promote(at.engineer, Move("weld", 3, seen=1))
    with pytest.raises(StaleVersionError):
        at.overriding.consent(at.reviewer, request.request_id)
    assert at.registry.aliases("weld") == {"champion": 3}
    assert at.overriding.waiting(at.reviewer, "weld"), "it still waits, to be declined or withdrawn"


def test_who_lost_the_role_cannot_be_consented_to(at: Promotions) -> None:
    request = at.overriding.ask(at.engineer, WANTED)
    with at.store.write() as work:
        work.users.set_role(at.engineer.user_id, Role.INSPECTOR)
    with pytest.raises(NotAllowedError, match="may not promote any more"):
        at.overriding.consent(at.reviewer, request.request_id)

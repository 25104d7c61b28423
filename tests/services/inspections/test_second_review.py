"""The second person: blind first, then side by side, then a signed outcome. Never the same person twice."""

from dataclasses import replace

import pytest

from core.audit.canonical import digest
from core.audit.selection import EventFilter
from core.domain.accounts import Identity, Role
from core.domain.errors import (
    BadInputError,
    ImmutableRecordError,
    NotAllowedError,
    SignInRefusedError,
    StaleVersionError,
)
from core.domain.reading import Call
from core.domain.records import Disposition, InspectionState, ReviewOutcome
from core.services.inspections.inspecting import Decision
from core.services.inspections.second_review import reviewed_content
from core.services.workspaces import Workspace
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import MINE, PASSWORD, add_user, demoted, detection_result

pytestmark = ON_EACH_DATABASE


@pytest.fixture
def reviewer(store: Store) -> Identity:
    return add_user(store, Role.REVIEWER)


@pytest.fixture
def open_id(desk: Workspace, inspector: Identity) -> str:
    """An inspection with a reading and a disposition that nobody signed."""
    inspection_id = desk.inspections.record(inspector, detection_result()).inspection_id
    reading = desk.open_readings.open(inspector, inspection_id).reading
    said = tuple(replace(one, call=Call.CONFIRMED) for one in reading.indications)
    desk.readings.save(inspector, inspection_id, said, expected_version=0)
    desk.inspections.decide(inspector, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    return inspection_id


@pytest.fixture
def signed_id(desk: Workspace, inspector: Identity, open_id: str) -> str:
    desk.signing_off.sign(
        inspector, open_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )
    return open_id


def finish(
    desk: Workspace, reviewer: Identity, signed_id: str, said: Disposition = Disposition.REJECT
) -> None:
    """The own reading and disposition, and the first result seen."""
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    desk.reviews.decide_own(reviewer, signed_id, said, "at 40 mm", expected_version=0)
    desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=1)


def conclude(desk: Workspace, who: Identity, signed_id: str, outcome=ReviewOutcome.CONCURS, **said):
    given = {"password": PASSWORD, "address": "127.0.0.1", **said}
    return desk.reviews.conclude(who, signed_id, outcome, **given)


def test_only_what_others_signed_waits(desk, inspector, reviewer, open_id):
    assert desk.reviews.queue(reviewer) == []
    desk.signing_off.sign(
        inspector, open_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )
    assert [one.inspection_id for one in desk.reviews.queue(reviewer)] == [open_id]


def test_the_own_result_begins_empty_and_every_save_comes_back(desk, reviewer, signed_id):
    own = desk.reviews.own_review(reviewer, signed_id)
    assert (own.reading.indications, own.disposition, own.is_final) == ((), None, False)
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    desk.reviews.decide_own(reviewer, signed_id, Disposition.ACCEPT, "looks fine", expected_version=0)
    back = desk.reviews.own_review(reviewer, signed_id)
    assert back.reading.indications == (MINE,)
    assert (back.disposition, back.note, back.decision_version) == (Disposition.ACCEPT, "looks fine", 1)


def test_the_first_result_is_hidden_until_the_own_is_said(desk, reviewer, signed_id):
    with pytest.raises(BadInputError, match="before you see"):
        desk.reviews.compare(reviewer, signed_id)
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    with pytest.raises(BadInputError, match="before you see"):
        desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=0)
    desk.reviews.decide_own(reviewer, signed_id, Disposition.REJECT, expected_version=0)
    with pytest.raises(BadInputError, match="before you see"):
        desk.reviews.compare(reviewer, signed_id)
    both = desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=1)
    assert both.own.reading.indications == (MINE,)
    assert [one.indication_id for one in both.first.indications] == ["m1"]
    assert both.first.inspection.disposition is Disposition.REJECT


def test_whoever_saw_the_first_result_does_not_change_their_own_any_more(desk, reviewer, signed_id):
    finish(desk, reviewer, signed_id)
    with pytest.raises(ImmutableRecordError, match="unless you change it with a reason"):
        desk.reviews.save_own(reviewer, signed_id, [], expected_version=1)
    with pytest.raises(ImmutableRecordError, match="unless you change it with a reason"):
        desk.reviews.decide_own(reviewer, signed_id, Disposition.ACCEPT, expected_version=2)
    with pytest.raises(ImmutableRecordError, match="unless you change it with a reason"):
        desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=2)
    both = desk.reviews.compare(reviewer, signed_id)
    assert (both.own_disposition, both.own.note) == (Disposition.REJECT, "at 40 mm")


def test_to_see_nothing_is_a_reading_too(desk, reviewer, signed_id):
    desk.reviews.decide_own(reviewer, signed_id, Disposition.ACCEPT, expected_version=0)
    both = desk.reviews.unveil(reviewer, signed_id, expected_reading=0, expected_decision=1)
    assert (both.own.reading.version, both.own.reading.indications) == (1, ())


def test_what_was_saved_in_another_tab_is_not_overwritten(desk, reviewer, signed_id):
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    desk.reviews.decide_own(reviewer, signed_id, Disposition.ACCEPT, expected_version=0)
    with pytest.raises(StaleVersionError):
        desk.reviews.save_own(reviewer, signed_id, [], expected_version=0)
    with pytest.raises(StaleVersionError):
        desk.reviews.decide_own(reviewer, signed_id, Disposition.REJECT, expected_version=0)
    for versions in (
        {"expected_reading": 0, "expected_decision": 1},
        {"expected_reading": 1, "expected_decision": 0},
    ):
        with pytest.raises(StaleVersionError):
            desk.reviews.unveil(reviewer, signed_id, **versions)
    assert not desk.reviews.own_review(reviewer, signed_id).is_final


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (ReviewOutcome.CONCURS, InspectionState.CONCURRED),
        (ReviewOutcome.RETURNS, InspectionState.RETURNED),
    ],
)
def test_the_outcome_is_kept_with_a_signature_that_means_reviewed(
    desk, store, inspector, reviewer, signed_id, outcome, state
):
    finish(desk, reviewer, signed_id)
    review = conclude(desk, reviewer, signed_id, outcome, note=" look at 40 mm ")
    assert (review.outcome, review.note, review.own_version) == (outcome, "look at 40 mm", 1)
    assert desk.inspections.get(inspector, signed_id).state is state
    with store.read() as work:
        first, second = work.signatures.of_inspection(signed_id)
        assert work.reviews.of_inspection(signed_id) == [review]
        (event,) = work.audit.page(EventFilter(action="inspection.reviewed"), limit=5)
    assert (second.meaning, second.signer_id) == ("reviewed", reviewer.user_id)
    assert desk.signing_off.is_intact(second)
    assert not desk.signing_off.is_intact(replace(second, meaning="inspected"))
    assert second.content_sha256 != first.content_sha256
    assert event.details == {"outcome": outcome.value, "own_disposition": "reject"}
    assert desk.reviews.queue(reviewer) == []
    for refused in (
        lambda: conclude(desk, reviewer, signed_id, outcome, note="again"),
        lambda: desk.reviews.own_review(reviewer, signed_id),
        lambda: desk.reviews.compare(reviewer, signed_id),
    ):
        with pytest.raises(ImmutableRecordError):
            refused()


def test_with_another_password_nothing_is_concluded(desk, store, reviewer, signed_id):
    finish(desk, reviewer, signed_id)
    with pytest.raises(SignInRefusedError):
        conclude(desk, reviewer, signed_id, password="guessed")
    with store.read() as work:
        assert work.reviews.of_inspection(signed_id) == []
        assert len(work.signatures.of_inspection(signed_id)) == 1


def test_nothing_is_concluded_unread(desk, reviewer, signed_id):
    with pytest.raises(BadInputError, match="before you see"):
        conclude(desk, reviewer, signed_id)


@pytest.mark.parametrize("note", ["", " "])
def test_returning_says_why(desk, reviewer, signed_id, note):
    finish(desk, reviewer, signed_id)
    with pytest.raises(BadInputError, match="why"):
        conclude(desk, reviewer, signed_id, ReviewOutcome.RETURNS, note=note)


def test_nobody_is_the_second_person_for_themselves(desk, inspector, signed_id):
    promoted = demoted(inspector, Role.REVIEWER)
    assert desk.reviews.queue(promoted) == []
    for refused in (
        lambda: desk.reviews.own_review(promoted, signed_id),
        lambda: desk.reviews.save_own(promoted, signed_id, [], expected_version=0),
        lambda: desk.reviews.decide_own(promoted, signed_id, None, expected_version=0),
        lambda: desk.reviews.unveil(promoted, signed_id, expected_reading=0, expected_decision=0),
        lambda: conclude(desk, promoted, signed_id),
    ):
        with pytest.raises(NotAllowedError, match="second person"):
            refused()


def test_one_reviewers_result_is_not_anothers(desk, store, reviewer, signed_id):
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    other = desk.reviews.own_review(add_user(store, Role.REVIEWER), signed_id)
    assert other.reading.indications == ()


def test_a_result_that_cannot_be_is_refused(desk, reviewer, signed_id):
    with pytest.raises(BadInputError, match="within 96 x 64 px"):
        desk.reviews.save_own(reviewer, signed_id, [replace(MINE, bbox=(0, 0, 200, 5))], expected_version=0)
    with pytest.raises(BadInputError, match="2000 characters"):
        desk.reviews.decide_own(reviewer, signed_id, None, "x" * 2001, expected_version=0)


def change(desk, reviewer, signed_id, reason="the root is open at 40 mm", *, expected_decision=2):
    return desk.reviews.change_own(reviewer, signed_id, reason, expected_decision=expected_decision)


def test_nobody_concurs_with_another_disposition_than_their_own(desk, store, reviewer, signed_id):
    finish(desk, reviewer, signed_id, Disposition.ACCEPT)
    why = "your disposition is accept and the first is reject: return it, or change your own reading"
    assert desk.reviews.compare(reviewer, signed_id).why_not_concur.startswith(why)
    with pytest.raises(BadInputError, match=f"you cannot concur: {why}"):
        conclude(desk, reviewer, signed_id)
    with pytest.raises(BadInputError, match="you cannot concur"):  # before the password is asked for
        conclude(desk, reviewer, signed_id, password="guessed")
    with store.read() as work:
        assert work.reviews.of_inspection(signed_id) == []
        assert len(work.signatures.of_inspection(signed_id)) == 1
    review = conclude(desk, reviewer, signed_id, ReviewOutcome.RETURNS, note="no crack")
    assert review.outcome is ReviewOutcome.RETURNS


def test_a_changed_reading_is_a_new_version_and_the_blind_one_stays_with_the_reason(
    desk, store, reviewer, signed_id
):
    finish(desk, reviewer, signed_id, Disposition.ACCEPT)
    again = change(desk, reviewer, signed_id, " I overlooked the crack ")
    assert (again.is_final, again.disposition, again.note) == (False, Disposition.ACCEPT, "at 40 mm")
    assert again.blind is not None
    assert (again.blind.disposition, again.blind.reason) == (Disposition.ACCEPT, "I overlooked the crack")
    desk.reviews.save_own(reviewer, signed_id, [], expected_version=1)
    desk.reviews.decide_own(reviewer, signed_id, Disposition.REJECT, "crack", expected_version=3)
    with pytest.raises(BadInputError, match="before you see"):
        conclude(desk, reviewer, signed_id)
    both = desk.reviews.unveil(reviewer, signed_id, expected_reading=2, expected_decision=4)
    assert (both.own_disposition, both.own.note, both.why_not_concur) == (Disposition.REJECT, "crack", "")
    assert both.own.reading.indications == ()
    assert both.own.blind.reading.indications == (MINE,)
    review = conclude(desk, reviewer, signed_id)
    assert (review.own_disposition, review.own_version) == (Disposition.ACCEPT, 1)
    assert (review.changed_disposition, review.changed_version) == (Disposition.REJECT, 2)
    assert review.change_reason == "I overlooked the crack"
    with store.read() as work:
        assert work.reviews.of_inspection(signed_id) == [review]
        second = work.signatures.of_inspection(signed_id)[1]
        content = reviewed_content(work, both, review)
        (told,) = work.audit.page(EventFilter(action="review.reopened"), limit=5)
        (end,) = work.audit.page(EventFilter(action="inspection.reviewed"), limit=5)
    assert content["own"]["disposition"] == "accept"
    assert [one["id"] for one in content["own"]["indications"]] == ["h1"]
    changed = content["changed"]
    assert (changed["disposition"], changed["reason"]) == ("reject", "I overlooked the crack")
    content["signed"] = content["signed"][:1]
    assert digest(content) == second.content_sha256
    assert told.object_id == signed_id
    assert end.details["changed_disposition"] == "reject"


def test_a_reading_that_was_changed_twice_keeps_the_blind_one_and_both_reasons(desk, reviewer, signed_id):
    finish(desk, reviewer, signed_id, Disposition.ACCEPT)
    change(desk, reviewer, signed_id, "first")
    desk.reviews.decide_own(reviewer, signed_id, Disposition.REFER, expected_version=3)
    desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=4)
    again = change(desk, reviewer, signed_id, "second", expected_decision=5)
    assert (again.blind.disposition, again.blind.reason) == (Disposition.ACCEPT, "first; second")


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_changing_the_own_reading_takes_a_reason(desk, reviewer, signed_id, reason):
    finish(desk, reviewer, signed_id)
    with pytest.raises(BadInputError, match="say why"):
        change(desk, reviewer, signed_id, reason)
    assert desk.reviews.own_review(reviewer, signed_id).is_final


def test_only_a_final_reading_is_opened_again_and_only_once_at_a_time(desk, reviewer, signed_id):
    with pytest.raises(BadInputError, match="before you see"):
        change(desk, reviewer, signed_id, expected_decision=0)
    finish(desk, reviewer, signed_id)
    with pytest.raises(StaleVersionError):
        change(desk, reviewer, signed_id, expected_decision=1)
    change(desk, reviewer, signed_id)
    with pytest.raises(BadInputError, match="before you see"):
        change(desk, reviewer, signed_id, expected_decision=3)

"""The queue of corrections: it fills by itself, once; leases end; nobody works on another's item."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete

from core.domain.accounts import Identity, Role
from core.domain.correction import Reason
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError, UnknownRecordError
from core.domain.reading import Call
from core.domain.records import Disposition, ReviewOutcome
from core.services.inspections.correction_queue import LEASE, CorrectionQueue
from core.services.inspections.inspecting import Decision
from core.services.workspaces import Workspace, make_workspace
from core.store.database import open_database
from core.store.learning_tables import QueueItemRow
from core.store.queue import QueueFilter, QueueState
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.empty_stores import copy_empty_database
from tests.records import (
    MINE,
    PASSWORD,
    Clock,
    add_user,
    detection_result,
    new_store,
    radiograph,
    store_image,
)

pytestmark = ON_EACH_DATABASE

EVERYTHING = QueueFilter(state=None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock, store: Store) -> Store:
    """The same store, on a clock that the test moves."""
    return Store(engine, open_audit=store._open_audit, clock=clock)


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


@pytest.fixture
def other(store: Store) -> Identity:
    return add_user(store, Role.ML_ENGINEER)


def sign(desk: Workspace, who: Identity, *said, digit: str = "a") -> str:
    """The id of a signed inspection with this reading beside what the model reported, confirmed."""
    inspection_id = desk.inspections.record(who, detection_result(radiograph(digit))).inspection_id
    reading = desk.open_readings.open(who, inspection_id).reading
    rest = [replace(one, call=Call.CONFIRMED) for one in reading.indications]
    given = {one.indication_id for one in said}
    rest = [one for one in rest if one.indication_id not in given]
    desk.readings.save(who, inspection_id, [*rest, *said], expected_version=0)
    desk.inspections.decide(who, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    desk.signing_off.sign(
        who, inspection_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )
    return inspection_id


def listed(desk: Workspace, who: Identity, wanted: QueueFilter = EVERYTHING) -> list[Reason]:
    return [one.reason for one in desk.queue.page(who, wanted).items]


def test_signing_queues_what_differs_at_once_and_the_most_urgent_first(desk, inspector, annotator):
    sign(desk, inspector, MINE)
    # the crack was confirmed, MINE added; the box at 0.3 is near 0.4 and nobody spoke of it
    assert listed(desk, annotator) == [Reason.MISSED, Reason.DOUBTFUL]
    item = desk.queue.page(annotator, EVERYTHING).items[0]
    assert item.boxes[0].bbox == MINE.bbox
    assert item.image_name == "film.png"


def test_the_same_finding_is_queued_once_whoever_comes_to_it_again(desk, store, inspector, annotator):
    sign(desk, inspector, MINE)
    sign(desk, add_user(store), MINE)
    assert listed(desk, annotator) == [Reason.MISSED, Reason.DOUBTFUL]
    assert desk.queue.catch_up(annotator) == 0
    assert desk.queue.catch_up(annotator) == 0


def test_a_review_queues_where_the_readers_differ(desk, store, inspector, annotator):
    signed_id = sign(desk, inspector)
    reviewer = add_user(store, Role.REVIEWER)
    desk.reviews.save_own(reviewer, signed_id, [MINE], expected_version=0)
    desk.reviews.decide_own(reviewer, signed_id, Disposition.REJECT, expected_version=0)
    desk.reviews.unveil(reviewer, signed_id, expected_reading=1, expected_decision=1)
    assert Reason.READERS not in listed(desk, annotator)
    desk.reviews.conclude(reviewer, signed_id, ReviewOutcome.CONCURS, PASSWORD, address="127.0.0.1")
    (item,) = desk.queue.page(annotator, QueueFilter(reason=Reason.READERS)).items
    assert [one.remark for one in item.boxes] == ["the first reader said crack"]


def test_opening_the_queue_finds_toss_ups_of_what_nobody_signed(desk, inspector, annotator):
    desk.inspections.record(inspector, detection_result())
    assert listed(desk, annotator) == []
    assert desk.queue.catch_up(annotator) == 1
    assert listed(desk, annotator) == [Reason.DOUBTFUL]
    assert desk.queue.catch_up(annotator) == 0


def test_a_queue_that_was_not_there_catches_up_with_what_was_signed_before(desk, store, inspector, annotator):
    sign(desk, inspector, MINE)
    with store.write() as work:
        work.queue._session.execute(delete(QueueItemRow))
    assert CorrectionQueue(store).catch_up(annotator) == 2


def test_what_is_taken_is_left_alone_until_its_lease_ends(desk, inspector, annotator, other, clock):
    sign(desk, inspector, MINE)
    taken = desk.queue.take_next(annotator)
    assert taken.reason is Reason.MISSED
    assert desk.queue.take_next(other) is None  # both items are of the one image
    assert desk.queue.take_next(annotator).item_id == taken.item_id
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert desk.queue.take_next(other) is None
    clock.advance(seconds=1)
    assert desk.queue.take_next(other).item_id == taken.item_id
    assert desk.queue.take_next(annotator) is None


def test_whoever_stays_keeps_the_lease_and_sees_who_else_is_there(
    desk, inspector, annotator, other, clock, store
):
    sign(desk, inspector, MINE)
    image = desk.queue.take_next(annotator).image_sha256
    for _ in range(3):
        clock.advance(seconds=LEASE.total_seconds() * 0.8)
        assert desk.queue.hold(annotator, image) == {}
    assert desk.queue.hold(other, image) == {annotator.user_id: "Person 2"}
    assert desk.queue.take_next(other) is None
    desk.queue.release(annotator, image)
    assert desk.queue.hold(other, image) == {}
    assert desk.queue.hold(annotator, image) == {other.user_id: "Person 3"}


def test_holding_writes_only_when_half_of_the_lease_is_gone(desk, inspector, annotator, clock, store):
    sign(desk, inspector, MINE)
    item = desk.queue.take_next(annotator)
    until = desk.queue.get(annotator, item.item_id).lease.until
    clock.advance(seconds=10)
    desk.queue.hold(annotator, item.image_sha256)
    assert desk.queue.get(annotator, item.item_id).lease.until == until
    clock.advance(seconds=LEASE.total_seconds() / 2)
    desk.queue.hold(annotator, item.image_sha256)
    assert desk.queue.get(annotator, item.item_id).lease.until == clock() + LEASE


def test_what_is_meant_for_somebody_is_offered_to_them_first_and_to_nobody_else(
    desk, store, inspector, annotator, other
):
    store_image(store, radiograph("b"))
    sign(desk, inspector, MINE)
    sign(desk, inspector, digit="b")
    doubtful = [one for one in desk.queue.page(annotator, EVERYTHING).items if one.image_sha256[0] == "b"]
    (item,) = doubtful
    desk.queue.assign(annotator, item.item_id, other.user_id, expected_version=1)
    assert desk.queue.take_next(other).item_id == item.item_id  # though it is less urgent
    desk.queue.release(other, item.image_sha256)
    assert desk.queue.take_next(annotator).image_sha256[0] == "a"
    assert desk.queue.take_next(annotator, but_not=["a" * 64]) is None
    assert [one.item_id for one in desk.queue.page(other, QueueFilter(assigned_to=other.user_id)).items] == [
        item.item_id
    ]


def test_only_people_who_work_with_the_queue_are_given_items(desk, inspector, annotator):
    sign(desk, inspector, MINE)
    item = desk.queue.page(annotator, EVERYTHING).items[0]
    with pytest.raises(UnknownRecordError, match="nobody of this name"):
        desk.queue.assign(annotator, item.item_id, inspector.user_id, expected_version=1)
    with pytest.raises(NotAllowedError):
        desk.queue.page(inspector, EVERYTHING)
    assert desk.queue.workers(annotator) == {annotator.user_id: "Person 2"}


def test_skipping_says_why_and_can_be_taken_back(desk, inspector, annotator):
    sign(desk, inspector, MINE)
    item = desk.queue.page(annotator, EVERYTHING).items[0]
    with pytest.raises(BadInputError, match="say why"):
        desk.queue.skip(annotator, item.item_id, "  ", expected_version=1)
    skipped = desk.queue.skip(annotator, item.item_id, "out of  focus", expected_version=1)
    assert (skipped.state, skipped.note, skipped.version) == (QueueState.SKIPPED, "out of focus", 2)
    with pytest.raises(BadInputError, match="skipped already"):
        desk.queue.skip(annotator, item.item_id, "again", expected_version=2)
    with pytest.raises(StaleVersionError):
        desk.queue.reopen(annotator, item.item_id, expected_version=1)
    opened = desk.queue.reopen(annotator, item.item_id, expected_version=2)
    assert (opened.state, opened.note, opened.closed_by) == (QueueState.OPEN, "", None)
    assert desk.queue.catch_up(annotator) == 0


def test_skipping_an_image_leaves_what_another_person_is_at(desk, inspector, annotator, other):
    sign(desk, inspector, MINE)
    image = desk.queue.take_next(other).image_sha256
    assert desk.queue.skip_image(annotator, image, "no") == 0
    assert desk.queue.skip_image(other, image, "a scan of the wrong film") == 2
    assert {one.note for one in desk.queue.page(other, EVERYTHING).items} == {"a scan of the wrong film"}


def test_pages_follow_each_other_and_count(desk, store, inspector, annotator):
    for digit in "bcd":
        store_image(store, radiograph(digit))
    for digit in "abcd":
        sign(desk, inspector, MINE, digit=digit)
    first = desk.queue.page(annotator, EVERYTHING, limit=3)
    second = desk.queue.page(annotator, EVERYTHING, limit=3, before=first.next_place)
    third = desk.queue.page(annotator, EVERYTHING, limit=3, before=second.next_place)
    everything = [one.item_id for page in (first, second, third) for one in page.items]
    assert len(everything) == len(set(everything)) == first.n_found == 8
    assert third.next_place is None
    assert first.counts == {(QueueState.OPEN, Reason.MISSED): 4, (QueueState.OPEN, Reason.DOUBTFUL): 4}
    priorities = [one.priority for page in (first, second, third) for one in page.items]
    assert priorities == sorted(priorities, reverse=True)
    assert listed(desk, annotator, QueueFilter(text="FILM")) == listed(desk, annotator)
    assert listed(desk, annotator, QueueFilter(text="x_y")) == []
    assert listed(desk, annotator, QueueFilter(model_name="casting")) == []


def test_workspaces_of_guests_are_apart(desk, inspector, annotator, tmp_path):
    sign(desk, inspector, MINE)
    engine = open_database(copy_empty_database(tmp_path / "guest.db"))
    guest = make_workspace("guest", new_store(engine), tmp_path / "guest")
    assert guest.queue.page(Identity("guest-1", "guest", Role.GUEST), EVERYTHING).n_found == 0
    engine.dispose()

"""Labels of an image: every edit is a version, refusals are kept apart, submitting closes the queue."""

from dataclasses import replace

import pytest

from core.domain.accounts import Identity, Role
from core.domain.correction import Origin
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError, UnknownRecordError
from core.domain.indication import IndicationClass
from core.domain.labels import REFUSED, Label
from core.domain.reading import Call
from core.domain.records import LABELS
from core.store.queue import QueueFilter, QueueState
from core.store.unit_of_work import Store
from tests.records import MINE, add_user, detection_result
from tests.services.inspections.test_correction_queue import sign

IMAGE = "a" * 64
PORE = Label("h1", (5.5, 6.25, 20, 18), IndicationClass.POROSITY, iso6520="2011")
REFUSAL = Label("m-1", (40, 40, 44, 60), IndicationClass.UNCLASSIFIED, Origin.MODEL, probability=0.3)


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


def test_what_is_saved_is_there_again(desk, annotator, store):
    assert desk.labels.open(annotator, IMAGE).version == 0
    desk.labels.save(annotator, IMAGE, [PORE], refused=[REFUSAL], note="dusty", expected_version=0)
    sheet = desk.labels.open(annotator, IMAGE)
    assert (sheet.labels, sheet.refused, sheet.note, sheet.version) == ((PORE,), (REFUSAL,), "dusty", 1)
    assert sheet.author == "Person 1"
    with store.read() as work:
        assert work.annotations.latest(IMAGE, LABELS).boxes == (PORE.to_box(),)


def test_refusals_get_a_version_only_when_they_change_and_never_among_the_labels(desk, annotator, store):
    desk.labels.save(annotator, IMAGE, [PORE], expected_version=0)
    desk.labels.save(annotator, IMAGE, [], refused=[REFUSAL], expected_version=1)
    desk.labels.save(annotator, IMAGE, [PORE], refused=[REFUSAL], expected_version=2)
    desk.labels.save(annotator, IMAGE, [PORE], expected_version=3)
    with store.read() as work:
        refused = [len(one.boxes) for one in work.annotations.history(IMAGE, REFUSED)]
        labels = [len(one.boxes) for one in work.annotations.history(IMAGE, LABELS)]
    assert (refused, labels) == ([1, 0], [1, 0, 1, 1])


def test_nobody_overwrites_anybody(desk, annotator, store):
    other = add_user(store, Role.ML_ENGINEER)
    desk.labels.save(annotator, IMAGE, [PORE], expected_version=0)
    with pytest.raises(StaleVersionError):
        desk.labels.save(other, IMAGE, [], refused=[REFUSAL], expected_version=0)
    sheet = desk.labels.open(other, IMAGE)
    assert (sheet.labels, sheet.refused) == ((PORE,), ())


@pytest.mark.parametrize(
    ("labels", "note", "complaint"),
    [
        ([PORE, PORE], "", "different id"),
        ([replace(PORE, bbox=(5, 5, 97, 10))], "", "within 96 x 64"),
        ([replace(PORE, bbox=(5, 5, 5, 10))], "", "left top before"),
        ([], "x" * 2001, "note"),
    ],
)
def test_bad_labels_change_nothing(desk, annotator, labels, note, complaint):
    with pytest.raises(BadInputError, match=complaint):
        desk.labels.save(annotator, IMAGE, labels, note=note, expected_version=0)
    assert desk.labels.open(annotator, IMAGE).version == 0


def test_suggestions_are_the_models_and_what_people_said_against_it(desk, inspector, annotator):
    assert desk.labels.open(annotator, IMAGE).suggestions == ()
    desk.inspections.record(inspector, detection_result())
    assert [one.box.probability for one in desk.labels.open(annotator, IMAGE).suggestions] == [
        pytest.approx(0.8),
        pytest.approx(0.3),
    ]
    inspection_id = desk.inspections.record(inspector, detection_result()).inspection_id
    reported = desk.open_readings.open(inspector, inspection_id).reading.indications
    crack = replace(reported[0], call=Call.DISMISSED)
    sign(desk, inspector, crack, MINE)
    found = desk.labels.open(annotator, IMAGE).suggestions
    assert [(one.box.origin, one.is_doubted) for one in found] == [
        (Origin.INSPECTOR, False),
        (Origin.MODEL, True),
        (Origin.MODEL, False),
    ]


def test_submitting_closes_the_queue_and_an_empty_image_is_kept_as_empty(desk, inspector, annotator):
    sign(desk, inspector, MINE)
    assert desk.labels.submit(annotator, IMAGE, expected_version=0) == 2
    sheet = desk.labels.open(annotator, IMAGE)
    assert (sheet.version, sheet.labels, sheet.items) == (1, (), ())
    done = desk.queue.page(annotator, QueueFilter(state=QueueState.DONE)).items
    assert {one.closed_by for one in done} == {annotator.user_id}
    with pytest.raises(StaleVersionError):
        desk.labels.submit(annotator, IMAGE, expected_version=0)
    assert desk.labels.submit(annotator, IMAGE, expected_version=1) == 0


def test_a_second_reader_stays_blind_until_the_own_reading_is_done(desk, store, inspector, annotator):
    sign(desk, inspector, MINE)
    reviewer = add_user(store, Role.REVIEWER)
    for act in (
        lambda: desk.labels.open(reviewer, IMAGE),
        lambda: desk.labels.save(reviewer, IMAGE, [PORE], expected_version=0),
        lambda: desk.labels.submit(reviewer, IMAGE, expected_version=0),
    ):
        with pytest.raises(NotAllowedError, match="second reading"):
            act()
    assert desk.labels.open(annotator, IMAGE).version == 0


def test_there_is_nothing_to_label_on_an_image_that_is_not_there(desk, annotator):
    with pytest.raises(UnknownRecordError):
        desk.labels.open(annotator, "b" * 64)
    with pytest.raises(UnknownRecordError):
        desk.labels.save(annotator, "b" * 64, [], expected_version=0)


def test_an_admin_sees_and_changes_nothing(desk, store):
    admin = add_user(store, Role.ADMIN)
    with pytest.raises(NotAllowedError):
        desk.labels.open(admin, IMAGE)

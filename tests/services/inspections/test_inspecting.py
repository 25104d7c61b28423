"""Keeping what a model reported and what people decided."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError, StaleVersionError, UnknownRecordError
from core.domain.radiograph import PolarityGround
from core.domain.reading import Setup, first_reading
from core.domain.records import Disposition, Inspection, InspectionState
from core.services.inspections.inspecting import Decision, InspectionService
from core.services.inspections.readings import ReadingService
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import add_user, demoted, detection_result, new_store, radiograph, store_image

pytestmark = ON_EACH_DATABASE

REJECTED = Decision(Disposition.REJECT, "crack")


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def inspector(store: Store) -> Identity:
    return add_user(store)


@pytest.fixture
def inspections(store: Store) -> InspectionService:
    store_image(store)
    return InspectionService(store)


@pytest.fixture
def inspection(inspections: InspectionService, inspector: Identity) -> Inspection:
    return inspections.record(inspector, detection_result())


def same(first: Inspection, second: Inspection) -> bool:
    names = [name for name in Inspection.__slots__ if not name.startswith("_")]
    return all(getattr(first, name) == getattr(second, name) for name in names)


def test_an_inspection_names_all_that_is_needed_to_run_it_again(inspections, inspector, inspection):
    kept = inspections.get(inspector, inspection.inspection_id)
    assert same(kept, inspection)
    assert (kept.image_sha256, kept.image_name, kept.inspector_id) == (
        "a" * 64,
        "film.png",
        inspector.user_id,
    )
    model = kept.model
    assert (model.name, model.version, model.sha256, model.calibration_id) == (
        "weld", 2, "ab" * 32, "0123456789ab",
    )  # fmt: skip
    assert (model.score_cut, model.operating_probability) == (0.05, 0.4)
    assert [found["bbox"] for found in kept.detections] == [[1, 2, 30.5, 12.25], [40, 40, 44, 60]]
    assert kept.detections[0]["class"] == "crack"
    assert kept.disposition is None


def test_looking_at_the_same_answer_again_makes_no_second_record(inspections, inspector, inspection, store):
    assert inspections.record(inspector, detection_result()).inspection_id == inspection.inspection_id
    other = add_user(store)
    assert inspections.record(other, detection_result()).inspection_id != inspection.inspection_id
    newer = inspections.record(inspector, detection_result(version=3))
    assert newer.inspection_id != inspection.inspection_id


def listed(store: Store) -> list[str]:
    """Ids in the history."""
    with store.read() as work:
        return [one.inspection_id for one in work.history.search(HistoryFilter(), 10)]


def told(store: Store) -> list[tuple[str, str | None, str | None]]:
    """Action, object and way of the events on inspections, oldest first."""
    with store.read() as work:
        events = [one for one in work.audit.rows() if one.object_type == "inspection"]
    return [(one.action, one.actor_id, (one.details or {}).get("by")) for one in events]


def test_a_person_who_states_the_estimated_polarity_is_its_ground_from_then_on(inspections, inspector, store):
    def read_as(ground: PolarityGround) -> Inspection:
        return inspections.prepare(inspector, detection_result(replace(radiograph(), polarity_ground=ground)))

    estimated = read_as(PolarityGround.ESTIMATED)
    stated = read_as(PolarityGround.PERSON)
    assert stated.inspection_id == estimated.inspection_id
    assert stated.polarity_ground is PolarityGround.PERSON
    assert read_as(PolarityGround.ESTIMATED).polarity_ground is PolarityGround.PERSON, "it stays stated"
    assert inspections.get(inspector, stated.inspection_id).polarity_ground is PolarityGround.PERSON
    assert [action for action, *_ in told(store)] == ["inspection.prepared", "inspection.polarity_stated"]


def test_a_signed_inspection_keeps_the_ground_that_was_signed(inspections, inspector, store):
    film = replace(radiograph(), polarity_ground=PolarityGround.ESTIMATED)
    estimated = inspections.prepare(inspector, detection_result(film))
    with store.write() as work:
        work.inspections.set_state(estimated.inspection_id, InspectionState.SIGNED)
    film = replace(film, polarity_ground=PolarityGround.PERSON)
    assert inspections.prepare(inspector, detection_result(film)).polarity_ground is PolarityGround.ESTIMATED


def test_what_a_model_reported_is_history_once_somebody_opened_it(inspections, inspector, store):
    prepared = inspections.prepare(inspector, detection_result())
    assert (prepared.opened_at, listed(store)) == (None, [])
    assert same(inspections.prepare(inspector, detection_result()), prepared), "nothing is read twice"
    opened = inspections.open(inspector, prepared.inspection_id)
    assert listed(store) == [opened.inspection_id]
    assert opened.opened_at is not None
    assert same(inspections.open(inspector, prepared.inspection_id), opened), "only the first time counts"
    assert told(store) == [
        ("inspection.prepared", inspector.user_id, None),
        ("inspection.recorded", inspector.user_id, "opened"),
    ]


def test_whoever_decides_or_assesses_makes_it_history(inspections, inspector, store):
    decided = inspections.prepare(inspector, detection_result())
    inspections.decide(inspector, decided.inspection_id, REJECTED, expected_version=1)
    assessed = inspections.prepare(inspector, detection_result(version=3))
    reading = first_reading(assessed.detections, 0.0)
    ReadingService(store).save(inspector, assessed.inspection_id, reading, expected_version=0)
    assert set(listed(store)) == {decided.inspection_id, assessed.inspection_id}
    ways = [way for action, _, way in told(store) if action == "inspection.recorded"]
    assert ways == ["decided", "assessed"]


def test_a_setup_alone_makes_no_history(inspections, inspector, store):
    prepared = inspections.prepare(inspector, detection_result())
    setup = Setup(part="flange 7", standard="iso-5817", quality_level="C")
    described = inspections.describe(inspector, prepared.inspection_id, setup, expected_version=1)
    assert (described.setup["part"], described.standard, described.version) == ("flange 7", "iso-5817", 2)
    assert (described.disposition, listed(store)) == (None, [])


def test_the_history_tells_the_rule_that_the_setup_has(inspections, inspector, store):
    setup = Setup(standard="iso-5817", quality_level="C")
    kept = inspections.record(inspector, detection_result(), setup=setup)
    inspections.record(inspector, detection_result(version=3))
    with store.read() as work:
        rules = {one.inspection_id: one.standard for one in work.history.search(HistoryFilter(), 10)}
    assert rules.pop(kept.inspection_id) == "iso-5817"
    assert list(rules.values()) == [None]
    assert kept.standard == "iso-5817", "before anybody decided"


def test_latest_pages_without_gap_or_repetition(store, inspector):
    service = InspectionService(store)
    for digit in "abcdef":
        store_image(store, radiograph(digit))
        service.record(inspector, detection_result(radiograph(digit)))
    seen, before = [], None
    while page := service.latest(inspector, 4, before=before):
        seen += [one.image_sha256[0] for one in page]
        before = (page[-1].created_at, page[-1].inspection_id)
    assert sorted(seen) == list("abcdef")


def test_a_decision_is_kept_and_counts_up(inspections, inspector, inspection):
    decided = inspections.decide(inspector, inspection.inspection_id, REJECTED, expected_version=1)
    kept = inspections.get(inspector, inspection.inspection_id)
    assert same(kept, decided)
    assert (kept.version, kept.disposition) == (2, Disposition.REJECT)
    assert (kept.note, kept.updated_by) == ("crack", inspector.user_id)


def test_the_standard_of_a_decision_follows_from_the_setup(inspections, inspector, inspection):
    setup = Setup(part="flange 7", standard="iso-5817", quality_level="C")
    changed = inspections.decide(
        inspector, inspection.inspection_id, Decision(None, setup=setup), expected_version=1
    )
    assert (changed.standard, changed.quality_level) == ("iso-5817", "C")
    again = inspections.decide(inspector, inspection.inspection_id, REJECTED, expected_version=2)
    assert (again.standard, again.setup["part"]) == ("iso-5817", "flange 7")


def test_a_decision_on_an_old_version_is_refused_with_both(inspections, inspector, inspection, store):
    inspections.decide(inspector, inspection.inspection_id, REJECTED, expected_version=1)
    other = add_user(store)
    accepted = Decision(Disposition.ACCEPT)
    with pytest.raises(StaleVersionError) as caught:
        inspections.decide(other, inspection.inspection_id, accepted, expected_version=1)
    assert (caught.value.yours, caught.value.stored) == (1, 2)
    assert inspections.get(other, inspection.inspection_id).disposition is Disposition.REJECT


def test_what_is_not_there_is_one_clear_error(inspections, inspector):
    with pytest.raises(UnknownRecordError, match="no inspection 17"):
        inspections.get(inspector, "17")
    with pytest.raises(UnknownRecordError, match="no inspection 17"):
        inspections.decide(inspector, "17", REJECTED, expected_version=1)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANNOTATOR, Role.ML_ENGINEER])
def test_other_roles_record_and_decide_nothing(inspections, inspector, inspection, role):
    other = demoted(inspector, role)
    with pytest.raises(NotAllowedError):
        inspections.record(other, detection_result())
    with pytest.raises(NotAllowedError):
        inspections.decide(other, inspection.inspection_id, REJECTED, expected_version=1)


def test_an_image_that_is_not_stored_cannot_be_inspected(store, inspector):
    with pytest.raises(Exception, match="(?i)foreign key"):
        InspectionService(store).record(inspector, detection_result(radiograph("e")))

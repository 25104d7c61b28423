"""What leaves the product as a list, and looking one inspection up."""

import csv
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from core.audit.selection import EventFilter
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError, UnknownRecordError
from core.domain.reading import Setup
from core.domain.records import Disposition, Inspection, InspectionState
from core.services.inspections import history_export
from core.services.inspections.history_export import HIDDEN, HistoryExportService
from core.services.inspections.inspecting import Decision, InspectionService
from core.services.inspections.inspection_record import InspectionRecordService, is_blind_for
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.records import add_user, detection_result, new_store, radiograph, store_image


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def inspector(store: Store) -> Identity:
    return add_user(store)


def inspected(
    store: Store, who: Identity, digit: str = "a", *, part: str = "", name: str = "film.png"
) -> Inspection:
    film = radiograph(digit)
    store_image(store, film)
    result = replace(detection_result(film), name=name)
    return InspectionService(store).record(who, result, setup=Setup(part=part))


def sign(store: Store, one: Inspection) -> None:
    with store.write() as work:
        work.inspections.set_state(one.inspection_id, InspectionState.SIGNED)


def exported(store: Store, who: Identity, wanted: HistoryFilter | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(HistoryExportService(store).csv(who, wanted or HistoryFilter())))


def test_every_inspection_that_the_filter_finds_is_a_line(store: Store, inspector: Identity) -> None:
    first = inspected(store, inspector, "a", part="vessel 1")
    inspected(store, inspector, "b", part="pipe")
    InspectionService(store).decide(
        inspector, first.inspection_id, Decision(Disposition.REJECT), expected_version=1
    )
    (line,) = exported(store, inspector, HistoryFilter(text="vessel"))
    assert line["inspection_id"] == first.inspection_id
    assert (line["part"], line["disposition"], line["found"]) == (
        "vessel 1",
        "reject",
        "crack 1; not assessed 1",
    )
    assert (line["inspector"], line["model"], line["model_version"]) == (inspector.name, "weld", "2")
    assert len(exported(store, inspector)) == 2


def test_more_than_one_batch_is_whole_and_in_order(
    store: Store, inspector: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {inspected(store, inspector, digit).inspection_id for digit in "abcde"}
    whole = exported(store, inspector)
    monkeypatch.setattr(history_export, "_BATCH", 2)
    assert exported(store, inspector) == whole
    assert {line["inspection_id"] for line in whole} == ids
    monkeypatch.setattr(history_export, "MAX_EXPORTED", 3)
    assert exported(store, inspector) == whole[:3]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_spreadsheet_takes_no_name_for_a_formula(store: Store, inspector: Identity, start: str) -> None:
    inspected(store, inspector, name=f"{start}cmd.png")
    (line,) = exported(store, inspector)
    assert line["image_name"] == f"'{start}cmd.png"


def test_that_a_list_left_is_an_event(store: Store, inspector: Identity) -> None:
    inspected(store, inspector)
    exported(store, inspector)
    with store.read() as work:
        (event,) = work.audit.page(EventFilter(action="inspections.exported"), limit=5)
    assert event.actor_id == inspector.user_id
    assert event.details == {"format": "csv", "n_lines": 1}


def test_an_admin_exports_nothing(store: Store) -> None:
    with pytest.raises(NotAllowedError):
        HistoryExportService(store).csv(add_user(store, Role.ADMIN), HistoryFilter())


def test_a_second_person_learns_no_result_from_the_list(store: Store, inspector: Identity) -> None:
    sign(store, inspected(store, inspector))
    (line,) = exported(store, add_user(store, Role.REVIEWER))
    assert (line["found"], line["disposition"]) == (HIDDEN, HIDDEN)
    (line,) = exported(store, inspector)
    assert line["found"] == "crack 1; not assessed 1"


@pytest.mark.parametrize(
    ("role", "is_own", "state", "is_blind"),
    [
        (Role.REVIEWER, False, InspectionState.SIGNED, True),
        (Role.REVIEWER, True, InspectionState.SIGNED, False),
        (Role.REVIEWER, False, InspectionState.OPEN, False),
        (Role.REVIEWER, False, InspectionState.CONCURRED, False),
        (Role.INSPECTOR, False, InspectionState.SIGNED, False),
    ],
)
def test_blind_is_who_may_still_be_the_second_person(
    role: Role, is_own: bool, state: InspectionState, is_blind: bool
) -> None:
    somebody = Identity("u-1", "somebody", role)
    assert is_blind_for(somebody, inspector_id="u-1" if is_own else "u-2", state=state) is is_blind


def test_a_record_names_everybody_in_it(store: Store, inspector: Identity) -> None:
    one = inspected(store, inspector)
    record = InspectionRecordService(store).get(inspector, one.inspection_id)
    assert record.inspection.inspection_id == one.inspection_id
    assert record.name(inspector.user_id) == "Person 1"
    assert record.name(None) == "command line"
    assert record.name("u-gone") == "u-gone"
    assert (record.signatures, record.reviews) == ((), ())
    with pytest.raises(UnknownRecordError):
        InspectionRecordService(store).get(inspector, "0" * 32)

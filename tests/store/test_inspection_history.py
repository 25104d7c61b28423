"""Searching the history of inspections, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from core.audit.chain import keyring
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError
from core.domain.indication import IndicationClass
from core.domain.reading import Call, Setup
from core.domain.records import Disposition, Inspection, InspectionState
from core.services.inspections.history import HistoryService
from core.services.inspections.inspecting import Decision, InspectionService
from core.services.inspections.open_readings import OpenReadingService
from core.services.inspections.readings import ReadingService
from core.services.inspections.signatures import Sealer
from core.services.inspections.signing_off import SigningOffService
from core.store.audit_trail import AuditTrail
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.records import START, Clock, add_user, demoted, detection_result, radiograph, store_image

CRACK = HistoryFilter(indication_class=IndicationClass.CRACK)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> Store:
    trail = AuditTrail(engine, keyring(b"k" * 32), anchors=None)
    return Store(engine, open_audit=trail.open, clock=clock)


@pytest.fixture
def inspector(store: Store) -> Identity:
    return add_user(store)


@pytest.fixture
def history(store: Store) -> HistoryService:
    return HistoryService(store)


def inspected(
    store: Store, who: Identity, digit: str = "a", *, setup: Setup | None = None, name: str = "film.png",
    version: int = 2, n: int = 2,
) -> Inspection:  # fmt: skip
    film = radiograph(digit)
    store_image(store, film)
    result = replace(detection_result(film, version=version, n=n), name=name)
    return InspectionService(store).record(who, result, setup=setup)


def ids(history: HistoryService, who: Identity, wanted: HistoryFilter) -> list[str]:
    return [one.inspection_id for one in history.search(who, wanted).entries]


def test_an_empty_history_is_an_empty_page(history: HistoryService, inspector: Identity) -> None:
    page = history.search(inspector, HistoryFilter())
    assert (page.entries, page.next_place, page.count_words) == ((), None, "0")


def test_a_line_says_what_a_history_shows(store, history, inspector) -> None:
    kept = inspected(store, inspector, setup=Setup(part="Vessel 7", weld_number="W12"))
    (entry,) = history.search(inspector, HistoryFilter()).entries
    assert (entry.inspection_id, entry.part, entry.weld_number) == (kept.inspection_id, "Vessel 7", "W12")
    assert entry.found == {IndicationClass.CRACK: 1}  # the second lies below the operating point
    assert entry.n_open == 1
    assert (entry.model_name, entry.model_version, entry.created_at) == ("weld", 2, START)
    assert (entry.disposition, entry.state) == (None, InspectionState.OPEN)


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("vessel", True),
        ("VESSEL 7", True),
        ("w12 film", True),
        ("straße", True),
        ("STRASSE", True),
        ("100%", True),
        ("100_", False),
        ("w12 w13", False),
        ("7 w", True),
        ("ssel 7\nw", True),  # words are looked for one by one
        ("'; --", False),
        ("", True),
    ],
)
def test_every_word_is_looked_for_in_part_weld_and_name(store, history, inspector, words, is_found) -> None:
    setup = Setup(part="Vessel 7 Straße", weld_number="W12")
    inspected(store, inspector, setup=setup, name="Film 100%.png")
    assert bool(ids(history, inspector, HistoryFilter(text=words))) is is_found


def test_every_filter_lets_through_what_it_names(store, history, clock, inspector) -> None:
    other = add_user(store)
    first = inspected(store, inspector, "a", version=1)
    clock.advance(days=1)
    second = inspected(store, other, "b", n=0)
    decision = Decision(Disposition.REJECT)
    InspectionService(store).decide(other, second.inspection_id, decision, expected_version=1)
    with store.write() as work:
        work.inspections.set_state(second.inspection_id, InspectionState.SIGNED)
    day = START + timedelta(days=1)
    only_first = [
        HistoryFilter(until=day),
        CRACK,
        HistoryFilter(is_undecided=True),
        HistoryFilter(state=InspectionState.OPEN),
        HistoryFilter(model_name="weld", model_version=1),
        HistoryFilter(inspector_id=inspector.user_id),
    ]
    only_second = [
        HistoryFilter(since=day),
        HistoryFilter(disposition=Disposition.REJECT),
        HistoryFilter(is_undecided=False),
        HistoryFilter(state=InspectionState.SIGNED),
        HistoryFilter(model_version=2),
        HistoryFilter(inspector_id=other.user_id, since=day, disposition=Disposition.REJECT),
    ]
    assert [ids(history, inspector, one) for one in only_first] == [[first.inspection_id]] * len(only_first)
    assert [ids(history, inspector, one) for one in only_second] == [[second.inspection_id]] * len(
        only_second
    )
    choices = history.choices(inspector)
    assert set(choices.inspectors) == {inspector.user_id, other.user_id}
    assert choices.models == (("weld", 1), ("weld", 2))


def test_pages_hold_every_inspection_once_also_when_moments_are_equal(store, history, inspector) -> None:
    kept = {inspected(store, inspector, digit).inspection_id for digit in "0123456"}
    seen: list[str] = []
    place = None
    while True:
        page = history.search(inspector, HistoryFilter(), limit=3, before=place)
        assert (page.n_found, page.is_counted) == (7, True)
        seen += [one.inspection_id for one in page.entries]
        if (place := page.next_place) is None:
            break
    assert (len(seen), set(seen)) == (7, kept)


def test_counting_ends_somewhere_and_says_so(store, history, inspector, monkeypatch) -> None:
    for digit in "0123":
        inspected(store, inspector, digit)
    monkeypatch.setattr("core.services.inspections.history._COUNT_AT_MOST", 4)
    assert history.search(inspector, HistoryFilter()).count_words == "more than 3"


def test_a_reading_and_a_setup_change_what_is_found(store, history, inspector) -> None:
    kept = inspected(store, inspector)
    readings = ReadingService(store)
    (only,) = OpenReadingService(store).open(inspector, kept.inspection_id).reading.indications
    pore = replace(only, indication_class=IndicationClass.POROSITY, call=Call.CONFIRMED)
    readings.save(inspector, kept.inspection_id, [pore], expected_version=0)
    assert ids(history, inspector, CRACK) == []
    assert history.search(inspector, HistoryFilter()).entries[0].n_open == 0
    assert ids(history, inspector, HistoryFilter(indication_class=IndicationClass.POROSITY))
    gone = replace(pore, call=Call.DISMISSED)
    readings.save(inspector, kept.inspection_id, [gone], expected_version=1)
    assert history.search(inspector, HistoryFilter()).entries[0].found == {}
    changed = Decision(Disposition.ACCEPT, setup=Setup(part="Boiler"))
    InspectionService(store).decide(inspector, kept.inspection_id, changed, expected_version=1)
    assert ids(history, inspector, HistoryFilter(text="boiler"))
    with store.write() as work:
        work.inspections.set_state(kept.inspection_id, InspectionState.SIGNED)
    signing = SigningOffService(store, None, Sealer(b"k"), judge=lambda reading: {})
    revision = signing.revise(inspector, kept.inspection_id)
    found = {one.inspection_id: one.found for one in history.search(inspector, HistoryFilter()).entries}
    assert found == {kept.inspection_id: {}, revision.inspection_id: {}}


def test_who_may_not_look_at_inspections_sees_no_history(history, inspector) -> None:
    admin = demoted(inspector, Role.ADMIN)
    for look in (lambda: history.search(admin, HistoryFilter()), lambda: history.choices(admin)):
        with pytest.raises(NotAllowedError):
            look()

"""From the schema that knew no opening and no kind of a worklist entry to r0005 and back, with rows."""

import pytest
from sqlalchemy import Engine, text

from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.services.inspections.inspecting import InspectionService
from core.services.inspections.worklists import WorklistService
from core.store.database import upgrade
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.records import add_user, detection_result, new_store, radiograph, store_image
from tests.store.test_disposition_migration import downgrade


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


def test_what_was_recorded_before_counts_as_opened_and_its_model_goes_on_reading_it(
    engine: Engine, store: Store
) -> None:
    who, inspections, worklist = add_user(store), InspectionService(store), WorklistService(store)
    for digit in "ab":
        store_image(store, radiograph(digit))
        worklist.put(who, digit, radiograph(digit).sha256, f"{digit}.png", Polarity.FILM, "weld", Setup())
    found = inspections.prepare(who, detection_result(radiograph("a")))
    downgrade(engine, "r0003")
    with engine.begin() as connection:
        connection.execute(text("UPDATE inspections SET model_name = 'casting'"))
    upgrade(engine)
    with store.read() as work:
        (entry,) = work.history.search(HistoryFilter(), 10)
        kept = work.inspections.find(entry.inspection_id)
    assert kept is not None
    assert (kept.inspection_id, kept.opened_at) == (found.inspection_id, kept.created_at)
    assert {one.entry_id: one.model for one in worklist.entries(who)} == {"a": "casting", "b": "weld"}

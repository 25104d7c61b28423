"""To r0010 and back: inspections and worklists of before are kept."""

from dataclasses import replace

from sqlalchemy import Engine

from core.domain.familiarity import Familiarity
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.services.inspections.inspecting import InspectionService
from core.services.inspections.worklists import WorklistService
from core.store.database import upgrade
from tests.records import add_user, detection_result, new_store, store_image
from tests.store.test_disposition_migration import downgrade


def test_what_was_recorded_before_is_kept_both_ways(engine: Engine) -> None:
    store = new_store(engine)
    sha256, person = store_image(store), add_user(store)
    result = replace(detection_result(), familiarity=Familiarity(2.5, 1.25))
    made = InspectionService(store).record(person, result)
    worklist = WorklistService(store)
    worklist.put(person, "k", sha256, "a.png", Polarity.FILM, "casting", Setup(), is_model_chosen=True)
    with store.read() as work:
        kept = work.inspections.find(made.inspection_id)
    assert kept is not None
    assert kept.familiarity == Familiarity(2.5, 1.25)
    assert [one.is_model_chosen for one in worklist.entries(person)] == [True]
    downgrade(engine, "r0011")
    upgrade(engine)
    with store.read() as work:
        kept = work.inspections.find(made.inspection_id)
    assert kept is not None
    assert (kept.familiarity, kept.detections) == (None, made.detections)
    assert [(one.model, one.is_model_chosen) for one in worklist.entries(person)] == [("casting", False)]

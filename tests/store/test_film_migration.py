"""To r0006 and back: the inspections of before are kept."""

from sqlalchemy import Engine, inspect

from core.services.inspections.inspecting import InspectionService
from core.store.database import upgrade
from tests.records import add_user, detection_result, new_store, store_image
from tests.store.test_disposition_migration import downgrade


def test_inspections_are_kept_both_ways(engine: Engine) -> None:
    store = new_store(engine)
    store_image(store)
    inspection = InspectionService(store).record(add_user(store), detection_result())
    downgrade(engine, "r0004")
    assert not {"seen_areas", "zones"} & set(inspect(engine).get_table_names())
    upgrade(engine)
    with store.read() as work:
        kept = work.inspections.find(inspection.inspection_id)
        assert kept
        assert (kept.created_at, kept.detections) == (inspection.created_at, inspection.detections)
        assert work.seen_areas.get(inspection.inspection_id, "nobody") == ""
        assert work.zones.get(inspection.inspection_id) is None

"""To r0008 and back: scales and inspections of before are kept."""

from sqlalchemy import Engine, inspect

from core.services.inspections.inspecting import InspectionService
from core.store.database import upgrade
from core.store.workbench import KeptScale
from tests.records import START, add_user, detection_result, new_store, store_image
from tests.store.test_disposition_migration import downgrade


def test_scales_are_kept_both_ways(engine: Engine) -> None:
    store = new_store(engine)
    sha256, person = store_image(store), add_user(store)
    inspection = InspectionService(store).record(person, detection_result())
    with store.write() as work:
        work.scales.add(KeptScale("s1", sha256, 0.05, 0.05, 1.0, person.user_id, START, is_typed=True))
    downgrade(engine, "r0006")
    assert not {"measurements", "first_looks", "preferences"} & set(inspect(engine).get_table_names())
    upgrade(engine)
    with store.read() as work:
        kept = work.scales.newest(sha256)
        assert kept
        assert (kept.mm_per_px, kept.is_typed) == (0.05, False)  # the schema of before does not know it
        assert work.measurements.get(inspection.inspection_id) is None
        assert work.first_looks.get(inspection.inspection_id) is None
        assert work.preferences.get(person.user_id, "film_first") is None

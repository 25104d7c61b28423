"""From r0002 to r0003 and back: reviews of before are kept, and stay append-only."""

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from core.domain.accounts import Role
from core.domain.records import Disposition, Review, ReviewOutcome
from core.services.inspections.inspecting import InspectionService
from core.store.database import upgrade
from tests.records import START, add_user, detection_result, new_store, store_image
from tests.store.test_disposition_migration import downgrade


def test_reviews_are_kept_both_ways_and_cannot_be_changed(engine: Engine) -> None:
    store = new_store(engine)
    store_image(store)
    inspection = InspectionService(store).record(add_user(store), detection_result())
    reviewer = add_user(store, Role.REVIEWER)
    review = Review(
        "r1", inspection.inspection_id, 1, reviewer.user_id, ReviewOutcome.CONCURS, "seen", START,
        Disposition.ACCEPT, 1, Disposition.REJECT, 2, "overlooked",
    )  # fmt: skip
    with store.write() as work:
        work.reviews.add(review)
    downgrade(engine, "r0002")
    assert "certificates" not in inspect(engine).get_table_names()
    upgrade(engine)
    with store.read() as work:
        (kept,) = work.reviews.of_inspection(inspection.inspection_id)
    assert (kept.note, kept.own_disposition, kept.changed_disposition) == ("seen", Disposition.ACCEPT, None)
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE reviews SET note = 'changed'"))

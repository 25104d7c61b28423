"""To r0019 and back: views and notes come and go, what was there before stays."""

from sqlalchemy import Engine, inspect, text

from core.domain.accounts import Role
from core.services.images.place_notes import PlaceNotes
from core.store.comparison_views import ComparisonView
from core.store.database import upgrade
from tests.records import START, add_user, new_store, store_image
from tests.store.test_disposition_migration import downgrade

TABLES = {"comparison_views", "place_notes"}


def test_both_tables_come_and_go(engine: Engine) -> None:
    store = new_store(engine)
    sha256, person = store_image(store), add_user(store, Role.ML_ENGINEER)
    PlaceNotes(store).write(person, sha256, "a seam edge", box=(1, 2, 30, 12))
    with store.write() as work:
        work.comparison_views.put(
            ComparisonView("c1", "cracks", {"model": "weld"}, True, person.user_id, START)
        )
    downgrade(engine, "r0018")
    assert not TABLES & set(inspect(engine).get_table_names())
    upgrade(engine)
    assert set(inspect(engine).get_table_names()) >= TABLES
    with store.read() as work:
        assert work.images.find(sha256)
        assert work.comparison_views.of(person.user_id) == []
        assert work.place_notes.of_images([sha256]) == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 1

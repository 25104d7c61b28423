"""From the dispositions of the first schema to those of r0002 and back, with rows in the tables."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from core.domain.records import Disposition, InspectionState, ReshootReason
from core.services.inspections.inspecting import Decision, InspectionService
from core.store.database import MIGRATIONS, _without_foreign_keys, upgrade, writing
from core.store.inspection_history import HistoryFilter
from core.store.unit_of_work import Store
from tests.records import add_user, detection_result, new_store, radiograph, store_image


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def decided(store: Store) -> Callable[[str, Disposition, InspectionState], str]:
    """A function that makes an inspection with this disposition in this state."""
    who, inspections = add_user(store), InspectionService(store)

    def make(digit: str, disposition: Disposition, state: InspectionState) -> str:
        store_image(store, radiograph(digit))
        found = inspections.record(who, detection_result(radiograph(digit)))
        reason = ReshootReason.DENSITY if disposition is Disposition.RESHOOT else None
        decision = Decision(disposition, reshoot_reason=reason)
        inspections.decide(who, found.inspection_id, decision, expected_version=1)
        with store.write() as work:
            work.inspections.set_state(found.inspection_id, state)
        return found.inspection_id

    return make


def dispositions(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT inspection_id, disposition FROM inspections"))
        return {row.inspection_id: row.disposition for row in rows}


def downgrade(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with (
        writing(engine).connect() as connection,
        _without_foreign_keys(connection),
        connection.begin(),
    ):
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_every_disposition_comes_back_with_its_reason(store, decided) -> None:
    for digit, disposition in zip("abcdef", Disposition, strict=False):
        inspection_id = decided(digit, disposition, InspectionState.OPEN)
        with store.read() as work:
            found = work.inspections.find(inspection_id)
        assert found is not None
        assert found.disposition is disposition
        assert (found.reshoot_reason is not None) == (disposition is Disposition.RESHOOT)


def test_going_back_keeps_every_row_and_coming_again_renames_open_ones_only(engine, store, decided) -> None:
    open_id = decided("a", Disposition.REFER, InspectionState.OPEN)
    signed_id = decided("b", Disposition.REFER, InspectionState.SIGNED)
    reshot_id = decided("c", Disposition.RESHOOT, InspectionState.OPEN)
    repaired_id = decided("d", Disposition.REPAIR, InspectionState.SIGNED)
    accepted_id = decided("e", Disposition.ACCEPT, InspectionState.CONCURRED)
    downgrade(engine, "r0001")
    before = {
        open_id: "review",
        signed_id: "review",
        reshot_id: "review",
        repaired_id: "reject",
        accepted_id: "accept",
    }
    assert dispositions(engine) == before
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE inspections SET disposition = 'refer'"))
    upgrade(engine)
    assert dispositions(engine) == before | {open_id: "refer", reshot_id: "refer"}
    with store.read() as work:
        signed = work.inspections.find(signed_id)
        found = work.history.search(HistoryFilter(disposition=Disposition.REFER), 10)
    assert signed is not None
    assert signed.disposition is not None
    assert (signed.disposition.value, signed.disposition.word) == ("review", "refer")
    assert {one.inspection_id for one in found} == {open_id, signed_id, reshot_id}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE inspections SET disposition = 'maybe'"))
    with pytest.raises(IntegrityError), engine.begin() as connection:  # the other rules hold in the new table
        connection.execute(text("UPDATE inspections SET version = 0"))

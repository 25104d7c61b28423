"""Records that somebody changes who holds the database but not the key: each change is found and named."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.audit.findings import FindingKind, LogFault
from core.store.proven_tables import PROVEN, UNPROVEN
from core.store.record_comparison import RecordComparison
from core.store.schema import METADATA
from tests.attacks.filled_tables import disarm, fill, other_value
from tests.audit_store import AuditedStore
from tests.conftest import ON_EACH_DATABASE

RECORD_KINDS = {FindingKind.RECORD_CHANGED, FindingKind.RECORD_REMOVED, FindingKind.RECORD_ADDED}


@pytest.fixture
def held(engine: Engine, tmp_path: Path) -> Engine:
    """A database with a row in every proven table, in the hands of an attacker."""
    fill(AuditedStore(engine, tmp_path).store)
    with Session(engine) as session:
        assert compared(session) == []
    return disarm(engine)


def compared(session: Session, tables: Iterable[str] = PROVEN) -> list[LogFault]:
    return RecordComparison(session, lambda _n: None).run(tables).faults.kept


def attack(engine: Engine, table: str, statement: str, **values: object) -> list[LogFault]:
    """What is found in the table after the statement, which is taken back."""
    with Session(engine) as session:
        assert session.execute(text(statement), values).rowcount == 1, statement
        found = compared(session, [table])
        session.rollback()
        return found


def test_every_table_is_proven_or_says_why_not() -> None:
    assert set(METADATA.tables) == {*PROVEN, *UNPROVEN}
    assert not PROVEN.keys() & UNPROVEN.keys()


@pytest.mark.parametrize("table", PROVEN)
@ON_EACH_DATABASE
def test_any_changed_column_is_named(held: Engine, table: str) -> None:
    for column in METADATA.tables[table].columns:
        found = attack(held, table, f"UPDATE {table} SET {column.name} = :value", value=other_value(column))
        if column.primary_key:
            kinds = {fault.kind for fault in found}
            assert FindingKind.RECORD_REMOVED in kinds, column
        else:
            (fault,) = found
            assert fault.kind is FindingKind.RECORD_CHANGED, column
            assert f": {column.name} is not what event" in fault.sentence
            assert fault.sentence.startswith(PROVEN[table])
            assert fault.event_id is not None
            assert fault.event_id in fault.sentence


@pytest.mark.parametrize("table", PROVEN)
@pytest.mark.parametrize("garbage", ["x'00ff'", "CAST(x'ff00fe' AS TEXT)"])
def test_any_column_that_holds_garbage_is_found(held: Engine, table: str, garbage: str) -> None:
    for column in METADATA.tables[table].columns:
        assert attack(held, table, f"UPDATE {table} SET {column.name} = {garbage}"), column


@pytest.mark.parametrize("table", PROVEN)
@ON_EACH_DATABASE
def test_a_removed_record_is_named(held: Engine, table: str) -> None:
    (fault,) = attack(held, table, f"DELETE FROM {table}")
    assert fault.kind is FindingKind.RECORD_REMOVED
    assert fault.sentence.startswith(PROVEN[table])

"""Records that somebody changes who holds the database but not the key: each change is found and named."""

from collections.abc import Callable, Iterable, Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.audit.findings import FindingKind, LogFault
from core.store.database import open_database
from core.store.proven_tables import PROVEN, UNPROVEN
from core.store.record_comparison import RecordComparison
from core.store.schema import METADATA
from tests.attacks.filled_tables import disarm, fill, other_value
from tests.audit_store import AuditedStore
from tests.conftest import ON_EACH_DATABASE
from tests.empty_stores import copy_empty_database

RECORD_KINDS = {FindingKind.RECORD_CHANGED, FindingKind.RECORD_REMOVED, FindingKind.RECORD_ADDED}


@pytest.fixture(scope="module")
def held_databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Engine]]:
    """By kind, a database with a row in every proven table; made once, since every attack is taken back."""
    made: dict[str, Engine] = {}
    folder = tmp_path_factory.mktemp("held")

    def url_of(kind: str) -> str:
        if kind == "sqlite":
            return copy_empty_database(folder / "radikal.db")
        request.getfixturevalue("reused_postgresql")  # makes the template
        server = request.getfixturevalue("postgres")
        return str(server.create_database("radikal_held", template="radikal_template"))

    def held(kind: str) -> Engine:
        if kind not in made:
            engine = open_database(url_of(kind))
            fill(AuditedStore(engine, folder / kind).store)
            with Session(engine) as session:
                assert compared(session) == []
            made[kind] = disarm(engine)
            engine.dispose()
        return made[kind]

    yield held
    for engine in made.values():
        engine.dispose()
    if "postgresql" in made:
        request.getfixturevalue("postgres").drop_database("radikal_held")


@pytest.fixture
def held(held_databases: Callable[[str], Engine], database_kind: str) -> Engine:
    """A database with a row in every proven table, in the hands of an attacker."""
    return held_databases(database_kind)


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

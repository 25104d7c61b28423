"""A copy with a row in every table goes back to the first schema and forward to the newest one."""

from collections import Counter

from sqlalchemy import Engine, inspect, select, table, text

from core.store.database import known_revisions, upgrade
from core.store.integrity import dangling_references
from tests.attacks.filled_tables import fill
from tests.records import new_store
from tests.store.test_disposition_migration import downgrade

FIRST = "r0001"
#: Not about records: where the schema is, and how far proving has come.
APART = {"alembic_version", "audit_states"}


def columns(engine: Engine) -> dict[str, set[str]]:
    seen = inspect(engine)
    return {
        name: {column["name"] for column in seen.get_columns(name)}
        for name in seen.get_table_names()
        if name not in APART
    }


def rows(engine: Engine, kept: dict[str, set[str]]) -> dict[str, Counter[tuple[str, ...]]]:
    """The rows of each table as text, with the columns that are kept."""
    with engine.connect() as connection:
        return {
            name: Counter(
                tuple(str(value) for value in row)
                for row in connection.execute(
                    select(*(text(f'"{column}"') for column in sorted(names))).select_from(table(name))
                )
            )
            for name, names in kept.items()
        }


def test_rows_survive_the_way_back_and_forward_in_what_both_schemas_have(engine: Engine) -> None:
    fill(new_store(engine))
    newest = columns(engine)
    everything = rows(engine, newest)
    assert sum(map(Counter.total, everything.values())) > 20

    downgrade(engine, FIRST)
    oldest = columns(engine)
    both = {name: newest[name] & names for name, names in oldest.items() if name in newest}
    assert len(both) > 15
    back = rows(engine, both)

    upgrade(engine)
    assert columns(engine) == newest
    assert rows(engine, both) == back
    with engine.connect() as connection:
        assert not dangling_references(connection)
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == known_revisions()[0]
    for name, counted in back.items():
        assert counted.total() == everything[name].total(), name

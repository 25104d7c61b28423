"""A database with one row in every proven table, and an attacker who holds it but not the key."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Engine, Float, Integer, Table, create_engine, event, text
from sqlalchemy.pool import NullPool
from sqlalchemy.types import JSON, TypeDecorator

from core.store.proven_tables import PROVEN
from core.store.schema import METADATA
from core.store.tables import Base
from core.store.unit_of_work import Store

MOMENT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
#: Values of columns that the schema checks.
_FITTING: dict[str, Any] = {
    "role": "inspector",
    "disposition": "accept",
    "source": "human",
    "outcome": "concurs",
    "level": 2,
    "frame": 1,
    "pitch_source": "tag",
    "sha256": "a" * 64,
}
_STATES = {"inspections": "open", "promotion_requests": "declined"}


def fill(store: Store) -> None:
    """Store one row in each proven table, through the program, each with its event."""
    rows: dict[str, Any] = {}
    classes = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}
    with store.write() as work:
        for table in METADATA.sorted_tables:
            if table.name in PROVEN:
                row = classes[table.name](**_values(table, rows))
                work._session.add(row)
                work._session.flush()
                rows[table.name] = row


def _values(table: Table, rows: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in table.columns:
        for key in column.foreign_keys:
            parent = rows.get(key.column.table.name)
            values[column.name] = None if parent is None else getattr(parent, key.column.name)
            break
        else:
            values[column.name] = _value(table, column)
    return values


def _value(table: Table, column: Any) -> Any:
    if column.name == "state":
        return _STATES[table.name]
    if column.name in _FITTING:
        return _FITTING[column.name]
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    by_kind = {
        JSON: {"said": 1},
        DateTime: MOMENT,
        Date: date(2027, 1, 31),
        Boolean: True,
        Float: 0.25,
        Integer: 3,
    }
    return next((value for of, value in by_kind.items() if isinstance(kind, of)), column.name[:8])


def disarm(engine: Engine) -> Engine:
    """The database without what it would refuse by itself: triggers, references, checks."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            found = connection.execute(
                text(
                    "SELECT conrelid::regclass::text, conname FROM pg_constraint "
                    "WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace "
                    "ORDER BY contype DESC"
                )
            )
            for table, name in found.all():
                connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
            for table in PROVEN:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.commit()
    plain = create_engine(engine.url, poolclass=NullPool)  # on SQLite it checks no references
    if engine.dialect.name == "sqlite":
        event.listen(plain, "connect", lambda raw, _: raw.execute("PRAGMA ignore_check_constraints = ON"))
    return plain


def other_value(column: Any) -> Any:
    """A value of the column's type that no row of `fill` has, as the driver takes it."""
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    by_kind = {
        JSON: '{"said": 2}',
        DateTime: "2026-03-02 08:30:00.000001",
        Date: "2027-02-01",
        Float: 0.25 + 1e-15,
    }
    for of, value in by_kind.items():
        if isinstance(kind, of):
            return value
    if isinstance(kind, Boolean):
        return False
    return 4 if isinstance(kind, Integer) else "other"

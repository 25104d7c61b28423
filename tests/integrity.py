"""Checking that a database is whole, after a crash."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from core.store.failures import DatabaseUnavailableError
from core.store.integrity import dangling_references

_UNCHECKED_CONSTRAINTS = """
    SELECT conrelid::regclass || '.' || conname FROM pg_constraint
    WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
"""
_INVALID_INDEXES = """
    SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace
"""
_HAS_AMCHECK = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"
_CHECK_INDEXES = """
    SELECT bt_index_check(pg_class.oid, true) FROM pg_class
    JOIN pg_am ON pg_am.oid = relam JOIN pg_index ON indexrelid = pg_class.oid
    WHERE amname = 'btree' AND relkind = 'i' AND indisvalid
    AND relnamespace = current_schema()::regnamespace
"""


def check_integrity(engine: Engine) -> list[str]:
    """Faults of the database, one line each; empty when it is whole. Changes nothing.

    SQLite: its own integrity check, which reads every page, and every foreign key. PostgreSQL: every row
    of every table is read, every foreign key followed, no constraint or index was left unchecked, and,
    where the extension `amcheck` is installed in the database, every B-tree index agrees with its table.

    Raises:
        DatabaseUnavailableError: the database is busy or cannot be reached.
    """
    problems: list[str] = []
    try:
        with engine.connect() as connection:
            look = _sqlite_damage if connection.dialect.name == "sqlite" else _postgresql_damage
            problems.extend(look(connection))
            problems.extend(dangling_references(connection))
    except (SQLAlchemyError, DatabaseUnavailableError) as error:  # a damaged page ends the reading
        if isinstance(error, DatabaseUnavailableError) and type(error.__cause__) is not sqlite3.DatabaseError:
            raise
        problems.append(str(error.__cause__ or error).splitlines()[0])
    return problems


def _sqlite_damage(connection: Connection) -> Iterator[str]:
    for line in connection.scalars(text("PRAGMA integrity_check")):
        if line != "ok":
            yield str(line)


def _postgresql_damage(connection: Connection) -> Iterator[str]:
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    for name in connection.scalars(text(_UNCHECKED_CONSTRAINTS)):
        yield f"the constraint {name} was never checked"
    for name in connection.scalars(text(_INVALID_INDEXES)):
        yield f"the index {name} is incomplete"
    for table in inspect(connection).get_table_names():
        name = connection.dialect.identifier_preparer.quote(table)
        connection.execute(text(f"SELECT count(t::text) FROM {name} AS t"))
    if connection.scalar(text(_HAS_AMCHECK)):
        connection.execute(text(_CHECK_INDEXES)).all()

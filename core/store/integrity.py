"""Checking that every reference of a database leads to a row."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint


def dangling_references(connection: Connection) -> list[str]:
    """A line per foreign key with rows that point to a row that is not there; empty when there is none."""
    found = []
    inspector = inspect(connection)
    for table in inspector.get_table_names():
        for key in inspector.get_foreign_keys(table):
            if n_rows := connection.scalar(text(_count_dangling(connection, table, key))):
                found.append(
                    f"{n_rows} row(s) of {table} point to a row of {key['referred_table']} that is not there"
                )
    return found


def _count_dangling(connection: Connection, table: str, key: ReflectedForeignKeyConstraint) -> str:
    columns = [_quoted(connection, name) for name in key["constrained_columns"]]
    referred = [_quoted(connection, name) for name in key["referred_columns"]]
    is_set = " AND ".join(f"child.{name} IS NOT NULL" for name in columns)
    pairs = zip(columns, referred, strict=True)
    is_parent = " AND ".join(f"parent.{other} = child.{name}" for name, other in pairs)
    return (
        f"SELECT count(*) FROM {_quoted(connection, table)} AS child WHERE {is_set} AND NOT EXISTS "
        f"(SELECT 1 FROM {_quoted(connection, key['referred_table'])} AS parent WHERE {is_parent})"
    )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)

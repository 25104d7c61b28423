"""A PostgreSQL database that tests use one after the other: emptying it is quicker than making another."""

from typing import Any

import psycopg
from psycopg import sql

from tests.postgres import PostgresServer

#: Ends what a test left connected, and waits until it is gone.
_END_OTHERS = sql.SQL(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_TABLES = sql.SQL("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
_REWIND = sql.SQL("SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) "
                  "FROM pg_sequences WHERE last_value IS NOT NULL")  # fmt: skip
#: Changes when a column, constraint, trigger, function or index is made, altered or dropped.
_SCHEMA = sql.SQL("""
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT concat_ws(' ', attrelid, attnum, xmin) AS line FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat_ws(' ', 'constraint', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'trigger', oid, xmin) FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', 'index', indexrelid, indisvalid) FROM pg_index WHERE indexrelid >= 16384
) AS everything
""")


class ReusedDatabase:
    """A database that `restore` makes as its template is.

    Args:
        server: where it is.
        template: the database that it is a copy of.
        name: its own.
    """

    def __init__(self, server: PostgresServer, template: str, name: str) -> None:
        self._server, self._template, self._name = server, template, name
        self._connection: psycopg.Connection[Any] | None = None
        self._schema: object = None
        self._find_filled: sql.Composable = sql.SQL("")
        self._first_rows: dict[str, str] = {}

    def restore(self) -> str:
        """The URL of the database: emptied, or made anew where a test has altered its tables."""
        if self._connection is None or not self._is_emptied(self._connection):
            self.close()
            self._server.drop_database(self._name)
            self._server.create_database(self._name, template=self._template)
            self._connection = self._look(self._server.connect(self._name))
        return self._server.url(self._name)

    def close(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _look(self, connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """Note what there is before the first test."""
        connection.execute("SET session_replication_role = replica")  # no trigger and no foreign key stops it
        self._schema = connection.execute(_SCHEMA).fetchone()
        has_rows = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        tables = [name for (name,) in connection.execute(_TABLES)]
        self._find_filled = sql.SQL(" UNION ALL ").join(
            has_rows.format(sql.Literal(name), sql.Identifier(name)) for name in tables
        )
        rows = sql.SQL("SELECT json_agg(t)::text FROM {} AS t")
        for (name,) in connection.execute(self._find_filled).fetchall():
            (self._first_rows[name],) = connection.execute(rows.format(sql.Identifier(name))).fetchone() or (
                "",
            )
        return connection

    def _is_emptied(self, connection: psycopg.Connection[Any]) -> bool:
        """True when all is as at first, False when the tables themselves were altered."""
        connection.execute(_END_OTHERS)
        if connection.execute(_SCHEMA).fetchone() != self._schema:
            return False
        if filled := [sql.Identifier(name) for (name,) in connection.execute(self._find_filled)]:
            for (
                table
            ) in filled:  # TRUNCATE makes new files of every table and index and takes 30 times as long
                connection.execute(sql.SQL("DELETE FROM {}").format(table))
            connection.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(filled)))
        connection.execute(_REWIND)
        put_back = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})")
        for name, rows in self._first_rows.items():
            connection.execute(put_back.format(sql.Identifier(name), sql.Literal(rows)))
        return True

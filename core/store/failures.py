"""Failures of a busy or missing database as one clear error."""

import re
import sqlite3
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from core.domain.errors import ConfigurationError, WorkbenchError
from core.store.tables import Base

#: SQLSTATE of lock_timeout, statement_timeout, a deadlock and a serialisation failure.
_BUSY_STATES = frozenset({"55P03", "57014", "40P01", "40001"})
_BUSY = "the database is busy: another change is being written; nothing was changed, try again in a moment"
_LOST = "the connection to the database was lost; look whether your last change is there before you repeat it"
_UNREACHABLE = "the database cannot be reached; nothing was changed, try again in a moment"
_FULL = (
    "the disk of the database is full; nothing was changed, what was stored before is safe. Please make "
    "room, then try again"
)
_READ_ONLY = (
    "the database cannot be written: its file or folder is read-only; nothing was changed, what was stored "
    "before is safe. An administrator has to give the right to write"
)
_NOT_OPENED = (
    "the database file cannot be opened; nothing was changed. Is its disk mounted for writing, and may the "
    "user that runs RadiKal open it?"
)
_FAILING = (
    "the disk of the database does not take or give what it should; nothing was changed. Is it full, or "
    "is it failing?"
)
_NO_DATABASE = "the file of the database is none, or damaged; nothing was changed. Restore a backup"
_NO_TABLES = "DATABASE_URL: this database is not at the schema of this release: run `radikal setup` first"
#: Primary result codes of SQLite; the rest of an extended code says why.
_SQLITE_WORDS = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _NOT_OPENED,
    sqlite3.SQLITE_IOERR: _FAILING,
    sqlite3.SQLITE_NOTADB: _NO_DATABASE,
}
#: SQLSTATE of what a server's disk and rights refuse.
_STATE_WORDS = {"53100": _FULL, "25006": _READ_ONLY}
_NO_TABLE = re.compile(r'no such table: (\w+)|relation "(\w+)" does not exist')
_POOL_EMPTY = "the database is busy: all connections are in use; nothing was changed, try again in a moment"


class DatabaseUnavailableError(WorkbenchError):
    """The database is locked, full, read-only, overloaded or away; the cause is chained."""


class BoundedPool(QueuePool):
    """A queue pool; when no connection comes free in time it says so in the user's words."""

    def connect(self) -> PoolProxiedConnection:
        """A connection, handed back when it is closed.

        Raises:
            DatabaseUnavailableError: all are in use for longer than the pool waits.
        """
        try:
            return super().connect()
        except PoolTimeoutError as error:
            raise DatabaseUnavailableError(_POOL_EMPTY) from error


def report_failures(engine: Engine) -> None:
    """Make `engine` raise `DatabaseUnavailableError` when the database is busy, full, read-only or gone.

    One that lacks a table of ours raises `ConfigurationError` with the remedy. Every other failure, such as
    a broken constraint, stays what SQLAlchemy makes of it.
    """
    event.listen(engine, "handle_error", _raise_unavailable)


def _raise_unavailable(context: ExceptionContext) -> None:
    if context.is_pre_ping:  # the pool connects anew, and only when that fails anybody has to hear of it
        return
    if _lacks_schema(context.original_exception):
        raise ConfigurationError(_NO_TABLES) from context.original_exception
    if (message := _message(context)) is not None:
        raise DatabaseUnavailableError(message) from context.original_exception


def _lacks_schema(error: Any) -> bool:
    """True when a table of ours is not there."""
    found = _NO_TABLE.match(str(error))
    return found is not None and (found[1] or found[2]) in Base.metadata.tables


def _message(context: ExceptionContext) -> str | None:
    error: Any = context.original_exception
    if isinstance(error, sqlite3.DatabaseError):
        return _SQLITE_WORDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if (state := getattr(error, "sqlstate", None)) in _BUSY_STATES:
        return _BUSY
    if state in _STATE_WORDS:
        return _STATE_WORDS[state]
    if context.dialect.name != "postgresql":
        return None
    if context.is_disconnect:
        return _LOST
    return _UNREACHABLE if context.connection is None else None

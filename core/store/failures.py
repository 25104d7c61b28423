"""Failures of a busy or missing database as one clear error."""

import sqlite3
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from core.domain.errors import WorkbenchError

#: SQLSTATE of lock_timeout, statement_timeout, a deadlock and a serialisation failure.
_BUSY_STATES = frozenset({"55P03", "57014", "40P01", "40001"})
_BUSY = "the database is busy: another change is being written; nothing was changed, try again in a moment"
_LOST = "the connection to the database was lost; look whether your last change is there before you repeat it"
_UNREACHABLE = "the database cannot be reached; nothing was changed, try again in a moment"
_POOL_EMPTY = "the database is busy: all connections are in use; nothing was changed, try again in a moment"


class DatabaseUnavailableError(WorkbenchError):
    """The database is locked, overloaded, gone or cannot be reached; the cause is chained."""


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
    """Make `engine` raise `DatabaseUnavailableError` when the database is busy or gone.

    Every other failure, such as a broken constraint, stays what SQLAlchemy makes of it.
    """
    event.listen(engine, "handle_error", _raise_unavailable)


def _raise_unavailable(context: ExceptionContext) -> None:
    if (message := _message(context)) is not None:
        raise DatabaseUnavailableError(message) from context.original_exception


def _message(context: ExceptionContext) -> str | None:
    error: Any = context.original_exception
    if isinstance(error, sqlite3.OperationalError):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of an extended code says why
        return _BUSY if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) else None
    if getattr(error, "sqlstate", None) in _BUSY_STATES:
        return _BUSY
    if context.dialect.name != "postgresql":
        return None
    if context.is_disconnect:
        return _LOST
    return _UNREACHABLE if context.connection is None else None

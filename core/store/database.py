"""Opening the database and bringing it to the newest schema."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from core.domain.errors import ConfigurationError
from core.store.failures import BoundedPool, DatabaseUnavailableError, report_failures
from core.store.integrity import dangling_references
from core.store.private_files import FOLDER_MODE, make_private_file

MIGRATIONS = Path(__file__).parent / "migrations"
#: Wait of a thread for a free connection, and of a writer for another writer.
_WAIT_S = 10.0
#: Connections to one database: kept open, and opened above that for a while.
_POOL = {"pool_size": 5, "max_overflow": 10}
_CONNECT_TIMEOUT_S = 5
_SWITCH_PAUSE_S = 0.01
#: Settings of every PostgreSQL session: no statement and no forgotten transaction holds others up,
#: and a commit returns when it is on the disk, whatever the server's own setting.
_POSTGRESQL_SETTINGS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "synchronous_commit": "on",
}
#: Any number, as long as nothing else in the database locks it.
_UPGRADE_LOCK = 0x7261646B


def open_database(url: str, *, wait_s: float = _WAIT_S) -> Engine:
    """An engine on `url`; the folder of a SQLite file is created, the schema is not: see `upgrade`.

    SQLite runs in WAL mode, flushes every commit to the disk, checks foreign keys, and waits for other
    writers. PostgreSQL is reached through psycopg 3 and a bounded pool whose connections are pinged before
    they are used again; a query part of the URL (`?options=`, `?application_name=`) wins over our settings.

    A transaction that will write says so first, with `writing(engine)`: on SQLite one that reads and then
    writes would otherwise fail at once when another one wrote in between.

    Args:
        url: SQLAlchemy URL.
        wait_s: how long a thread waits for a free connection, and a writer for another one, before it gets a
            `DatabaseUnavailableError`.

    Raises:
        ConfigurationError: names DATABASE_URL when it cannot be understood, its driver is not installed,
            or the folder of the file cannot be made.
    """
    try:
        parsed = make_url(url)
        opened = _open_sqlite if parsed.get_backend_name() == "sqlite" else _open_server
        engine = opened(parsed, wait_s)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"DATABASE_URL: {_first_line(error)}") from error
    report_failures(engine)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine and pool for transactions that write: on SQLite they begin with the write lock."""
    return engine.execution_options(sqlite_begin="IMMEDIATE")


def upgrade(engine: Engine) -> None:
    """Bring the schema of `engine` to the newest revision; does nothing when it is there already.

    One transaction, so that a failure leaves the schema as it was; processes that start at the same time
    wait for each other.

    Raises:
        ConfigurationError: names DATABASE_URL when the database cannot be reached, was written by
            a newer release, or holds a row that points nowhere.
    """
    config = _migrations(MIGRATIONS)
    newest, known = known_revisions()
    try:
        with (
            writing(engine).connect() as connection,
            _without_foreign_keys(connection),
            connection.begin(),
        ):
            _wait_for_other_upgrades(connection)
            current = MigrationContext.configure(connection).get_current_revision()
            if current == newest:
                return
            if current is not None and current not in known:
                raise ConfigurationError(f"DATABASE_URL: {unknown_revision(current)}")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if dangling := dangling_references(connection):
                raise ConfigurationError(f"DATABASE_URL: {dangling[0]}; restore a backup")
    except (SQLAlchemyError, DatabaseUnavailableError) as error:
        is_told = isinstance(error, DatabaseUnavailableError) and engine.dialect.name == "sqlite"
        cause = error if is_told else error.__cause__ or error  # a server says why it was not reached
        raise ConfigurationError(f"DATABASE_URL: {_first_line(cause)}") from error


def known_revisions() -> tuple[str, frozenset[str]]:
    """The newest revision of the schema, and all that this release knows."""
    return _revisions_in(MIGRATIONS)


def unknown_revision(current: str) -> str:
    """The sentence about a schema that this release does not know."""
    return (
        f"the database is at revision {current}, which this release does not know. "
        "If a newer release wrote it, install that one or restore a backup; if one from before "
        "the first schema that is kept wrote it, start with an empty database"
    )


def is_reachable(engine: Engine) -> bool:
    """True when the database answers a query now."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, DatabaseUnavailableError):
        return False
    return True


def _migrations(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


@cache
def _revisions_in(folder: Path) -> tuple[str, frozenset[str]]:
    script = ScriptDirectory.from_config(_migrations(folder))
    return str(script.get_current_head()), frozenset(each.revision for each in script.walk_revisions())


def _open_sqlite(url: URL, wait_s: float) -> Engine:
    if url.database in (None, "", ":memory:"):
        engine = create_engine(url, hide_parameters=True)
    else:
        folder = Path(str(url.database)).parent
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"DATABASE_URL: cannot make the folder of {url.database}: {error.strerror}"
            ) from error
        engine = create_engine(url, poolclass=BoundedPool, pool_timeout=wait_s, hide_parameters=True, **_POOL)
        event.listen(engine, "do_connect", partial(_make_private, Path(str(url.database))))
    event.listen(engine, "connect", partial(_configure_sqlite, busy_timeout_ms=round(1000 * wait_s)))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_server(url: URL, wait_s: float) -> Engine:
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        sessions = _POSTGRESQL_SETTINGS | {"lock_timeout": f"{round(1000 * wait_s)}ms"}
        arguments = {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "radikal",
            "options": " ".join(f"-c {name}={value}" for name, value in sessions.items()),
        }
    arguments = {name: value for name, value in arguments.items() if name not in url.query}
    return create_engine(
        url,
        hide_parameters=True,  # they may hold what nobody should read in a log
        poolclass=BoundedPool,
        pool_timeout=wait_s,
        pool_pre_ping=True,
        connect_args=arguments,
        **_POOL,
    )


def _make_private(path: Path, *_connecting: object) -> None:
    """Make the file before SQLite does, which would let everybody read it; its log takes over the mode."""
    with suppress(OSError):  # SQLite tells
        make_private_file(path)


def _configure_sqlite(connection: Any, _record: object, *, busy_timeout_ms: int) -> None:
    connection.isolation_level = None  # the driver would begin too late, and not at all before DDL
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
    _switch_to_wal(cursor, busy_timeout_ms / 1000)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _switch_to_wal(cursor: Any, wait_s: float) -> None:
    """Switch a new file to WAL; SQLite itself does not wait for a process that writes to it just then."""
    give_up = time.monotonic() + wait_s
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > give_up:
                raise
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _wait_for_other_upgrades(connection: Connection) -> None:
    """Hold the lock of upgrades until the transaction ends; SQLite's write lock is one already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '10min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite rebuilds a table to alter it; with foreign keys on, that would empty what refers to it.

    It listens outside a transaction only, so this goes past SQLAlchemy, which would begin one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Opening the database and bringing it to the newest schema."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from core.domain.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"
#: How long a writer waits for another one before SQLite gives up.
_BUSY_TIMEOUT_MS = 10_000


def open_database(url: str) -> Engine:
    """An engine on `url`; the folder of a SQLite file is created, the schema is not: see `upgrade`.

    SQLite runs in WAL mode, checks foreign keys, and waits for other writers. Other databases are
    pinged before a pooled connection is used again.

    Raises:
        ConfigurationError: names DATABASE_URL when it cannot be understood, its driver is not installed,
            or the folder of the file cannot be made.
    """
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=not is_sqlite)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"DATABASE_URL: {_first_line(error)}") from error
    except OSError as error:
        raise ConfigurationError(
            f"DATABASE_URL: cannot make the folder of {parsed.database}: {error.strerror}"
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _configure_sqlite)
    return engine


def upgrade(engine: Engine) -> None:
    """Bring the schema of `engine` to the newest revision; does nothing when it is there already.

    One transaction, so that a failure leaves the schema as it was; on SQLite processes that start at the
    same time wait for each other.

    Raises:
        ConfigurationError: names DATABASE_URL when the database cannot be reached or was written by
            a newer release.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself begins too late for DDL
            current = MigrationContext.configure(connection).get_current_revision()
            if current == script.get_current_head():
                return
            if current is not None and current not in {revision.revision for revision in _revisions(script)}:
                raise ConfigurationError(
                    f"DATABASE_URL: the database is at revision {current}, which this release does not know; "
                    "install the release that wrote it, or restore a backup"
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise ConfigurationError(f"DATABASE_URL: {_first_line(error)}") from error


def is_reachable(engine: Engine) -> bool:
    """True when the database answers a query now."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _revisions(script: ScriptDirectory) -> list[Any]:
    return list(script.walk_revisions())


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Copies of databases while others write to them, and databases made of such copies."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo
from sqlalchemy import Connection, Engine, column, create_engine, inspect, select, table, text

from core.domain.errors import BackupDamagedError, BackupPlaceError, ConfigurationError
from core.store.backups.manifest import DatabaseState
from core.store.backups.sealing import PIECE_BYTES
from core.store.integrity import dangling_references
from core.store.private_files import make_private_file
from core.store.record_tables import AuditEventRow, AuditHeadRow
from core.store.tables import ImageRow

#: Names of the copies in a backup.
SQLITE_FILE, POSTGRESQL_FILE, REGISTRY_FILE = "radikal.db", "radikal.dump", "mlflow.db"
_REVISION = table("alembic_version", column("version_num"))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database at one moment.

    Attributes:
        state: what it was.
        originals: digests of the files that its images need.
        pieces: the copy.
    """

    state: DatabaseState
    originals: frozenset[str]
    pieces: Iterator[bytes] = field(repr=False)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database to a file of its own, whole and checked, while others write to it.

    One read transaction: in WAL mode no writer waits for it.

    Raises:
        BackupDamagedError: SQLite finds the copy damaged.
    """
    make_private_file(target)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            opened.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
            told = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupDamagedError(f"the database {source} could not be copied: {error}") from error
    if told != "ok":
        raise BackupDamagedError(f"the database {source} is damaged: {str(told).splitlines()[0]}")


def sqlite_state(copy: Path) -> tuple[DatabaseState, frozenset[str]]:
    """What the copy of RadiKal's database was, and the originals that it needs."""
    engine = create_engine(f"sqlite:///{copy}")
    try:
        with engine.connect() as connection:
            return _state(connection, "sqlite"), _originals(connection)
    finally:
        engine.dispose()


@contextmanager
def dumped_postgresql(engine: Engine) -> Iterator[Snapshot]:
    """The database of a PostgreSQL server at one moment, as pg_dump's custom format; no writer waits.

    Raises:
        ConfigurationError: pg_dump is not installed.
        BackupDamagedError: it failed; raised where the pieces end.
    """
    program = _program("pg_dump")
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        exported = connection.scalar(text("SELECT pg_export_snapshot()"))
        state, originals = _state(connection, "postgresql"), _originals(connection)
        arguments = [program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={exported}"]
        yield Snapshot(state, originals, _output(arguments, *_connection(engine)))


def load_postgresql(engine: Engine, pieces: Iterable[bytes]) -> None:
    """Make an empty database of a server what `dumped_postgresql` copied, in one transaction.

    Raises:
        ConfigurationError: pg_restore is not installed.
        BackupDamagedError: it failed; the database is as empty as before.
    """
    connection, secrets = _connection(engine)
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    process = subprocess.Popen(
        [_program("pg_restore"), *arguments, f"--dbname={connection}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | secrets,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:  # it says why below
            pass
        told = process.stderr.read().decode(errors="replace")
        code = process.wait()
    finally:
        _end(process)
    if code != 0:
        raise BackupDamagedError(f"pg_restore failed: {_reason(told)}")


def require_empty(engine: Engine) -> None:
    """Return when a database of a server has no tables.

    Raises:
        BackupPlaceError: it has some.
    """
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        if n_tables := connection.scalar(text(query)):
            raise BackupPlaceError(
                f"DATABASE_URL: this database holds {n_tables} tables; a restore goes into an empty one only"
            )


@contextmanager
def temporary_postgresql(engine: Engine, name: str) -> Iterator[Engine]:
    """A new database on the server of `engine`, removed at the end.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the user may not make one, or the server is away.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
    made = create_engine(engine.url.set(database=name))
    try:
        yield made
    finally:
        made.dispose()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def faults_of(engine: Engine) -> list[str]:
    """Sentences about what is wrong with a database that was made of a copy; empty when it is whole."""
    with engine.connect() as connection:
        found = dangling_references(connection)
        if engine.dialect.name == "sqlite":
            told = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check(10)"))]
            found += [line for line in told if line != "ok"]
    return found


def relocate_registry(database: Path, old: str, new: str) -> int:
    """Let MLflow's records name files below the URI `new` instead of `old`; how many values were changed."""
    changed, values = 0, {"old": old, "new": new, "n": len(old)}
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            for place in _URI_COLUMNS.intersection(columns):
                statement = (
                    f'UPDATE "{name}" SET "{place}" = :new || substr("{place}", :n + 1) '
                    f"WHERE substr(\"{place}\" || '/', 1, :n + 1) = :old || '/'"
                )
                changed += connection.execute(statement, values).rowcount
    return changed


#: Columns of MLflow's tables that say where files lie.
_URI_COLUMNS = frozenset({"artifact_location", "artifact_uri", "source", "storage_location"})


def _state(connection: Connection, kind: str) -> DatabaseState:
    """What the database is; of an earlier release, too, or without a schema."""
    known = set(inspect(connection).get_table_names())
    revision = connection.scalar(select(_REVISION.c.version_num)) if _REVISION.name in known else ""
    if AuditHeadRow.__tablename__ not in known:
        return DatabaseState(kind, str(revision or ""), 0, None, "")
    head = connection.execute(select(AuditHeadRow.seq, AuditHeadRow.key_id)).first()
    newest_at = connection.scalar(select(AuditEventRow.at).order_by(AuditEventRow.seq.desc()).limit(1))
    return DatabaseState(
        kind,
        str(revision or ""),
        0 if head is None else int(head.seq),
        None if newest_at is None else newest_at.isoformat(),
        "" if head is None else str(head.key_id),
    )


def _originals(connection: Connection) -> frozenset[str]:
    """Digests of the files of all images; before there was a column for them, an image was its file."""
    inspector = inspect(connection)
    if not inspector.has_table(ImageRow.__tablename__):
        return frozenset()
    columns = {str(one["name"]) for one in inspector.get_columns(ImageRow.__tablename__)}
    digest = ImageRow.file_sha256 if "file_sha256" in columns else ImageRow.sha256
    return frozenset(connection.scalars(select(digest)))


def _connection(engine: Engine) -> tuple[str, dict[str, str]]:
    """How PostgreSQL's programs reach the database: what may stand in their arguments, and what may not."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    arguments = {name: value for name, value in arguments.items() if name in known}  # psycopg has its own
    password = arguments.pop("password", None)
    return make_conninfo("", **arguments), {} if password is None else {"PGPASSWORD": str(password)}


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(
            f"{name} is not installed: it copies a PostgreSQL database (Debian: package postgresql-client)"
        )
    return found


def _output(command: list[str], connection: str, secrets: dict[str, str]) -> Iterator[bytes]:
    process = subprocess.Popen(
        [*command, f"--dbname={connection}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | secrets,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        while piece := process.stdout.read(PIECE_BYTES):
            yield piece
        told = process.stderr.read().decode(errors="replace")
        if process.wait() != 0:
            raise BackupDamagedError(f"pg_dump failed: {_reason(told)}")
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            stream.close()


def _reason(told: str) -> str:
    lines = [line for line in told.splitlines() if line.strip()]
    return lines[0] if lines else "it did not say why"

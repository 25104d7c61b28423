import shutil
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, TextClause, inspect, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, StatementError
from sqlalchemy.orm import Session

from core.domain.errors import ConfigurationError
from core.store.account_tables import PersonRow, UserRow
from core.store.database import MIGRATIONS, is_reachable, open_database, upgrade, writing
from core.store.failures import DatabaseUnavailableError
from core.store.tables import Base, JobRow

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def job(**changes: object) -> JobRow:
    values = {"id": "j1", "kind": "train", "state": "queued", "created_at": NOON, "updated_at": NOON}
    return JobRow(**(values | changes))


@on_sqlite
def test_sqlite_flushes_every_commit_and_checks_foreign_keys(engine: Engine) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with engine.connect() as connection:
        assert {name: connection.scalar(text(f"PRAGMA {name}")) for name in expected} == expected


@on_postgresql
def test_postgresql_flushes_every_commit_and_bounds_every_wait(engine: Engine) -> None:
    expected = {
        "application_name": "radikal",
        "synchronous_commit": "on",
        "statement_timeout": "30s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
    }
    with engine.connect() as connection:
        assert {name: connection.scalar(text(f"SHOW {name}")) for name in expected} == expected


@on_postgresql
def test_what_the_url_says_wins(database_url: str) -> None:
    asked = "options=-c%20statement_timeout%3D7s&application_name=nightly"
    engine = open_database(f"{database_url.replace('+psycopg', '')}&{asked}")
    with engine.connect() as connection:
        assert engine.dialect.driver == "psycopg"
        assert connection.scalar(text("SHOW statement_timeout")) == "7s"
        assert connection.scalar(text("SHOW application_name")) == "nightly"
    engine.dispose()


def test_the_migrations_build_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_build_the_same_constraints(engine: Engine, new_database: Callable[[], str]) -> None:
    direct = open_database(new_database())
    Base.metadata.create_all(direct)
    migrated, created = inspect(engine), inspect(direct)
    for table in Base.metadata.tables:
        assert _names(migrated.get_check_constraints(table)) == _names(created.get_check_constraints(table))
        assert migrated.get_pk_constraint(table) == created.get_pk_constraint(table)
        assert _by_name(migrated.get_foreign_keys(table)) == _by_name(created.get_foreign_keys(table))
        assert _by_name(migrated.get_indexes(table)) == _by_name(created.get_indexes(table))
    direct.dispose()


def _names(constraints: list) -> set:
    return {(constraint["name"], " ".join(constraint["sqltext"].split())) for constraint in constraints}


def _by_name(constraints: list) -> list:
    return sorted(constraints, key=lambda constraint: constraint["name"])


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(job())
    upgrade(engine)
    with Session(engine) as session:
        assert session.get_one(JobRow, "j1").state == "queued"


def test_processes_that_start_together_upgrade_once(new_database: Callable[[], str]) -> None:
    url = new_database()
    barrier = threading.Barrier(4)
    errors: list[Exception] = []

    def start() -> None:
        own = open_database(url)
        barrier.wait()
        try:
            upgrade(own)
        except Exception as error:  # noqa: BLE001 - reported below, in the main thread
            errors.append(error)
        own.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@on_sqlite
def test_a_new_file_that_another_process_is_writing_is_waited_for(new_database: Callable[[], str]) -> None:
    """SQLite refuses at once to switch such a file to WAL, however long it may wait for a lock."""
    url = new_database()
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE written_elsewhere (number)")
    other.execute("BEGIN IMMEDIATE")
    ends = threading.Timer(0.3, other.execute, ["COMMIT"])
    ends.start()
    engine = open_database(url)
    upgrade(engine)
    assert {"jobs", "written_elsewhere"} < set(inspect(engine).get_table_names())
    ends.join()
    other.close()
    engine.dispose()


@on_sqlite
def test_a_new_file_that_stays_locked_is_told_in_words(new_database: Callable[[], str]) -> None:
    url = new_database()
    other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    engine = open_database(url, wait_s=0.1)
    with pytest.raises(ConfigurationError, match="DATABASE_URL: the database is busy"):
        upgrade(engine)
    other.close()
    engine.dispose()


def test_an_upgrade_that_fails_leaves_the_schema_as_it_was(new_database: Callable[[], str]) -> None:
    engine = open_database(new_database())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jobs (something_else TEXT)"))
    with pytest.raises(ConfigurationError, match="DATABASE_URL: .*jobs.* already exists"):
        upgrade(engine)
    assert inspect(engine).get_table_names() == ["jobs"]
    engine.dispose()


REBUILD = """
from alembic import op
revision, down_revision = "9000", "{newest}"
def upgrade():
    with op.batch_alter_table("users") as users:
        users.alter_column("role", nullable=True)
    op.execute("{statement}")
"""


@pytest.fixture
def next_release(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that adds a migration, which builds the users anew and then runs a statement."""

    def add(statement: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, folder)
        with engine.connect() as connection:
            newest = MigrationContext.configure(connection).get_current_revision()
        script = REBUILD.format(newest=newest, statement=statement)
        (folder / "versions" / "9000_rebuild.py").write_text(script)
        monkeypatch.setattr("core.store.database.MIGRATIONS", folder)

    return add


def test_building_a_table_anew_keeps_the_rows_that_refer_to_it(
    engine: Engine, next_release: Callable[[str], None]
) -> None:
    with Session(engine) as session, session.begin():
        session.add(
            UserRow(
                user_id="u-1",
                role="admin",
                is_active=True,
                must_change_password=False,
                credentials_version=1,
                created_at=NOON,
            )
        )
        session.flush()
        session.add(PersonRow(user_id="u-1", name="a name", full_name="A Name"))
    next_release("SELECT 1")
    upgrade(engine)
    with Session(engine) as session:
        assert session.get_one(PersonRow, "u-1").name == "a name"
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9000"
        session.add(PersonRow(user_id="nobody", name="other", full_name="Other"))
        with pytest.raises(IntegrityError):  # they are checked again
            session.flush()


@on_sqlite
def test_an_upgrade_that_leaves_a_row_pointing_nowhere_is_undone(
    engine: Engine, next_release: Callable[[str], None]
) -> None:
    next_release("INSERT INTO people (user_id, name, full_name) VALUES ('nobody', 'a name', 'A Name')")
    with pytest.raises(ConfigurationError, match=r"1 row\(s\) of people point to a row of users"):
        upgrade(engine)
    with Session(engine) as session:
        assert session.query(PersonRow).count() == 0
        assert session.scalar(text("SELECT version_num FROM alembic_version")) != "9000"


@pytest.mark.parametrize("revision", ["r9999", "0001", "0009"])
def test_a_database_of_a_newer_release_or_of_before_the_first_schema_is_refused(
    engine: Engine, revision: str
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})
    with pytest.raises(ConfigurationError, match=f"at revision {revision}, .* start with an empty database"):
        upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == revision


def test_the_folder_of_the_database_is_created(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/deep/er/radikal.db")
    assert is_reachable(engine)
    assert (tmp_path / "deep" / "er" / "radikal.db").is_file()
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y", "postgresql+nodriver://x/y"])
def test_a_url_that_cannot_be_opened_names_its_key(url: str) -> None:
    with pytest.raises(ConfigurationError, match="^DATABASE_URL: "):
        open_database(url)


def test_a_folder_that_cannot_be_made_names_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="^DATABASE_URL: cannot make the folder"):
        open_database(f"sqlite:///{tmp_path}/file/radikal.db")


def test_a_file_that_is_no_database_is_unreachable_and_named(tmp_path: Path) -> None:
    (tmp_path / "note.db").write_text("this is a text file, not a database, and it is long enough\n" * 20)
    engine = open_database(f"sqlite:///{tmp_path}/note.db")
    assert not is_reachable(engine)
    with pytest.raises(
        ConfigurationError, match="^DATABASE_URL: the file of the database is none, or damaged"
    ):
        upgrade(engine)
    engine.dispose()


def test_moments_come_back_in_utc(engine: Engine) -> None:
    berlin = timezone(timedelta(hours=2))
    with Session(engine) as session, session.begin():
        session.add(job(created_at=NOON.astimezone(berlin)))
    with Session(engine) as session:
        stored = session.get_one(JobRow, "j1").created_at
    assert (stored, stored.utcoffset()) == (NOON, timedelta(0))


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(job(created_at=datetime(2026, 3, 1)))
        with pytest.raises(StatementError, match="time zone"):
            session.flush()


@pytest.mark.parametrize("change", [{"state": "sleeping"}, {"progress": 1.01}, {"progress": -0.01}])
def test_an_impossible_job_is_refused_by_the_database(engine: Engine, change: dict) -> None:
    with Session(engine) as session:
        session.add(job(**change))
        with pytest.raises(IntegrityError):
            session.flush()


def test_payload_and_defaults_survive(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(job(payload={"recipe": "weld.yaml", "seeds": [1, 2]}, progress=1.0))
        session.add(job(id="j2"))
    with Session(engine) as session:
        assert session.get_one(JobRow, "j1").payload == {"recipe": "weld.yaml", "seeds": [1, 2]}
        other = session.get_one(JobRow, "j2")
        assert (other.progress, other.message, other.payload) == (0.0, "", {})


def test_writers_wait_for_each_other(engine: Engine) -> None:
    errors: list[Exception] = []

    def write(start: int) -> None:
        try:
            for n in range(start, start + 20):
                with Session(engine) as session, session.begin():
                    session.add(job(id=f"j{n}"))
        except Exception as error:  # noqa: BLE001 - reported below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Session(engine) as session:
        assert session.query(JobRow).count() == 80


@on_sqlite
def test_a_transaction_that_reads_and_then_writes_waits_for_its_turn(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(job(message="0"))
    errors: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(20):
                with Session(writing(engine)) as session, session.begin():
                    row = session.get_one(JobRow, "j1")
                    row.message = str(int(row.message) + 1)
        except Exception as error:  # noqa: BLE001 - reported below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Session(engine) as session:
        assert session.get_one(JobRow, "j1").message == "80"


def test_what_is_rolled_back_never_was(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE short_lived (n INTEGER)"))
        connection.execute(text("INSERT INTO short_lived VALUES (1)"))
        connection.rollback()
    assert not inspect(engine).has_table("short_lived")


def test_a_reader_sees_one_state_on_sqlite_while_another_writes(engine: Engine) -> None:
    with Session(engine) as reader, Session(writing(engine)) as writer:
        assert reader.query(JobRow).count() == 0
        writer.add(job())
        writer.commit()
        assert reader.query(JobRow).count() == (0 if engine.dialect.name == "sqlite" else 1)


def test_a_writer_that_waits_too_long_gets_one_clear_error(engine: Engine, database_url: str) -> None:
    with Session(engine) as session, session.begin():
        session.add(job())
    impatient = open_database(database_url, wait_s=0.1)
    change = text("UPDATE jobs SET message = 'mine'")
    with writing(engine).begin() as connection:
        connection.execute(change)
        with pytest.raises(DatabaseUnavailableError, match="another change is being written"):
            _run(impatient, change)
    _run(impatient, change)
    impatient.dispose()


def test_a_pool_without_a_free_connection_gives_one_clear_error(database_url: str) -> None:
    engine = open_database(database_url, wait_s=0.1)
    held = [engine.connect() for _ in range(15)]
    with pytest.raises(DatabaseUnavailableError, match="all connections are in use"):
        engine.connect()
    assert not is_reachable(engine)
    held.pop().close()
    assert is_reachable(engine)
    for connection in held:
        connection.close()
    engine.dispose()


@on_postgresql
def test_a_statement_that_takes_too_long_is_stopped(database_url: str) -> None:
    engine = open_database(f"{database_url}&options=-c%20statement_timeout%3D50ms")
    with pytest.raises(DatabaseUnavailableError, match="the database is busy"):
        _run(engine, text("SELECT pg_sleep(5)"))
    engine.dispose()


@on_postgresql
def test_a_lost_connection_is_one_clear_error_and_the_next_one_works(engine: Engine) -> None:
    me = text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        _run(engine, text(f"SELECT pg_terminate_backend({connection.scalar(me)}, 5000)"))
        with pytest.raises(DatabaseUnavailableError, match="connection to the database was lost"):
            connection.execute(me)
    assert is_reachable(engine)


@on_postgresql
def test_a_connection_that_was_lost_while_idle_is_replaced_unnoticed(engine: Engine) -> None:
    me = text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        idle = connection.scalar(me)
    other = open_database(engine.url.render_as_string(hide_password=False))
    _run(other, text(f"SELECT pg_terminate_backend({idle}, 5000)"))
    other.dispose()
    with engine.connect() as connection:
        assert connection.scalar(me) != idle


def test_a_server_that_is_not_there_is_unreachable_and_named(tmp_path: Path) -> None:
    engine = open_database(f"postgresql://nobody@/radikal?host={tmp_path}")
    assert not is_reachable(engine)
    with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
        engine.connect()
    with pytest.raises(ConfigurationError, match="^DATABASE_URL: connection is bad"):
        upgrade(engine)
    engine.dispose()


def test_other_failures_stay_what_they_are(engine: Engine) -> None:
    missing = OperationalError if engine.dialect.name == "sqlite" else ProgrammingError
    with pytest.raises(missing, match="nowhere"):
        _run(engine, text("SELECT * FROM nowhere"))


@on_sqlite
@pytest.mark.parametrize(
    ("pragma", "words"),
    [
        ("query_only = ON", "read-only; nothing was changed"),
        ("max_page_count = 1", "disk of the database is full"),
    ],
)
def test_a_disk_that_takes_nothing_is_one_clear_error(database_url: str, pragma: str, words: str) -> None:
    engine = open_database(database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")
        with pytest.raises(DatabaseUnavailableError, match=words):
            connection.exec_driver_sql("CREATE TABLE films AS SELECT zeroblob(1000000) AS bytes")
    engine.dispose()


def test_a_database_without_our_tables_names_the_remedy(new_database: Callable[[], str]) -> None:
    engine = open_database(new_database())
    with pytest.raises(ConfigurationError, match="run `radikal setup` first"):
        _run(engine, text("SELECT * FROM images"))
    engine.dispose()


def _run(engine: Engine, statement: TextClause) -> None:
    with writing(engine).begin() as connection:
        connection.execute(statement)

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from core.domain.errors import ConfigurationError
from core.store.database import MIGRATIONS, is_reachable, open_database, upgrade
from core.store.tables import Base, JobRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def job(**changes: object) -> JobRow:
    values = {"id": "j1", "kind": "train", "state": "queued", "created_at": NOON, "updated_at": NOON}
    return JobRow(**(values | changes))


def test_sqlite_runs_in_wal_mode_and_checks_foreign_keys(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_the_migrations_build_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_build_the_same_constraints(engine: Engine, tmp_path: Path) -> None:
    direct = open_database(f"sqlite:///{tmp_path}/direct.db")
    Base.metadata.create_all(direct)
    migrated, created = inspect(engine), inspect(direct)
    for table in Base.metadata.tables:
        assert _names(migrated.get_check_constraints(table)) == _names(created.get_check_constraints(table))
        assert migrated.get_pk_constraint(table) == created.get_pk_constraint(table)
    direct.dispose()


def _names(constraints: list) -> set:
    return {(constraint["name"], " ".join(constraint["sqltext"].split())) for constraint in constraints}


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(job())
    upgrade(engine)
    with Session(engine) as session:
        assert session.get_one(JobRow, "j1").state == "queued"


def test_processes_that_start_together_upgrade_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)
    errors: list[Exception] = []

    def start() -> None:
        own = open_database(f"sqlite:///{tmp_path}/shared.db")
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


def test_an_upgrade_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/foreign.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jobs (something_else TEXT)"))
    with pytest.raises(ConfigurationError, match="DATABASE_URL: .*jobs already exists"):
        upgrade(engine)
    assert inspect(engine).get_table_names() == ["jobs"]
    engine.dispose()


def test_a_database_of_a_newer_release_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="DATABASE_URL: the database is at revision 9999"):
        upgrade(engine)


def test_downgrading_leaves_an_empty_database(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


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
    with pytest.raises(ConfigurationError, match="^DATABASE_URL: .*not a database"):
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

"""Copies of databases."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import BackupDamagedError
from core.store.backups.snapshots import copy_sqlite, relocate_registry
from tests.empty_stores import copy_empty_mlflow

OLD, NEW = "file:///old/registry", "file:///new%20place/registry"


def test_a_copy_holds_what_is_only_in_the_log_and_is_one_private_file(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (n)")
        writer.execute("INSERT INTO t VALUES (7)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (8)")
        copy_sqlite(tmp_path / "a.db", tmp_path / "b.db")
        writer.execute("COMMIT")
    assert sorted(path.name for path in tmp_path.glob("b.db*")) == ["b.db"]
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "b.db")) as copy:
        assert copy.execute("SELECT n FROM t").fetchall() == [(7,)], "what was not committed is not there"


def test_a_damaged_database_is_not_copied_as_if_it_were_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("CREATE TABLE t (n)")
        made.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 200)
    content = bytearray((tmp_path / "a.db").read_bytes())
    content[4096:12288] = bytes(8192)
    (tmp_path / "a.db").write_bytes(content)
    with pytest.raises(BackupDamagedError, match=r"a\.db is damaged"):
        copy_sqlite(tmp_path / "a.db", tmp_path / "b.db")


def test_mlflows_records_name_the_new_folder_and_what_lies_elsewhere_stays(tmp_path: Path) -> None:
    copy_empty_mlflow(tmp_path / "mlflow.db")
    locations = [f"{OLD}/mlflow-artifacts", OLD, f"{OLD}-of-yesterday/x", "s3://bucket/registry"]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        statement = (
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage) VALUES (?, ?, 'active')"
        )
        database.executemany(statement, [(where, where) for where in locations])
    assert relocate_registry(tmp_path / "mlflow.db", OLD, NEW) == 2
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        query = "SELECT artifact_location FROM experiments WHERE name = ?"
        found = [database.execute(query, [where]).fetchone()[0] for where in locations]
    assert found == [f"{NEW}/mlflow-artifacts", NEW, f"{OLD}-of-yesterday/x", "s3://bucket/registry"]

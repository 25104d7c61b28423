from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.store.database import open_database
from core.store.failures import DatabaseUnavailableError
from tests.integrity import check_integrity

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
TREE = [
    "CREATE TABLE parts (id INTEGER PRIMARY KEY)",
    "CREATE TABLE films (id INTEGER PRIMARY KEY, part INTEGER REFERENCES parts (id), note TEXT)",
    "INSERT INTO parts VALUES (1)",
    "INSERT INTO films VALUES (1, 1, ''), (2, NULL, '')",
]


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def tree(new_database: Callable[[], str]):
    engine = open_database(new_database())
    run(engine, *TREE)
    yield engine
    engine.dispose()


def test_a_new_database_is_whole(engine: Engine) -> None:
    assert check_integrity(engine) == []


def test_rows_without_a_parent_are_counted_and_rows_without_a_reference_are_fine(tree: Engine) -> None:
    assert check_integrity(tree) == []
    with tree.connect() as connection:
        if tree.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("INSERT INTO films VALUES (3, 8, ''), (4, 9, '')"))
        connection.commit()
    assert check_integrity(tree) == ["2 row(s) of films point to a row of parts that is not there"]


@on_sqlite
def test_a_damaged_page_is_found(tree: Engine, tmp_path: Path) -> None:
    run(tree, *(f"INSERT INTO films VALUES ({n}, 1, '{'x' * 900}')" for n in range(3, 60)))
    tree.dispose()
    (path,) = tmp_path.glob("*.db")
    data = bytearray(path.read_bytes())
    data[4096 * 5 : 4096 * 5 + 200] = b"\xff" * 200
    path.write_bytes(data)
    assert check_integrity(tree)


@on_sqlite
def test_a_file_that_is_no_database_is_damage(new_database: Callable[[], str], tmp_path: Path) -> None:
    engine = open_database(new_database())
    Path(str(engine.url.database)).write_text("a text file, not a database, and it is long enough\n" * 20)
    assert check_integrity(engine) == ["file is not a database"]
    engine.dispose()


@on_postgresql
def test_a_constraint_that_was_never_checked_is_damage(tree: Engine) -> None:
    run(tree, "ALTER TABLE films ADD CONSTRAINT has_note CHECK (note <> '') NOT VALID")
    assert check_integrity(tree) == ["the constraint films.has_note was never checked"]


@on_postgresql
def test_indexes_are_compared_with_their_tables_where_amcheck_is_installed(tree: Engine) -> None:
    run(tree, "CREATE EXTENSION amcheck", "CREATE INDEX films_by_note ON films (note)")
    assert check_integrity(tree) == []
    run(tree, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'films_by_note'::regclass")
    assert check_integrity(tree) == ["the index films_by_note is incomplete"]


def test_a_database_that_cannot_be_reached_is_not_called_whole(tmp_path: Path) -> None:
    engine = open_database(f"postgresql://nobody@/radikal?host={tmp_path}")
    with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
        check_integrity(engine)
    engine.dispose()

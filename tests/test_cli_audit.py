"""`radikal audit` as its users run it."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.config import load_settings
from core.container import Container
from core.domain.accounts import Identity, Role
from tests.empty_stores import copy_empty_database

SOMEBODY = Identity("u-00000000000000aa", "somebody", Role.INSPECTOR)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with five events and nothing else."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", copy_empty_database(tmp_path / "radikal.db"))
    services = Container(load_settings(None))
    for number in range(1, 6):
        with services.store.write() as work:
            work.audit.record(SOMEBODY, action="image.added", object_type="image", object_id=f"o-{number}")
    services.database.dispose()  # not closed: events that no anchor covers yet are left
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *(str(argument) for argument in arguments)])


def edit(home: Path, statement: str) -> None:
    connection = sqlite3.connect(home / "radikal.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_whole_log_is_one_line(home: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("5 events, chain whole, newest at 20")
    assert "anchored up to event 1" in result.output
    assert run("verify").output.startswith("6 events"), "that it was verified is an event, too"


def test_a_database_edited_by_hand_is_one_line_a_finding(home: Path) -> None:
    edit(home, "UPDATE audit_events SET object_id = 'o-9' WHERE seq = 2")
    edit(home, "DELETE FROM audit_events WHERE seq = 4")
    result = run("verify")
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith("changed: event 2 (image.added, ")
    assert second == "removed: event 4 was removed"
    assert "NOT whole: 2 findings" in result.stderr


def test_the_result_as_json(home: Path) -> None:
    assert json.loads(run("verify", "--json").stdout)["is_whole"] is True
    edit(home, "DELETE FROM audit_events WHERE seq = 1")
    result = run("verify", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["n_findings"] == 1
    assert told["findings"][0]["kind"] == "removed"
    assert told["findings"][0]["seq"] == 1


def test_another_secret_asks_for_the_earlier_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (home / "var" / "signing.key").read_text()
    (home / "var" / "signing.key").unlink()
    monkeypatch.setenv("JWT_SECRET", "another-one-of-thirty-two-characters-or-more")
    unknown = run("verify")
    assert unknown.exit_code == 1
    assert "JWT_SECRET_PREVIOUS" in unknown.output
    monkeypatch.setenv("JWT_SECRET_PREVIOUS", kept)
    known = run("verify")
    assert known.exit_code == 0
    assert "could not be recorded in it: the signing key is not the one" in known.stderr


def test_setting_a_secret_leaves_what_the_kept_one_sealed_valid(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_SECRET", "another-one-of-thirty-two-characters-or-more")
    assert run("verify").exit_code == 0


def test_an_export_is_written_and_counted(home: Path) -> None:
    out = home / "log.csv"
    result = run("export", "--out", out)
    assert result.exit_code == 0, result.output
    assert "6 events written" in result.output
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["seq"] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert rows[0]["actor"] == "command line"


def test_an_export_can_be_narrowed(home: Path) -> None:
    out = home / "log.jsonl"
    for options, n_events in (
        (["--action", "image"], 5),
        (["--actor", "command-line"], 2),
        (["--from", "2001-01-01", "--to", "2001-12-31T12:00"], 0),
    ):
        assert run("export", "--out", out, "--format", "jsonl", *options).exit_code == 0
        assert len(out.read_text().splitlines()) == n_events, options


def test_a_database_without_a_log_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    result = run("verify")
    assert result.exit_code == 2
    assert "radikal setup" in result.stderr
    assert result.stderr.count("\n") == 1

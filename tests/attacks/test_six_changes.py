"""Six changes behind the log, as somebody makes them who has the database file and the originals."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from core.cli import main
from core.config import Settings
from core.container import Container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.reading import Call
from core.domain.records import Disposition
from core.services.inspections.inspecting import Decision
from tests.empty_stores import copy_empty_database
from tests.records import detection_result

_PASSWORD = "a weld that is long"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with an original and a signed inspection; copied for each test."""
    home = tmp_path_factory.mktemp("signed")
    database = copy_empty_database(home / "radikal.db")
    settings = Settings(_env_file=None, data_dir=home / "var", database_url=database)
    services = Container(settings, hash_cost=4)
    services.audit.take_up(COMMAND_LINE)
    services.accounts.add(COMMAND_LINE, "head", "Head of all", Role.ADMIN, _PASSWORD)
    user = services.accounts.add(COMMAND_LINE, "eye", "An inspector", Role.INSPECTOR, _PASSWORD).user
    who = Identity(user.user_id, "eye", Role.INSPECTOR)
    desk = services.workspace
    film = desk.images.add(who, BytesIO(_picture()).getvalue(), "film.png")
    inspection = desk.inspections.record(who, detection_result(film))
    reading = desk.open_readings.open(who, inspection.inspection_id).reading
    said = tuple(replace(one, call=Call.CONFIRMED) for one in reading.indications)
    desk.readings.save(who, inspection.inspection_id, said, expected_version=0)
    desk.inspections.decide(
        who, inspection.inspection_id, Decision(Disposition.REJECT), expected_version=inspection.version
    )
    desk.signing_off.sign(
        who,
        inspection.inspection_id,
        _PASSWORD,
        expected_version=inspection.version + 1,
        expected_reading=1,
        address="127.0.0.1",
    )
    services.close()
    return home


def _picture() -> bytes:
    grey = np.linspace(0, 255, 64 * 96).reshape(64, 96).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def home(signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(signed, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/radikal.db")
    return tmp_path


def verify() -> Result:
    return CliRunner().invoke(main, ["audit", "verify"])


def edit(home: Path, *statements: str) -> None:
    """Run them on the bare file: no triggers, no references."""
    connection = sqlite3.connect(home / "radikal.db")
    with connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def flip_original(home: Path) -> None:
    (original,) = (home / "var" / "originals").glob("??/*")
    data = bytearray(original.read_bytes())
    data[-5] ^= 1
    original.write_bytes(data)


def remove_original(home: Path) -> None:
    (original,) = (home / "var" / "originals").glob("??/*")
    original.unlink()


def statements(*given: str) -> Callable[[Path], None]:
    return lambda home: edit(home, *given)


def test_an_installation_that_nobody_touched_is_whole(home: Path) -> None:
    for _ in range(2):
        result = verify()
        assert result.exit_code == 0, result.output
        assert "chain whole" in result.output
        assert "1 originals, all as the log says" in result.output


CHANGES = {
    "a role set by SQL": (
        statements("UPDATE users SET role = 'admin' WHERE role = 'inspector'"),
        ["record changed: user u-", ": role is not what event ", "(session.started, |(user.added, "],
    ),
    "a signature and its judgement deleted": (
        statements("DELETE FROM signed_judgements", "DELETE FROM signatures"),
        ["record removed: signature ", "record removed: judgement of signature ", "(inspection.signed, "],
    ),
    "an inspection deleted": (
        statements("DELETE FROM inspections"),
        ["record removed: inspection ", "(inspection.signed, "],
    ),
    "annotations emptied": (
        statements("UPDATE annotations SET boxes = '[]'"),
        ["record changed: annotation ", ": boxes is not what event ", "(reading.saved, "],
    ),
    "a signed disposition changed": (
        statements("UPDATE inspections SET disposition = 'accept'"),
        ["record changed: inspection ", ": disposition is not what event ", "(inspection.signed, "],
    ),
    "an original flipped": (flip_original, ["original changed: the original "]),
    "an original removed": (remove_original, ["original missing: the original "]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_behind_the_log_is_a_line_that_names_it(home: Path, name: str) -> None:
    change, told = CHANGES[name]
    change(home)
    result = verify()
    assert result.exit_code == 1, result.output
    for part in told:
        assert any(one in result.stdout for one in part.split("|")), (part, result.stdout)


def test_digests_that_are_made_to_fit_the_change_are_found(home: Path) -> None:
    edit(home, "DELETE FROM audit_states", "UPDATE users SET role = 'admin'")
    result = verify()
    assert result.exit_code == 1
    assert "proof changed: the digests of the records that event " in result.stdout


@pytest.mark.parametrize("is_emptied", [True, False])
def test_a_missing_or_emptied_file_of_anchors_is_a_finding(home: Path, is_emptied: bool) -> None:
    anchors = home / "var" / "audit" / "anchors.jsonl"
    anchors.write_bytes(b"") if is_emptied else anchors.unlink()
    result = verify()
    assert result.exit_code == 1
    assert result.stdout.startswith("anchors missing: there is no anchor, although ")


def test_anchors_may_be_begun_anew_with_a_reason_that_the_log_keeps(home: Path) -> None:
    (home / "var" / "audit" / "anchors.jsonl").unlink()
    refused = CliRunner().invoke(main, ["audit", "begin-anchors", "--why", " "])
    assert refused.exit_code == 2
    begun = CliRunner().invoke(main, ["audit", "begin-anchors", "--why", "the disk was lost"])
    assert begun.exit_code == 0, begun.output
    assert verify().exit_code == 0

"""Starting on a store that is not what it should be: refused in one line, and nothing is made worse."""

import json
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.web.server import main as serve_main
from core.cli import main
from core.config import load_settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.records import Signature
from core.keys import Purpose
from core.services.images.images import ImageService
from core.services.inspections.signatures import Sealer
from core.setting_up import set_up
from tests.workplace import radiograph_png

SOMEBODY = Identity("u-00000000000000aa", "somebody", Role.INSPECTOR)
OLD, NEW = "the-first-one-of-thirty-two-characters-or-more", "another-one-of-thirty-two-characters-or-more"
Serve = Callable[[], str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation without models that nobody set up."""
    monkeypatch.setattr("core.setting_up.CHECKPOINTS", tmp_path / "no-models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JWT_SECRET", raising=False)
    folder = tmp_path / "data"
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/radikal.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    return folder


@pytest.fixture
def installed(home: Path) -> Path:
    """An installation with events that are sealed with the key that is kept."""
    assert run("setup").exit_code == 0
    return home


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Serve:
    """The one line with which the server refuses to start, by exit code 2."""

    def start() -> str:
        capsys.readouterr()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        assert serve_main(["--port", str(port)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return start


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def actions() -> list[str]:
    with open_container(load_settings(None)) as services, services.store.read() as work:
        return [event.action for event in work.audit.rows()]


def is_whole() -> bool:
    return bool(json.loads(run("audit", "verify", "--json").stdout)["is_whole"])


# --- database, films, disk


def test_an_empty_database_file_is_refused_with_the_remedy(home: Path, refused: Serve) -> None:
    home.mkdir()
    (home / "radikal.db").touch()
    assert refused() == "radikal: DATABASE_URL: this database is empty: run `radikal setup` first"
    assert run("setup").exit_code == 0


def test_a_schema_of_an_earlier_or_later_release_is_refused(installed: Path, refused: Serve) -> None:
    for revision, words in (("r0001", "make a backup, then run `radikal setup`"), ("r9999", "does not know")):
        with open_container(load_settings(None)) as services, services.database.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        assert words in refused()


def test_a_file_that_is_no_database_is_refused(home: Path, refused: Serve) -> None:
    home.mkdir()
    (home / "radikal.db").write_text("this is a text file and it is long enough to be read as one\n" * 20)
    assert "is none, or damaged; nothing was changed" in refused()


def test_films_on_a_disk_that_is_not_mounted_are_missed(installed: Path, refused: Serve) -> None:
    with open_container(load_settings(None)) as services:
        ImageService(services.blobs, services.store).add(COMMAND_LINE, radiograph_png(), "film.png")
    (installed / "originals").rename(installed / "elsewhere")
    assert "originals is missing, but the database knows films; nothing was changed" in refused()
    assert run("setup").exit_code == 2
    assert not (installed / "originals").exists()


def test_setting_up_an_empty_database_beside_films_keeps_every_film(installed: Path) -> None:
    with open_container(load_settings(None)) as services:
        sha256 = (
            ImageService(services.blobs, services.store).add(COMMAND_LINE, radiograph_png(), "a.png").sha256
        )
    film = installed / "originals" / sha256[:2] / sha256
    os.utime(film, (0, 0))
    for file in installed.glob("radikal.db*"):
        file.unlink()
    again = run("setup")
    assert again.exit_code == 0
    assert film.is_file(), "before, it was removed as one that no row points to"
    assert "films that this database does not know; they were left alone" in again.stderr


def test_a_full_disk_is_told_before_anything_is_written(
    installed: Path, refused: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(2**30, 2**30, 5 * 2**20)
    )
    assert "5 MiB are free" in refused()
    refusal = run("setup")
    assert refusal.exit_code == 2
    assert "what was stored is safe. Make room" in refusal.stderr


def test_a_port_that_is_taken_is_told_at_once_and_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert serve_main(["--port", str(port)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"radikal: port {port} is taken on 127.0.0.1")
    assert "nothing was started or changed" in line
    assert not home.exists()


# --- the signing key


@pytest.mark.parametrize("damage", ["removed", "emptied"])
def test_a_lost_key_is_refused_and_never_replaced(installed: Path, refused: Serve, damage: str) -> None:
    key, kept = installed / "signing.key", (installed / "signing.key").read_bytes()
    before = actions()
    key.unlink() if damage == "removed" else key.write_bytes(b"")
    assert "signing.key in DATA_DIR is missing or empty" in refused()
    for command in (("setup",), ("key", "rotate"), ("user", "add", "new", "--role", "inspector")):
        refusal = run(*command)
        assert refusal.exit_code == 2, command
        assert "nothing was changed. Put it back from a backup" in refusal.stderr
    assert not key.exists() or key.read_bytes() == b""
    key.write_bytes(kept)
    assert actions() == before
    assert is_whole()


def test_another_key_is_refused(installed: Path, refused: Serve) -> None:
    (installed / "signing.key").write_text(NEW)
    assert "was sealed with the key" in refused()
    assert run("setup").exit_code == 2
    assert run("key", "rotate").exit_code == 2


def test_a_lost_key_can_be_given_up_which_the_log_says(installed: Path) -> None:
    (installed / "signing.key").unlink()
    given_up = run("key", "rotate", "--lost")
    assert given_up.exit_code == 0, given_up.output
    assert actions()[-1] == "key.rotated"
    with open_container(load_settings(None)) as services:
        assert [check for check in services.checks.vital() if check.problem] == []
    told = run("audit", "verify")
    assert told.exit_code == 1
    assert "is not known here" in told.output


def test_a_rotation_is_an_event_and_what_was_sealed_before_stays_verifiable(installed: Path) -> None:
    before = (installed / "signing.key").read_bytes()
    signature = signed()
    for number in (1, 2):
        rotated = run("key", "rotate")
        assert rotated.exit_code == 0, rotated.output
        assert actions().count("key.rotated") == number
    assert (installed / "signing.key").read_bytes() != before
    assert stat.S_IMODE((installed / "signing.key.previous").stat().st_mode) == 0o600
    assert is_whole()
    with open_container(load_settings(None)) as services:
        assert services.workspace.signing_off.is_intact(signature), "signatures from before, too"
        assert [check for check in services.checks.vital() if check.problem] == []


def test_a_rotation_that_was_interrupted_is_finished(installed: Path, refused: Serve) -> None:
    with open_container(load_settings(None)) as services:
        services.key_file.replace()
    assert "a change of key is an event, too" in refused()
    assert run("key", "rotate").exit_code == 0
    assert is_whole()


def test_a_key_of_the_environment_is_rotated_there_first(
    home: Path, refused: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_SECRET", OLD)
    assert run("setup").exit_code == 0
    assert "Put a new one there and this one into JWT_SECRET_PREVIOUS" in run("key", "rotate").stderr
    monkeypatch.setenv("JWT_SECRET", NEW)
    assert "is not known here" in refused()
    monkeypatch.setenv("JWT_SECRET_PREVIOUS", OLD)
    assert "a change of key is an event, too" in refused()
    assert run("key", "rotate", "--lost").exit_code == 2
    assert run("key", "rotate").exit_code == 0
    assert is_whole()
    assert not (home / "signing.key").exists()


def signed() -> Signature:
    """A signature under the key of now."""
    with open_container(load_settings(None)) as services:
        key = services.key(Purpose.SIGNATURE)
    bare = Signature("s-1", "i-1", 1, "u-1", "inspected", "0" * 64, datetime(2026, 3, 1, tzinfo=UTC), "")
    return replace(bare, seal=Sealer(key)._seal(bare, key))


# --- rights


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.mark.usefixtures("open_umask")
def test_nobody_else_may_open_data_database_log_and_registry(installed: Path) -> None:
    with open_container(load_settings(None)) as services:
        with services.store.write() as work:
            work.audit.record(SOMEBODY, action="image.added", object_type="image", object_id="o-1")
        found = modes(installed)
    assert found.pop("data") == 0o700
    assert found["radikal.db"] == found["radikal.db-wal"] == found["signing.key"] == 0o600
    assert set(found.values()) <= {0o600, 0o700}


@pytest.mark.usefixtures("open_umask")
def test_an_installation_that_others_could_read_is_closed_when_it_is_set_up(installed: Path) -> None:
    (installed / "mlflow.db").touch(0o644)
    (installed / "originals").mkdir(0o755, exist_ok=True)
    for path in (installed, *installed.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    set_up(load_settings(None))
    assert set(modes(installed).values()) == {0o600, 0o700}

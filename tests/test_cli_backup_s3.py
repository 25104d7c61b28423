"""Backups in an object store, as their users make and restore them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.domain.errors import BackupPlaceError
from core.store.backups.object_files import ObjectFiles
from core.store.backups.place import open_place
from core.store.objects import Objects
from tests.backups import Installation, make_installation, one_line, run

PASSPHRASE = "a passphrase for tests"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("APP_ENV", "development")
    return make_installation(tmp_path, monkeypatch, None)


def backed_up(to: str, *options: object) -> str:
    """The name of a new backup."""
    result = run("backup", "--to", to, *options)
    assert result.exit_code == 0, result.output
    return result.stdout.split()[1].rstrip(":")


@pytest.mark.parametrize("is_sealed", [False, True])
def test_after_the_data_folder_was_deleted_a_restore_from_s3_brings_everything_back(
    home: Installation, monkeypatch: pytest.MonkeyPatch, s3: str, is_sealed: bool
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    to = f"{s3}/backups/plant"
    name = backed_up(to, *(["--encrypt"] if is_sealed else []))
    films = {path.name: path.read_bytes() for path in home.data_dir.glob("originals/*/*")}
    drilled = run("drill", to, "--json")
    assert drilled.exit_code == 0, drilled.output
    assert (told := json.loads(drilled.stdout))["is_whole"]
    assert (told["backup"], told["n_originals"]) == (name, 2)
    key = Path(shutil.copy(home.data_dir / "signing.key", home.folder / "kept.key"))
    home.lose(monkeypatch, None)
    result = run("restore", to, *([] if is_sealed else ["--signing-key", key]))
    assert result.exit_code == 0, result.output
    assert home.is_signed()
    assert {path.name: path.read_bytes() for path in home.data_dir.glob("originals/*/*")} == films
    assert run("audit", "verify").exit_code == 0


def test_what_the_bucket_holds_is_not_sent_again_and_old_backups_go(home: Installation, s3: str) -> None:
    objects = Objects(f"{s3}/b", "a test")
    first = backed_up(f"{s3}/b")
    written = {entry.name: entry.written_at for entry in objects.entries("objects")}
    home.add_film(3)
    second = backed_up(f"{s3}/b", "--keep", 1)
    left = {entry.name: entry.written_at for entry in objects.entries("objects")}
    place = open_place(f"{s3}/b", None)
    assert place.names() == [second] != [first]
    assert set(left) == {place.stored_as(file.sha256) for file in place.manifest(second).files}
    kept = written.keys() & left.keys()
    assert len(kept) > 2
    assert {name: left[name] for name in kept} == {name: written[name] for name in kept}


def test_damage_in_the_bucket_is_one_line(home: Installation, s3: str) -> None:
    backed_up(f"{s3}/b")
    objects, place = Objects(f"{s3}/b", "a test"), open_place(f"{s3}/b", None)
    file = next(one for one in place.manifest(place.names()[0]).files if one.path.startswith("originals/"))
    data = objects.read(place.stored_as(file.sha256))
    objects.write(place.stored_as(file.sha256), data[:-1] + bytes([data[-1] ^ 1]))
    result = run("drill", f"{s3}/b")
    assert result.exit_code == 1
    assert f"{file.path} of the backup" in result.stdout


def test_what_comes_back_as_something_else_is_not_kept(s3: str) -> None:
    class Failing(Objects):
        def write_file(self, name: str, file: Path) -> None:
            self.write(name, file.read_bytes()[:-1])

    files = ObjectFiles(Failing(f"{s3}/b", "a test"))

    def verify(file) -> None:
        if file.read() != b"content":
            raise BackupPlaceError("it reads back as something else")

    with pytest.raises(BackupPlaceError):
        files.keep([b"content"], lambda: "objects/ab/abc", verify)
    assert files.is_empty()


def test_two_backups_at_once_do_not_meet_and_the_lock_of_a_killed_one_ends(s3: str) -> None:
    files = ObjectFiles(Objects(f"{s3}/b", "a test"))
    with files.locked():
        with pytest.raises(BackupPlaceError, match="is under way by .*, process"), files.locked():
            pass
        with ObjectFiles(Objects(f"{s3}/b", "a test"), stale_s=0).locked():
            pass
    assert files.is_empty()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://no-such-bucket-anywhere/b", "bucket"),
        ("nonsense://bucket/b", "nonsense"),
        ("s3://", "expected a URL"),
    ],
)
def test_a_place_that_cannot_be_is_one_line(home: Installation, s3: str, url: str, told: str) -> None:
    result = run("backup", url)
    assert result.exit_code in (1, 2)
    assert told in one_line(result, result.exit_code)


def test_a_server_that_is_away_is_one_line(
    home: Installation, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "does not do it" in one_line(run("backup", f"{s3}/b"), 1)


def test_without_the_package_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "from core.store.objects import Objects\nObjects('s3://bucket/b', 'TO')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith(
            "TO: s3:// needs packages that are not installed: pip install .[scale] in the folder of RadiKal"
        )
    )


def test_a_backup_that_is_killed_leaves_the_older_ones_and_the_next_one_sweeps(
    home: Installation, s3: str
) -> None:
    first = backed_up(f"{s3}/b")
    sent = Objects(f"{s3}/b", "a test")
    before = {entry.name for entry in sent.entries("objects")}
    home.add_film(3)
    code = (
        "import os, signal\n"
        "from core.cli import main\n"
        "from core.store.backups import place\n"
        "place.BackupPlace.add_manifest = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"main(['backup', '{s3}/b'])"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    place = open_place(f"{s3}/b", None)
    left_behind = {entry.name for entry in sent.entries("objects")} - before
    assert place.names() == [first]
    assert len(left_behind) >= 2, "the film and the database were sent"
    assert run("drill", f"{s3}/b").exit_code == 0
    assert "is under way" in one_line(run("backup", f"{s3}/b"), 2), "its lock still counts"
    sent.remove(".lock")
    second = backed_up(f"{s3}/b", "--keep", 1)
    needed = {place.stored_as(file.sha256) for file in place.manifest(second).files}
    assert {entry.name for entry in sent.entries("objects")} == needed

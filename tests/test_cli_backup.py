"""`radikal backup`, `restore` and `drill` as their users run them."""

import json
import re
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli.conventions import read_settings
from core.setting_up import require_ready
from core.store.backups.place import open_place
from tests.backups import Installation, make_installation, one_line, run
from tests.conftest import ON_EACH_DATABASE
from tests.crash.worker import work

PASSPHRASE = "a passphrase for tests"


@pytest.fixture
def empty_database(database_kind: str, new_database: Callable[[], str]) -> str | None:
    """The URL of an empty database of a server to restore into; None for SQLite, where there is no file."""
    return None if database_kind == "sqlite" else new_database()


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str, new_database: Callable[[], str]
) -> Installation:
    monkeypatch.setenv("APP_ENV", "development")
    return make_installation(tmp_path, monkeypatch, None if database_kind == "sqlite" else new_database())


def backed_up(home: Installation, *options: object) -> str:
    """The name of a new backup."""
    result = run("backup", home.backups, *options)
    assert result.exit_code == 0, result.output
    return result.stdout.split()[1].rstrip(":")


def kept_key(home: Installation) -> Path:
    """A copy of the signing key, apart from data and backups."""
    return Path(shutil.copy(home.data_dir / "signing.key", home.folder / "kept.key"))


@ON_EACH_DATABASE
def test_after_the_data_folder_was_deleted_a_restore_brings_everything_back(
    home: Installation, monkeypatch: pytest.MonkeyPatch, empty_database: str | None
) -> None:
    films = {path.name: path.read_bytes() for path in home.data_dir.glob("originals/*/*")}
    backed_up(home)
    key = kept_key(home)
    home.lose(monkeypatch, empty_database)
    result = run("restore", home.backups, "--signing-key", key)
    assert result.exit_code == 0, result.output
    assert "2 originals compared" in result.stdout
    assert require_ready(read_settings()) is not None, "it can be served"
    assert home.is_signed()
    assert {path.name: path.read_bytes() for path in home.data_dir.glob("originals/*/*")} == films
    assert run("audit", "verify").exit_code == 0
    assert not list(home.data_dir.glob(".restoring-*"))
    assert (home.data_dir.stat().st_mode & 0o777, (home.data_dir / "signing.key").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


@ON_EACH_DATABASE
def test_a_drill_verifies_measures_and_is_told_by_health(
    home: Installation, empty_database: str | None
) -> None:
    name = backed_up(home)
    home.add_film(3)
    result = run("drill", home.backups, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["backup"], told["is_whole"], told["findings"]) == (name, True, [])
    assert told["n_originals"] == 2, "as many as there were"
    assert 0 <= told["rpo_s"] < 600  # rounded: the backup is a moment old
    assert told["rto_s"] == pytest.approx(told["restored_s"] + told["verified_s"], abs=0.02)
    assert told["n_events_since"] == 2, "that the backup was made, and a film"
    with home.opened() as services:
        health = services.health.report().content
    assert health["backup"]["name"] == health["drill"]["name"] == name
    assert health["drill"]["is_whole"] is True
    assert health["drill"]["rto_s"] == pytest.approx(told["rto_s"], abs=0.1)
    assert run("audit", "verify").exit_code == 0, "what is served was left alone"


def test_what_the_place_holds_is_not_copied_again(home: Installation) -> None:
    first = backed_up(home)
    inodes = {path: path.stat().st_ino for path in home.objects()}
    sha256 = home.add_film(3)
    second = backed_up(home)
    assert {path: path.stat().st_ino for path in inodes} == inodes
    place = open_place(home.backups, None)
    new = {one.sha256 for one in place.manifest(second).files} - {
        one.sha256 for one in place.manifest(first).files
    }
    assert sha256 in new
    assert all(one.path in {"radikal.db", "audit/anchors.jsonl"} for one in place.manifest(second).files
               if one.sha256 in new - {sha256})  # fmt: skip
    listed = run("backup", home.backups, "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [first, second]


def flipped(home: Installation) -> None:
    path = home.database_object(PASSPHRASE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def missing(home: Installation) -> None:
    home.database_object(PASSPHRASE).unlink()


def cut_off(home: Installation) -> None:
    path = home.database_object(PASSPHRASE)
    path.write_bytes(path.read_bytes()[:-1])


def manifest_changed(home: Installation) -> None:
    path = next(home.backups.glob("manifests/*.json"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"originals/", b"Originals/", 1).replace(b"RKB1", b"RKB2"))


DAMAGE = {
    "a byte flipped": (flipped, r"radikal.db of the backup \S+ is damaged: it is not what was stored"),
    "a file missing": (missing, r"radikal.db of the backup \S+ is damaged: it is missing"),
    "a file cut off": (cut_off, r"radikal.db of the backup \S+ is damaged: it is not what was stored"),
    "the manifest changed": (
        manifest_changed,
        r"the backup \S+ cannot be used: (its manifest was changed|it is)",
    ),
}


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_one_line_and_nothing_is_restored(
    home: Installation, monkeypatch: pytest.MonkeyPatch, what: str, is_sealed: bool
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    backed_up(home, *(["--encrypt"] if is_sealed else []))
    key = kept_key(home)
    damage, told = DAMAGE[what]
    damage(home)
    home.lose(monkeypatch, None)
    for command in ("restore", "drill"):
        result = run(command, home.backups, "--signing-key", key)
        assert re.search(told, one_line(result, 1)), result.output
    assert not home.data_dir.exists()


def test_damaged_originals_are_all_named_by_a_drill(home: Installation) -> None:
    backed_up(home)
    for name in (path.name for path in home.data_dir.glob("originals/*/*")):
        (home.backups / "objects" / name[:2] / name).unlink()
    result = run("drill", home.backups)
    assert result.exit_code == 1
    assert result.stdout.count("is damaged: it is missing") == 2
    with home.opened() as services:
        health = services.health.report().content
    assert health["drill"]["is_whole"] is False
    assert health["status"] != "ok"


def test_a_drill_that_cannot_begin_is_told_by_health_too(home: Installation) -> None:
    backed_up(home)
    flipped(home)
    assert "radikal.db of the backup" in one_line(run("drill", home.backups), 1)
    with home.opened() as services:
        assert services.health.report().content["drill"]["is_whole"] is False


def test_the_earlier_backup_is_offered_when_the_newest_is_damaged(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = backed_up(home), backed_up(home)
    path = home.backups / "manifests" / f"{second}.json"
    path.write_bytes(path.read_bytes()[:-10])
    key = kept_key(home)
    home.lose(monkeypatch, None)
    told = one_line(run("restore", home.backups, "--signing-key", key), 1)
    assert first in told
    assert run("restore", home.backups, "--signing-key", key, "--backup", first).exit_code == 0
    assert home.is_signed()


def test_an_encrypted_backup_holds_the_key_and_shows_nothing(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    given = ["--passphrase-file", home.folder / "passphrase"]
    secret = (home.data_dir / "signing.key").read_bytes()
    names = {path.name for path in home.data_dir.glob("originals/*/*")}
    backed_up(home, "--encrypt", *given)
    for path in home.backups.rglob("*"):
        assert path.name not in names, "whoever has a film cannot tell that it is here"
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert b"SQLite format" not in content
            assert b"\x89PNG" not in content
    assert not list(home.data_dir.glob(".backup-*")), "the clear copy of the database is gone"
    home.lose(monkeypatch, None)
    assert run("restore", home.backups, *given).exit_code == 0
    assert home.is_signed()
    assert (home.data_dir / "signing.key").read_bytes() == secret


def test_a_wrong_or_missing_passphrase_is_one_line(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", "short")
    assert "at least 12 characters" in one_line(run("backup", home.backups, "--encrypt"), 2)
    assert not home.backups.exists()
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    backed_up(home, "--encrypt")
    for passphrase, told in (("another passphrase", "wrong passphrase"), ("", "put the passphrase into")):
        monkeypatch.setenv("BACKUP_PASSPHRASE", passphrase)
        for command in ("backup", "restore", "drill"):
            assert told in one_line(run(command, home.backups), 2)
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    assert backed_up(home), "the place is encrypted whether one says so or not"


def test_a_restore_never_overwrites(home: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    backed_up(home)
    key = kept_key(home)
    before = {path: path.stat().st_mtime_ns for path in home.data_dir.rglob("*") if path.is_file()}
    assert "is not empty" in one_line(run("restore", home.backups, "--signing-key", key), 2)
    after = {path: path.stat().st_mtime_ns for path in home.data_dir.rglob("*") if path.is_file()}
    assert after == before
    elsewhere = home.folder / "elsewhere"
    monkeypatch.setenv("DATA_DIR", str(elsewhere))
    assert "radikal.db is there already" in one_line(run("restore", home.backups, "--signing-key", key), 2)
    assert not elsewhere.exists()


def test_without_its_key_a_backup_is_not_restored_unless_the_key_is_gone_for_good(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("backup", home.backups)
    assert "signing.key is not in the backup, which is not encrypted" in one_line(result, 0)
    home.lose(monkeypatch, None)
    for command in ("restore", "drill"):
        assert "the backup holds no signing key" in one_line(run(command, home.backups), 2)
    assert not home.data_dir.exists()
    assert run("restore", home.backups, "--without-key").exit_code == 0
    assert run("key", "rotate", "--lost").exit_code == 0
    assert home.is_signed()


def test_a_restore_that_was_cut_off_is_neither_served_nor_added_to(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    backed_up(home)
    key = kept_key(home)
    (home.data_dir / ".restoring-abc").mkdir()
    assert "a restore into" in one_line(run("setup"), 2)
    assert "was cut off" in one_line(run("restore", home.backups, "--signing-key", key), 2)


def test_a_restore_that_fails_while_it_moves_is_not_served(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    backed_up(home)
    key = kept_key(home)
    home.lose(monkeypatch, None)
    (home.folder / "no-folder").touch()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{home.folder}/no-folder/radikal.db")
    one_line(run("restore", home.backups, "--signing-key", key), 1)
    assert list(home.data_dir.glob("originals/*/*")), "some of it was moved"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{home.data_dir}/radikal.db")
    assert "was cut off" in one_line(run("setup"), 2)


def test_where_there_is_no_database_no_place_is_made(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{home.folder}/other.db")
    assert "there is no database" in one_line(run("backup", home.backups), 2)
    assert not home.backups.exists()


def test_old_backups_go_and_what_others_need_stays(home: Installation) -> None:
    names = [backed_up(home)]
    for seed in (3, 4, 5):
        home.add_film(seed)
        names.append(backed_up(home))
    home.add_film(6)
    names.append(backed_up(home, "--keep", 2))
    place = open_place(home.backups, None)
    assert place.names() == names[-2:]
    needed = {one.sha256 for name in names[-2:] for one in place.manifest(name).files}
    assert {path.name for path in home.objects()} == needed
    assert run("drill", home.backups).exit_code == 0
    assert backed_up(home, "--keep-days", 1) in place.names()
    assert len(place.names()) == 3, "all of today stay"


def test_by_age_the_last_one_stays(home: Installation) -> None:
    from core.services.operations.backing_up import Retention

    names = ["20260101T000000000Z-a", "20260109T000000000Z-b", "20260110T120000000Z-c"]
    now = datetime(2026, 1, 11, 12, tzinfo=UTC)
    assert Retention().superseded(names, now) == []
    assert Retention(days=2).superseded(names, now) == names[:2]
    assert Retention(days=1).superseded(names, now) == names[:2], "to the second"
    assert Retention(days=1).superseded(names, now + timedelta(days=9)) == names[:2], "one always stays"
    assert Retention(count=1, days=3).superseded(names, now) == names[:1], "what either keeps"


def test_a_film_that_is_damaged_or_missing_here_is_told_and_the_rest_kept(home: Installation) -> None:
    damaged, gone = sorted(home.data_dir.glob("originals/*/*"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    gone.unlink()
    result = run("backup", home.backups)
    assert result.exit_code == 1
    assert f"originals/{damaged.parent.name}/{damaged.name} is damaged and was left out" in result.stderr
    assert f"the original {gone.name[:12]} is missing" in result.stderr
    assert len(open_place(home.backups, None).names()) == 1
    with home.opened() as services:
        assert services.health.report().content["backup"]["n_problems"] == 2


def test_a_place_in_the_data_folder_or_with_other_things_is_refused(home: Installation) -> None:
    assert "lies in DATA_DIR" in one_line(run("backup", home.data_dir / "backups"), 2)
    home.backups.mkdir()
    (home.backups / "holiday.jpg").touch()
    assert "holds something else than backups" in one_line(run("backup", home.backups), 2)
    assert sorted(path.name for path in home.backups.iterdir()) == ["holiday.jpg"]
    assert "holds no backups" in one_line(run("restore", home.backups), 2)


def test_two_backups_at_once_do_not_meet(home: Installation) -> None:
    backed_up(home)
    with open_place(home.backups, None).locked():
        assert "another backup" in one_line(run("backup", home.backups), 2)
    assert backed_up(home)


def test_settings_come_along_without_secrets(home: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_IDLE_MINUTES", "7")
    monkeypatch.setenv("JWT_SECRET", "a-secret-of-thirty-two-characters-or-more")
    with home.opened() as services:
        (home.data_dir / "signing.key").read_bytes()
        assert services.settings.session_idle_minutes == 7
    assert run("key", "rotate").exit_code == 0
    backed_up(home)
    settings = "\n".join(
        open_place(home.backups, None).manifest(open_place(home.backups, None).names()[-1]).settings
    )
    assert "SESSION_IDLE_MINUTES=7" in settings
    assert "a-secret-of" not in settings
    assert "# JWT_SECRET was set" in settings


@ON_EACH_DATABASE
def test_backups_while_people_work_hold_what_was_acknowledged_before(
    home: Installation, empty_database: str | None
) -> None:
    heard: list[tuple[str, str]] = []
    is_over = threading.Event()

    class Heard:
        def write(self, act: str, **facts: Any) -> None:
            heard.append((act, facts["id"]))

    def go_on() -> None:
        with home.opened() as services:
            random = np.random.default_rng(5)
            while not is_over.is_set():
                work(services.workspace, random, Heard())

    worker = threading.Thread(target=go_on)
    worker.start()
    try:
        made = []
        for _ in range(3):
            before = {name for act, name in list(heard) if act == "image"}
            made.append((backed_up(home), before))
    finally:
        is_over.set()
        worker.join()
    assert len(heard) > 3
    place = open_place(home.backups, None)
    for name, before in made:
        assert before <= {one.sha256 for one in place.manifest(name).files}
        result = run("drill", home.backups, "--backup", name)
        assert result.exit_code == 0, result.output

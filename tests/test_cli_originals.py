"""`radikal originals move`, and an installation whose films lie in an object store."""

import json
import shutil
from pathlib import Path

import pytest

from core.cli.conventions import read_settings
from core.setting_up import require_ready
from core.store.objects import Objects
from tests.backups import Installation, make_installation, one_line, run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("APP_ENV", "development")
    return make_installation(tmp_path, monkeypatch, None)


def films(home: Installation) -> dict[str, bytes]:
    """The originals in the folder, by their digest."""
    return {path.name: path.read_bytes() for path in home.data_dir.glob("originals/*/*")}


def objects(url: str) -> dict[str, bytes]:
    """The originals in the object store, by their digest."""
    held = Objects(url, "a test")
    return {entry.name.rpartition("/")[2]: held.read(entry.name) for entry in held.entries()}


def test_originals_move_there_byte_for_byte_and_back(
    home: Installation, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    url, before = f"{s3}/originals", films(home)
    assert "--remove" in one_line(run("originals", "move", "--to", url, "--remove"), 2)
    moved = run("originals", "move", "--to", url)
    assert moved.exit_code == 0, moved.output
    assert "2 originals copied" in moved.stdout
    assert objects(url) == before == films(home), "both have them"
    third = home.add_film(3)
    again = run("originals", "move", "--to", url)
    assert "1 originals copied" in again.stdout
    assert "2 were there" in again.stdout
    monkeypatch.setenv("ORIGINALS_URL", url)
    removed = run("originals", "move", "--to", url, "--remove")
    assert "3 removed where they came from" in removed.stdout
    assert films(home) == {}
    assert set(objects(url)) == {*before, third}
    assert home.is_signed()
    fourth = home.add_film(4)
    assert fourth in objects(url)
    assert films(home) == {}
    shutil.rmtree(home.data_dir / "originals-cache")
    verified = run("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert "4 originals" in verified.stdout
    assert run("originals", "move", "--from", url).exit_code == 0
    assert films(home) == objects(url)


def test_a_move_that_was_cut_off_goes_on_and_replaces_what_is_damaged_there(
    home: Installation, s3: str
) -> None:
    url, before = f"{s3}/originals", films(home)
    first, second = sorted(before)
    Objects(url, "a test").write(f"{first[:2]}/{first}", before[first][:-1])
    Objects(url, "a test").write(f"{second[:2]}/{second}", before[second])
    told = run("originals", "move", "--to", url).stdout
    assert "1 originals copied" in told
    assert "1 were there" in told
    assert objects(url) == before


def test_a_damaged_film_is_named_and_nothing_removed(
    home: Installation, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    url, damaged = f"{s3}/originals", sorted(films(home))[0]
    (home.data_dir / "originals" / damaged[:2] / damaged).write_bytes(b"something else")
    monkeypatch.setenv("ORIGINALS_URL", url)
    result = run("originals", "move", "--to", url, "--remove")
    assert result.exit_code == 1
    assert f"the stored image {damaged[:12]} is damaged" in result.stderr
    assert len(films(home)) == 2, "nothing was removed"


def test_films_that_were_not_moved_are_missed_before_anything_is_served(
    home: Installation, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    monkeypatch.setenv("ORIGINALS_URL", f"{s3}/other")
    assert "does not hold the films" in one_line(run("setup"), 2)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert any("does not do it" in line for line in require_ready(read_settings()))
    with home.opened() as services:
        facts = services.health.report().content["originals"]
    assert facts["reachable"] is False


def test_a_backup_holds_the_films_of_the_object_store_and_a_restore_brings_them_there(
    home: Installation, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    url = f"{s3}/originals"
    run("originals", "move", "--to", url)
    monkeypatch.setenv("ORIGINALS_URL", url)
    assert run("originals", "move", "--to", url, "--remove").exit_code == 0
    before = objects(url)
    for place in (home.backups, f"{s3}/backups"):
        assert run("backup", place).exit_code == 0
        told = run("drill", place, "--json")
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout)["n_originals"] == 2
    key = shutil.copy(home.data_dir / "signing.key", home.folder / "kept.key")
    home.lose(monkeypatch, None)
    for name in before:
        Objects(url, "a test").remove(f"{name[:2]}/{name}")
    restored = run("restore", f"{s3}/backups", "--signing-key", key)
    assert restored.exit_code == 0, restored.output
    assert objects(url) == before
    assert films(home) == {}
    assert home.is_signed()
    assert run("audit", "verify").exit_code == 0
    Objects(url, "a test").remove(f"{min(before)[:2]}/{min(before)}")
    assert min(before)[:12] in run("audit", "verify").stdout
    missing = run("backup", home.backups)
    assert missing.exit_code == 1
    assert f"the original {min(before)[:12]} is missing, though the database knows it" in missing.stderr

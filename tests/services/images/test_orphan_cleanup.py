"""Removing what interrupted uploads leave behind, and nothing else."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from core.config import Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE
from core.services.images.images import ImageService
from core.services.images.orphan_cleanup import remove_orphans, sweep_originals
from core.setting_up import set_up
from core.store.blobs import BlobStore
from core.store.database import open_database
from core.store.failures import DatabaseUnavailableError
from core.store.unit_of_work import Store
from tests.attacks.filled_tables import disarm
from tests.conftest import ON_EACH_DATABASE
from tests.imaging.pictures import write_dicom
from tests.records import new_store
from tests.workplace import radiograph_png


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "originals")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_only_originals_without_a_row_and_half_written_files_go(
    blobs: BlobStore, store: Store, tmp_path: Path
) -> None:
    added = ImageService(blobs, store).add(COMMAND_LINE, radiograph_png(), "film.png")
    orphan = blobs.put(b"its row was not written any more")
    (blobs.path(orphan).parent / ".incoming-half").write_bytes(b"half")
    assert sweep_originals(blobs, store) == 0  # it may be another process's upload
    assert sweep_originals(blobs, store, older_than_s=0) == 2
    assert files(tmp_path / "originals") == {added.sha256}
    assert sweep_originals(blobs, store, older_than_s=0) == 0


def test_many_are_swept_in_portions(blobs: BlobStore, store: Store, tmp_path: Path) -> None:
    ImageService(blobs, store).add(COMMAND_LINE, radiograph_png(), "film.png")
    for number in range(1001):
        path = tmp_path / "originals" / "ab" / f"ab{number:062x}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert sweep_originals(blobs, store, older_than_s=0) == 1001


@ON_EACH_DATABASE
def test_removing_orphans_beside_uploads_never_takes_the_file_of_a_row(
    blobs: BlobStore, store: Store
) -> None:
    images = ImageService(blobs, store)
    errors: list[Exception] = []

    def upload(start: int) -> None:
        try:
            for seed in range(start, start + 15):
                images.add(COMMAND_LINE, radiograph_png(seed, height=8, width=8), "film.png")
        except Exception as error:  # noqa: BLE001 - reported below, in the main thread
            errors.append(error)

    threads = [threading.Thread(target=upload, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        remove_orphans(blobs, store, older_than_s=-1)
        time.sleep(0.001)
    assert errors == []
    with store.read() as work:
        stored = work.images.latest(1000)
    assert len(stored) == 45
    for image in stored:
        blobs.get(image.sha256)


def test_an_upload_while_the_database_is_away_leaves_no_file(blobs: BlobStore, tmp_path: Path) -> None:
    away = open_database(f"postgresql://nobody@/radikal?host={tmp_path}")
    images = ImageService(blobs, new_store(away))
    with pytest.raises(DatabaseUnavailableError):
        images.add(COMMAND_LINE, radiograph_png(), "film.png")
    assert files(tmp_path) == set()
    away.dispose()


def test_setting_up_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.setting_up.CHECKPOINTS", tmp_path / "no-models")
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path}/radikal.db",
        mlflow_tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
    )
    set_up(settings)
    blobs = BlobStore(tmp_path / "originals")
    with open_container(settings) as services:
        known = ImageService(blobs, services.store).add(COMMAND_LINE, radiograph_png(), "film.png").sha256
    fresh, orphan = blobs.put(b"under way"), blobs.put(b"its row was not written any more")
    os.utime(blobs.path(orphan), (0, 0))
    set_up(settings)
    assert files(tmp_path / "originals") == {fresh, known}


def test_a_database_that_knows_no_film_removes_none(blobs: BlobStore, store: Store, tmp_path: Path) -> None:
    """It may be an empty one in place of one that was lost: before, setting up removed every film."""
    films = {blobs.put(f"film {number}".encode()) for number in range(3)}
    assert sweep_originals(blobs, store, older_than_s=-1) == 0
    assert films <= files(tmp_path)


def tampered(store: Store, *statements: str) -> None:
    """What somebody does who holds the database."""
    plain = disarm(store.engine)
    with plain.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement
    plain.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM images WHERE name = 'film.png'",
        "DELETE FROM images WHERE name = 'panel.dcm'",
        "UPDATE images SET file_sha256 = 'none' WHERE name = 'panel.dcm'",
    ],
)
@ON_EACH_DATABASE
def test_an_original_whose_row_was_removed_by_sql_is_kept(
    blobs: BlobStore, store: Store, tmp_path: Path, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Verifying tells of the row; before, the next start removed the film for good."""
    images = ImageService(blobs, store)
    images.add(COMMAND_LINE, radiograph_png(1), "film.png")
    images.add(COMMAND_LINE, radiograph_png(2), "other.png")
    panel = write_dicom(np.full((2, 16, 16), 900, np.uint16), bits=12, frames=2)
    for frame in (1, 2):
        images.add(COMMAND_LINE, panel, "panel.dcm", frame=frame)
    films = files(tmp_path / "originals")
    assert len(films) == 3
    tampered(store, statement)
    orphan = blobs.put(b"its row was not written any more")
    with caplog.at_level("WARNING"):
        assert sweep_originals(blobs, store, older_than_s=-1) == 1
    assert files(tmp_path / "originals") == films
    assert orphan not in films
    assert "films that only the audit log names were kept: 1" in caplog.text

import itertools
import json
import os
import shutil
import signal
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import tifffile

from core.domain.errors import BadInputError, WorkbenchError
from core.services.bulk.archive import ArchiveFile
from core.services.bulk.bulk import BulkService
from core.services.bulk.local_engine import read_locally
from core.services.bulk.reader import FileOutcome, Reader, ReaderSpec
from core.services.inference.detecting import DetectService
from tests.artefacts import FolderModels, write_artefact
from tests.workplace import radiograph_png

N_PICTURES, N_DISTINCT = 8, 7


def in_process(spec: ReaderSpec, files: Sequence[ArchiveFile]) -> Iterator[FileOutcome]:
    reader = Reader(spec)
    return (reader.read(file.name, file.stamp) for file in files)


@pytest.fixture
def models(tmp_path: Path) -> FolderModels:
    return FolderModels(write_artefact(tmp_path / "weld", score_spread=1.0))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Eight pictures, two of them the same, in six files; beside them a text and a damaged picture."""
    folder = tmp_path / "archive"
    (folder / "line 1").mkdir(parents=True)
    for seed in (1, 2, 3):
        (folder / "line 1" / f"film {seed}.png").write_bytes(radiograph_png(seed))
    shutil.copy(folder / "line 1" / "film 1.png", folder / "again.png")
    with zipfile.ZipFile(folder / "more.zip", "w") as packed:
        packed.writestr("film 4.png", radiograph_png(4))
        packed.writestr("film 5.png", radiograph_png(5))
    pages = np.random.default_rng(6).integers(0, 65_535, (2, 96, 128)).astype(np.uint16)
    tifffile.imwrite(folder / "pages.tif", pages, photometric="minisblack")
    (folder / "notes.txt").write_text("two films are missing")
    (folder / "broken.png").write_bytes(radiograph_png(7)[:300])
    return folder


def test_every_picture_is_read_once_as_one_alone_is_read(
    tmp_path: Path, models: FolderModels, place: Path
) -> None:
    out = tmp_path / "out"
    told: list[tuple[int, int]] = []
    result = BulkService(models, device="cpu").read(
        str(place), out, in_process, model="weld", tell=lambda done, total, _: told.append((done, total))
    )
    assert result.counts == {
        "files": 8,
        "other_files": 1,
        "pictures": N_PICTURES,
        "readings": N_DISTINCT,
        "files_with_problems": 1,
    }
    assert told[-1] == (8, 8)
    pictures = pq.read_table(out / "pictures.parquet").to_pylist()
    assert [(row["path"], row["frame"]) for row in pictures][:2] == [
        ("again.png", None),
        ("line 1/film 1.png", None),
    ]
    assert {("more.zip/film 5.png", None), ("pages.tif", 2)} <= {
        (row["path"], row["frame"]) for row in pictures
    }
    alone = _alone(models, place / "line 1" / "film 2.png")
    (row,) = [row for row in pictures if row["path"] == "line 1/film 2.png"]
    boxes = [
        (one["x1_px"], one["probability"])
        for one in pq.read_table(out / "detections.parquet").to_pylist()
        if one["sha256"] == row["sha256"]
    ]
    assert boxes == alone
    assert len(alone) > 0
    assert "broken.png" in (out / "problems.txt").read_text()
    page = (out / "report.html").read_text()
    assert "more.zip/film 5.png" in page
    assert 'Pictures of distinct content</th><td class="n">7<' in page


def _alone(models: FolderModels, path: Path) -> list[tuple[float, float]]:
    from core.imaging.read import read_radiograph
    from core.reports.detection_json import detection_to_dict

    detect = DetectService(models, device="cpu")
    radiograph = read_radiograph(path.read_bytes(), path.name)
    radiograph = detect.polarity_of(radiograph, model="weld").applied(radiograph)
    document = detection_to_dict(detect.detect(radiograph, path.name, model="weld"), path.name)
    return [(one["bbox"][0], one["probability"]) for one in document["detections"]]


def test_a_run_that_was_stopped_goes_on_and_ends_as_one_that_was_not(
    tmp_path: Path, models: FolderModels, place: Path
) -> None:
    def stopping(spec: ReaderSpec, files: Sequence[ArchiveFile]) -> Iterator[FileOutcome]:
        yield from itertools.islice(in_process(spec, files), 3)
        raise KeyboardInterrupt

    service = BulkService(models, device="cpu")
    with pytest.raises(KeyboardInterrupt):
        service.read(str(place), tmp_path / "out", stopping, model="weld")
    (place / "again.png").write_bytes(radiograph_png(9))  # read already, but changed since
    result = service.read(str(place), tmp_path / "out", in_process, model="weld")
    whole = service.read(str(place), tmp_path / "whole", in_process, model="weld")
    assert (result.n_read_now, whole.n_read_now) == (6, 8)
    for name in ("pictures.parquet", "detections.parquet"):
        columns = [
            column for column in pq.read_schema(tmp_path / "out" / name).names if column != "elapsed_ms"
        ]
        first, second = (
            pq.read_table(tmp_path / run / name, columns=columns).to_pylist() for run in ("out", "whole")
        )
        assert first == second


def test_another_version_does_not_go_on_with_a_run(tmp_path: Path, models: FolderModels, place: Path) -> None:
    BulkService(models, device="cpu").read(str(place), tmp_path / "out", in_process, model="weld")
    other = FolderModels(write_artefact(tmp_path / "other", seed=1))
    with pytest.raises(BadInputError, match="holds a run with weights"):
        BulkService(other, device="cpu").read(str(place), tmp_path / "out", in_process, model="weld")


@pytest.mark.parametrize("place", ["nowhere", "memory://archive/empty"])
def test_a_place_without_files_is_refused(tmp_path: Path, models: FolderModels, place: str) -> None:
    with pytest.raises(BadInputError, match="expected"):
        BulkService(models, device="cpu").read(place, tmp_path / "out", in_process, model="weld")


def test_an_object_store_is_read_as_a_folder_is(tmp_path: Path, models: FolderModels) -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe_file("/archive/films/film 1.png", radiograph_png(1))
    try:
        result = BulkService(models, device="cpu").read(
            "memory://archive/films", tmp_path / "out", in_process, model="weld"
        )
    finally:
        files.rm("/archive", recursive=True)
    assert result.counts["readings"] == 1


def test_workers_that_are_killed_lose_no_file(tmp_path: Path, models: FolderModels, place: Path) -> None:
    """Both are killed while they read; the files at hand are read again."""

    def killed(spec: ReaderSpec, files: Sequence[ArchiveFile]) -> Iterator[FileOutcome]:
        for number, outcome in enumerate(read_locally(spec, files, n_workers=2)):
            if number == 0:
                for worker in psutil.Process().children(recursive=True):
                    if "bulk.worker" in " ".join(worker.cmdline()):
                        os.kill(worker.pid, signal.SIGKILL)
            yield outcome

    result = BulkService(models, device="cpu").read(str(place), tmp_path / "out", killed, model="weld")
    assert (result.counts["pictures"], result.counts["readings"]) == (N_PICTURES, N_DISTINCT)
    assert result.counts["files_with_problems"] == 1


def test_a_reader_that_cannot_start_ends_the_run(tmp_path: Path, models: FolderModels, place: Path) -> None:
    def damaged(spec: ReaderSpec, files: Sequence[ArchiveFile]) -> Iterator[FileOutcome]:
        spec.versions[0].files["weights.safetensors"] = b"no weights"
        return read_locally(spec, files, n_workers=1)

    with pytest.raises(WorkbenchError, match="a reader did not start"):
        BulkService(models, device="cpu").read(str(place), tmp_path / "out", damaged, model="weld")


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_cluster_reads_as_one_process_does(tmp_path: Path, models: FolderModels, place: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install .[scale]")
    from core.services.bulk.ray_engine import read_on_ray

    service = BulkService(models, device="cpu")
    result = service.read(
        str(place), tmp_path / "out", lambda spec, files: read_on_ray(spec, files, n_workers=2), model="weld"
    )
    assert (result.counts["pictures"], result.counts["readings"]) == (N_PICTURES, N_DISTINCT)
    documents = [json.loads(line) for line in _documents(tmp_path / "out")]
    assert all(one["model"]["name"] == "weld" for one in documents)


def _documents(out: Path) -> list[str]:
    import sqlite3

    with sqlite3.connect(out / "ledger.db") as database:
        return [row[0] for row in database.execute("SELECT document FROM readings")]

"""Batches with files that were made to end them: the rest goes on; a database that somebody else holds."""

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result

from core.cli import main
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_database, copy_empty_mlflow
from tests.imaging.pictures import write_dicom
from tests.workplace import radiograph_png

Run = Callable[..., Result]
GOOD = ("a first.png", "z last.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation with a tiny model of welds."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(folder / "var"))
        patch.setenv("DATABASE_URL", copy_empty_database(folder / "radikal.db"))
        patch.setenv("MLFLOW_TRACKING_URI", copy_empty_mlflow(folder / "mlflow.db"))
        write_artefact(folder / "weld-v1", score_spread=0.3)
        done = CliRunner().invoke(main, ["models", "import", str(folder / "weld-v1"), "--alias", "champion"])
        assert done.exit_code == 0, done.output
        yield folder


@pytest.fixture
def run(home: Path) -> Run:
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def archive(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


def hostile() -> dict[str, bytes]:
    film = radiograph_png(3)
    wide = bytearray(film)
    wide[16:24] = (0x7FFFFFFF).to_bytes(4, "big") * 2  # the sides that the file claims
    colour = np.arange(40 * 50 * 3).reshape(40, 50, 3)
    nothing = np.full((40, 50), np.nan, np.float32)
    return {
        "b cut.png": film[: len(film) // 2],
        "c claims 4 exapixels.png": bytes(wide),
        "d empty.png": b"",
        "e letters.png": b"no film today\n" * 9,
        "f cut.dcm": write_dicom(np.full((40, 50), 7, np.uint16))[:300],
        "g not a number.tif": tiff(nothing),
        "h signed colour.tif": tiff(colour.astype(np.int16), photometric="rgb"),
        "i colour of 32 bit.tif": tiff(colour.astype(np.uint32), photometric="rgb"),
        "k nested.zip": archive(("inner.zip", archive(("../../../outside.png", b"x")))),
        "l cut.zip": archive(("film.png", film))[:200],
    }


def test_no_file_ends_a_batch_and_each_that_is_not_read_is_named(run: Run, tmp_path: Path) -> None:
    shift = tmp_path / "shift"
    shift.mkdir()
    for seed, name in enumerate(GOOD):
        (shift / name).write_bytes(radiograph_png(seed))
    for name, data in hostile().items():
        (shift / name).write_bytes(data)
    (shift / "m loop.png").symlink_to(shift / "m loop.png")
    out = tmp_path / "out.json"
    result = run("detect", *sorted(shift.iterdir()), "--model", "weld", "--polarity", "film", "--json", out)
    assert result.exit_code == 1, result.output
    read = {Path(entry["image"]["path"]).name for entry in json.loads(out.read_text())}
    assert read >= set(GOOD)
    assert read <= {*GOOD, "h signed colour.tif", "i colour of 32 bit.tif"}
    lines = result.stderr.splitlines()
    for name in {path.name for path in shift.iterdir()} - read:
        named = "inner.zip" if name == "k nested.zip" else name  # what is in the archive is named
        assert any(named in line for line in lines), (name, lines)
    assert "Traceback" not in result.output
    assert not (tmp_path.parent / "outside.png").exists()


def test_a_database_that_somebody_else_holds_is_told_in_one_line(run: Run, home: Path) -> None:
    with closing(sqlite3.connect(home / "radikal.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        result = run("user", "add", "eye", "--role", "inspector")
        holder.execute("ROLLBACK")
    assert result.exit_code in (1, 2)
    (line,) = result.stderr.splitlines()
    assert "busy" in line
    assert "nothing was changed" in line
    assert run("user", "add", "eye", "--role", "inspector").exit_code == 0

"""A watched folder: every radiograph that arrives is read once, whatever happens."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from app.shared.resources import Resources
from core.domain.accounts import Identity, Role
from core.domain.radiograph import Polarity
from core.services.intake.asked import Asked
from core.services.intake.watching import FolderWatch
from core.store.inspection_history import HistoryFilter
from tests.imaging.pictures import write_dicom
from tests.records import add_user
from tests.workplace import close_workplace, make_workplace, radiograph_png

Watch = Callable[..., FolderWatch]


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Resources]:
    held = make_workplace(tmp_path / "held")
    yield held
    close_workplace(held)


@pytest.fixture
def inspector(workplace: Resources) -> Identity:
    return add_user(workplace.services.store, Role.INSPECTOR, "station")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "arriving"
    made.mkdir()
    return made


@pytest.fixture
def watch(workplace: Resources, inspector: Identity, folder: Path) -> Watch:
    """Makes a watch that takes files at once, as a process that was just started."""

    def made(**more: Any) -> FolderWatch:
        options = {"settled_s": 0.0} | more
        asked = Asked("weld", polarity=Polarity.FILM)
        return FolderWatch(workplace.services.inspect_files, lambda: inspector, folder, asked, **options)

    return made


def result(path: Path) -> dict[str, Any]:
    return json.loads(path.with_name(f"{path.name}.radikal.json").read_text(encoding="utf-8"))


def n_recorded(held: Resources, identity: Identity) -> int:
    return held.services.workspace.history.search(identity, HistoryFilter(), limit=50).n_found


def test_what_arrives_is_recorded_and_its_result_lies_beside_it(
    workplace: Resources, inspector: Identity, folder: Path, watch: Watch
) -> None:
    film = folder / "shift 3" / "film.png"
    film.parent.mkdir()
    film.write_bytes(radiograph_png(1))
    told: list[tuple[str, int, str]] = []
    assert watch().look(told=lambda path, n, problem: told.append((path.name, n, problem))) == 1
    assert told == [("film.png", 1, "")]
    (entry,) = result(film)["radiographs"]
    record = workplace.services.workspace.inspections.get(inspector, entry["inspection_id"])
    assert record.inspector_id == inspector.account_id
    assert entry["result"]["image"]["path"] == "film.png"
    assert len(entry["result"]["detections"]) == len(record.detections)


def test_nothing_is_read_twice_and_a_file_that_changed_is_read_again(
    workplace: Resources, inspector: Identity, folder: Path, watch: Watch
) -> None:
    film = folder / "film.png"
    film.write_bytes(radiograph_png(1))
    first = watch()
    assert (first.look(), first.look(), watch().look()) == (1, 0, 0)
    before = result(film)
    film.write_bytes(radiograph_png(2))
    assert watch().look() == 1
    assert result(film)["sha256"] != before["sha256"]
    assert n_recorded(workplace, inspector) == 2


def test_killed_before_the_result_was_written_it_gives_the_inspection_of_before(
    workplace: Resources, inspector: Identity, folder: Path, watch: Watch
) -> None:
    film = folder / "film.png"
    film.write_bytes(radiograph_png(1))
    watch().look()
    before = result(film)["radiographs"][0]["inspection_id"]
    (folder / "film.png.radikal.json").unlink()
    assert watch().look() == 1
    assert result(film)["radiographs"][0]["inspection_id"] == before
    assert n_recorded(workplace, inspector) == 1


def test_a_file_is_taken_once_nobody_writes_to_it(folder: Path, watch: Watch) -> None:
    clock = Clock()
    waiting = watch(settled_s=2.0, clock=clock)
    film, data = folder / "film.png", radiograph_png(1)
    film.write_bytes(data[:100])
    assert waiting.look() == 0
    clock.now = 1.9
    film.write_bytes(data)
    assert waiting.look() == 0
    clock.now = 3.8
    assert waiting.look() == 0
    clock.now = 3.95
    assert waiting.look() == 1


def test_what_is_no_radiograph_is_told_in_its_result_and_left_alone(folder: Path, watch: Watch) -> None:
    notes = folder / "notes.png"
    notes.write_bytes(b"200 kV")
    first = watch()
    assert (first.look(), first.look(), watch().look()) == (1, 0, 0)
    (entry,) = result(notes)["radiographs"]
    assert "notes.png" in entry["error"]
    assert "inspection_id" not in entry


@pytest.mark.parametrize(
    "name", [".film.png", "film.png.part", "film.tmp", "old.png.radikal.json", ".a/film.png"]
)
def test_hidden_and_unfinished_files_and_results_are_left_alone(
    name: str, folder: Path, watch: Watch
) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(radiograph_png(1))
    assert watch().look() == 0


def test_what_cannot_be_done_now_is_tried_again(workplace: Resources, folder: Path, watch: Watch) -> None:
    film = folder / "film.png"
    film.write_bytes(radiograph_png(1))
    waiting = watch()
    workplace.services.registry.is_there = False
    assert waiting.look() == 0
    assert not (folder / "film.png.radikal.json").exists()
    workplace.services.registry.is_there = True
    assert waiting.look() == 1


def test_an_account_without_the_right_reads_nothing(
    workplace: Resources, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "film.png").write_bytes(radiograph_png(1))
    annotator = add_user(workplace.services.store, Role.ANNOTATOR)
    barred = FolderWatch(
        workplace.services.inspect_files, lambda: annotator, folder, Asked("weld"), settled_s=0.0
    )
    assert barred.look() == 0
    assert "film.png is tried again" in caplog.text
    assert not (folder / "film.png.radikal.json").exists()


def test_every_frame_of_a_dicom_file_has_an_entry_and_a_capture_in_its_study(
    folder: Path, watch: Watch
) -> None:
    frames = np.random.default_rng(4).integers(0, 60_000, (2, 96, 128), dtype=np.uint16)
    study = pydicom.uid.generate_uid()
    data = write_dicom(frames, frames=2, PatientName="Vessel 7", PatientID="V7", StudyInstanceUID=study)
    panel = folder / "panel.dcm"
    panel.write_bytes(data)
    waiting = watch(has_captures=True)
    assert (waiting.look(), waiting.look()) == (1, 0)
    entries = result(panel)["radiographs"]
    assert [entry["frame"] for entry in entries] == [1, 2]
    capture = pydicom.dcmread(BytesIO((folder / "panel.dcm.2.radikal.dcm").read_bytes()))
    assert (capture.PatientName, capture.PatientID, capture.StudyInstanceUID) == ("Vessel 7", "V7", study)
    assert capture.pixel_array.shape == (96, 128, 3)
    assert capture.DerivationDescription.startswith("weld v1, weights ")
    assert "not assessed by a person" in capture.ImageComments
    assert capture.BurnedInAnnotation == "YES"

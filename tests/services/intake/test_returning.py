"""What stations get back: read again with pydicom, written once, and kept until the station has it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ComprehensiveSRStorage

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.radiograph import Polarity
from core.domain.records import Disposition
from core.services.accounts.attempts import actor_of
from core.services.inspections.inspecting import Decision
from core.services.intake import returning
from core.services.intake.asked import Asked
from core.services.intake.returning import Outbox
from core.services.intake.watching import FolderWatch
from tests.app.people import PASSWORD
from tests.imaging.pictures import write_dicom
from tests.workplace import close_workplace, make_workplace, radiograph_png

#: In no alphabet of one byte.
NAME = "Jürgen Ōe"
SOURCE = {
    "PatientName": "Vessel^7", "PatientID": "V7", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4",
}  # fmt: skip


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resources]:
    """One for all: each test hands in other pictures."""
    held = make_workplace(tmp_path_factory.mktemp("held"))
    yield held
    close_workplace(held)


@pytest.fixture(scope="module")
def inspector(workplace: Resources) -> Identity:
    workplace.services.accounts.add(COMMAND_LINE, "station", NAME, Role.INSPECTOR, PASSWORD)
    with workplace.services.store.write() as work:
        user = work.users.named("station")
        assert user is not None
        work.users.set_password(user.user_id, work.users.password_hash(user.user_id), must_change=False)
        return replace(actor_of(user), must_change_password=False)


@pytest.fixture
def arriving(tmp_path: Path) -> Path:
    folder = tmp_path / "arriving"
    folder.mkdir()
    return folder


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


class Line:
    """A station's folder and the outbox of its results."""

    def __init__(self, held: Resources, identity: Identity, arriving: Path, outbox: Path) -> None:
        self.held, self.identity, self.arriving, self.outbox = held, identity, arriving, outbox

    def look(self) -> int:
        """One look by a process that was just started."""
        inspecting, asked = self.held.services.inspect_files, Asked("weld", polarity=Polarity.FILM)
        box = self.box(self.outbox)
        return FolderWatch(
            inspecting, lambda: self.identity, self.arriving, asked, outbox=box, settled_s=0.0
        ).look()

    def box(self, folder: Path) -> Outbox:
        """An outbox in that folder."""
        services = self.held.services
        return Outbox(folder, services.workspace, services.reporting(self.identity), lambda: self.identity)

    def names(self) -> list[str]:
        """Documents by their end, oldest state first."""
        return sorted(path.name.partition(".")[2] for path in self.outbox.glob("*.*") if path.is_file())

    def document(self, n_signatures: int) -> pydicom.Dataset:
        (path,) = self.outbox.glob(f"*.{n_signatures}.dcm")
        return pydicom.dcmread(path)

    def about(self, n_signatures: int) -> dict[str, Any]:
        (path,) = self.outbox.glob(f"*.{n_signatures}.json")
        return json.loads(path.read_text(encoding="utf-8"))

    def sign(self) -> None:
        desk = self.held.services.workspace
        inspection_id = self.about(0)["report"]["content"]["inspection_id"]
        one = desk.inspections.get(self.identity, inspection_id)
        ready = desk.inspections.decide(
            self.identity, inspection_id, Decision(Disposition.REFER), expected_version=one.version
        )
        desk.signing_off.sign(
            self.identity, inspection_id, PASSWORD,
            expected_version=ready.version, expected_reading=0, address="127.0.0.1",
        )  # fmt: skip


@pytest.fixture
def line(workplace: Resources, inspector: Identity, arriving: Path, outbox: Path) -> Line:
    return Line(workplace, inspector, arriving, outbox)


def weld(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 60_000, (48, 64), dtype=np.uint16)
    return write_dicom(pixels, **SOURCE)


def items(dataset: pydicom.Dataset, value_type: str) -> list[pydicom.Dataset]:
    """Every content item of a type, at any depth."""
    found = []
    for item in dataset.get("ContentSequence", []):
        found += ([item] if item.ValueType == value_type else []) + items(item, value_type)
    return found


def test_the_report_says_that_nobody_signed_and_what_the_model_found(line: Line) -> None:
    (line.arriving / "panel.dcm").write_bytes(weld(1))
    assert line.look() == 1
    assert line.names() == ["0.dcm", "0.json"]
    report, about = line.document(0), line.about(0)
    assert (report.PatientName, report.PatientID, report.StudyInstanceUID) == ("Vessel^7", "V7", "1.2.3")
    assert report.SOPClassUID == ComprehensiveSRStorage
    assert (report.VerificationFlag, report.CompletionFlag, report.PreliminaryFlag) == (
        "UNVERIFIED", "PARTIAL", "PRELIMINARY",
    )  # fmt: skip
    assert report.CompletionFlagDescription == "NOT SIGNED: reported by a model, assessed by no person"
    assert len(report.CompletionFlagDescription) <= 64  # DICOM PS3.5, 6.2: LO
    assert "VerifyingObserverSequence" not in report
    assert any(item.TextValue.startswith("NOT SIGNED") for item in items(report, "TEXT"))
    assert about["is_signed"] is False
    listed = about["report"]["content"]["indications"]
    assert len(listed) > 0
    boxes = [list(item.GraphicData) for item in items(report, "SCOORD")]
    assert [[box[0], box[1], box[2], box[5]] for box in boxes] == [
        pytest.approx(one["bbox"]) for one in listed
    ]
    numbers = {}
    for item in items(report, "NUM"):
        numbers.setdefault(item.ConceptNameCodeSequence[0].CodeMeaning, []).append(
            float(item.MeasuredValueSequence[0].NumericValue)
        )
    assert numbers["Calibrated probability"] == pytest.approx(
        [one["probability"] for one in listed], rel=1e-3
    )
    source = pydicom.dcmread(BytesIO(weld(1)))
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == "1.2.3.4"
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_a_signature_gives_a_second_report_that_names_signer_and_predecessor(line: Line) -> None:
    (line.arriving / "panel.dcm").write_bytes(weld(3))
    line.look()
    line.sign()
    assert line.look() == 0
    before, after = line.document(0), line.document(1)
    assert (after.VerificationFlag, after.CompletionFlag, after.PreliminaryFlag) == (
        "VERIFIED", "COMPLETE", "FINAL",
    )  # fmt: skip
    (observer,) = after.VerifyingObserverSequence
    assert str(observer.VerifyingObserverName) == NAME
    (study,) = after.PredecessorDocumentsSequence
    named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert (named, after.SOPInstanceUID) != (after.SOPInstanceUID, before.SOPInstanceUID)
    assert named == before.SOPInstanceUID
    assert not any("NOT SIGNED" in item.TextValue for item in items(after, "TEXT"))
    assert line.about(1)["is_signed"] is True


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_dciodvfy_finds_no_error_in_either(line: Line) -> None:
    (line.arriving / "panel.dcm").write_bytes(weld(6))
    line.look()
    line.sign()
    line.look()
    for path in sorted(line.outbox.glob("*.dcm")):
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
        assert "ComprehensiveSR" in said
        assert [one for one in said.splitlines() if one.startswith("Error")] == []


def test_nothing_is_written_twice_even_when_it_was_taken_away(line: Line) -> None:
    (line.arriving / "panel.dcm").write_bytes(weld(4))
    line.look()
    line.sign()
    line.look()
    for path in line.outbox.glob("*.*"):
        if path.is_file():
            path.unlink()
    (line.arriving / "panel.dcm.radikal.json").unlink()
    assert line.look() == 1
    assert line.names() == []


def test_killed_at_any_write_the_same_bytes_come_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    (line.arriving / "panel.dcm").write_bytes(weld(5))
    line.look()
    inspection_id = line.about(0)["report"]["content"]["inspection_id"]
    whole = {path.name: path.read_bytes() for path in line.outbox.glob("*.*") if path.is_file()}
    write_whole, written = returning.write_whole, []

    def killed(path: Path, data: bytes) -> None:
        if len(written) == n_written:
            raise KeyboardInterrupt
        written.append(path)
        write_whole(path, data)

    for n_written in range(3):
        box, written = line.box(line.outbox / str(n_written)), []
        monkeypatch.setattr(returning, "write_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            box.put(inspection_id)
        monkeypatch.undo()
        assert len(list((line.outbox / str(n_written)).glob("*.*"))) == 1 + min(n_written, 2)  # .written, too
        assert box.put(inspection_id)
        again = (line.outbox / str(n_written)).glob("*.*")
        assert {path.name: path.read_bytes() for path in again if path.is_file()} == whole


def test_what_is_no_dicom_gets_its_json_alone(line: Line) -> None:
    (line.arriving / "film.png").write_bytes(radiograph_png(1))
    line.look()
    assert line.names() == ["0.json"]
    assert line.about(0)["dicom"] is None


def test_inspections_that_came_otherwise_are_left_alone(line: Line) -> None:
    (line.arriving / "film.png").write_bytes(radiograph_png(2))
    line.look()
    line.sign()
    assert line.box(line.outbox / "of another line").put_signed() == 0
    assert line.box(line.outbox).put_signed() == 1


def test_a_frame_is_named_with_its_number(line: Line) -> None:
    frames = np.random.default_rng(9).integers(0, 60_000, (2, 48, 64), dtype=np.uint16)
    (line.arriving / "panel.dcm").write_bytes(write_dicom(frames, frames=2, **SOURCE))
    line.look()
    numbers = []
    for path in line.outbox.glob("*.dcm"):
        images = items(pydicom.dcmread(path), "IMAGE")
        numbers.append({image.ReferencedSOPSequence[0].ReferencedFrameNumber for image in images})
    assert sorted(numbers, key=min) == [{1}, {2}]

"""What a station sends by DICOM lies on the disk before the station is told so."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import DigitalXRayImageStorageForPresentation, Verification

from core.domain.errors import BadInputError
from core.services.intake.receiving import StorageReceiver
from tests.imaging.pictures import write_dicom

SUCCESS, NO_ROOM = 0x0000, 0xA700


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "arriving"
    made.mkdir()
    return made


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    server = StorageReceiver(folder, "RADIKAL", ["CR7"]).start("127.0.0.1", 0)
    yield server.server_address[1]
    server.shutdown()


def film(uid: str = "1.2.3.4") -> pydicom.Dataset:
    pixels = np.random.default_rng(1).integers(0, 4_000, (48, 64), dtype=np.uint16)
    dataset = pydicom.dcmread(BytesIO(write_dicom(pixels)))
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, uid
    dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    return dataset


def send(
    port: int, *datasets: pydicom.Dataset, title: str = "CR7", called: str = "RADIKAL"
) -> list[int] | None:
    """The status of each, None where the association was refused."""
    station = AE(ae_title=title)
    station.add_requested_context(DigitalXRayImageStorageForPresentation)
    station.add_requested_context(Verification)
    association = station.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return None
    try:
        return [association.send_c_store(one).Status for one in datasets] or [
            association.send_c_echo().Status
        ]
    finally:
        association.release()


def test_an_object_arrives_as_a_file_that_reads_as_it_was_sent(port: int, folder: Path) -> None:
    sent = [film("1.2.3.4"), film("1.2.3.5")]
    assert send(port, *sent) == [SUCCESS, SUCCESS]
    assert sorted(path.name for path in folder.iterdir()) == ["1.2.3.4.dcm", "1.2.3.5.dcm"]
    kept = pydicom.dcmread(folder / "1.2.3.5.dcm")
    np.testing.assert_array_equal(kept.pixel_array, sent[1].pixel_array)


def test_the_same_object_again_is_one_file(port: int, folder: Path) -> None:
    assert send(port, film(), film()) == [SUCCESS, SUCCESS]
    assert [path.name for path in folder.iterdir()] == ["1.2.3.4.dcm"]


def test_an_echo_is_answered(port: int) -> None:
    assert send(port) == [SUCCESS]


@pytest.mark.parametrize(("title", "called"), [("STRANGER", "RADIKAL"), ("CR7", "SOMEBODY")])
def test_strangers_and_wrong_titles_are_refused(port: int, folder: Path, title: str, called: str) -> None:
    assert send(port, film(), title=title, called=called) is None
    assert list(folder.iterdir()) == []


def test_what_cannot_be_kept_is_not_acknowledged(port: int, folder: Path) -> None:
    folder.rmdir()
    assert send(port, film()) == [NO_ROOM]


@pytest.mark.parametrize(("title", "stations"), [("RADIKAL", []), ("", ["CR7"]), ("RADIKAL", ["x" * 17])])
def test_titles_that_are_none_are_refused(folder: Path, title: str, stations: list[str]) -> None:
    with pytest.raises(BadInputError, match="AE title|name the stations"):
        StorageReceiver(folder, title, stations)

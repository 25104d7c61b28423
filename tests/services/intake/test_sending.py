"""Reports go from an outbox to a station: each until the station has it, whatever happens between."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ComprehensiveSRStorage
from pynetdicom import AE, evt

from core.domain.errors import BadInputError
from core.reports.dicom_study import file_of, made_of
from core.services.intake.sending import ResultSender, Station, station_from

UID = "1.2.3.4.5"


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """An outbox with one document."""
    report = file_of(made_of(Dataset(), ComprehensiveSRStorage, UID))
    (tmp_path / "a.0.dcm").write_bytes(report)
    (tmp_path / "a.0.json").write_text(json.dumps({"dicom": "a.0.dcm"}), encoding="utf-8")
    return tmp_path


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.*") if path.is_file())


class Pacs:
    """A station that takes structured reports, or says with which status it does not."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.status = 0x0000
        entity = AE(ae_title="PACS")
        entity.add_supported_context(ComprehensiveSRStorage)
        self.server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._store)]
        )
        self.station = Station("PACS", "127.0.0.1", self.server.server_address[1])

    def _store(self, event: Any) -> int:
        self.got.append(str(event.dataset.SOPInstanceUID))
        return self.status


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    made = Pacs()
    yield made
    made.server.shutdown()


def test_the_station_gets_each_document_once(outbox: Path, pacs: Pacs) -> None:
    assert [ResultSender(outbox, pacs.station, "RADIKAL").look() for _ in range(2)] == [1, 0]
    assert pacs.got == [UID]
    assert lying(outbox) == []
    assert lying(outbox / "sent") == ["a.0.dcm", "a.0.json"]


def test_a_document_whose_json_was_left_behind_is_not_sent_again(outbox: Path, pacs: Pacs) -> None:
    (outbox / "sent").mkdir()
    (document,) = outbox.glob("*.dcm")
    document.replace(outbox / "sent" / document.name)  # killed between the two
    assert ResultSender(outbox, pacs.station, "RADIKAL").look() == 0
    assert (pacs.got, lying(outbox)) == ([], [])


def test_without_room_it_waits_longer_each_time_and_loses_nothing(outbox: Path, pacs: Pacs) -> None:
    now = [0.0]
    sender = ResultSender(outbox, pacs.station, "RADIKAL", clock=lambda: now[0])
    pacs.status = 0xA700
    tried = []
    for moment in (0.0, 4.9, 5.1, 15.0, 15.2):
        now[0] = moment
        sender.look()
        tried.append(len(pacs.got))
    assert tried == [1, 1, 2, 2, 3]
    pacs.status, now[0] = 0xB000, 100.0
    assert sender.look() == 1
    assert lying(outbox) == []


def test_what_the_station_refuses_for_good_is_kept_aside(
    outbox: Path, pacs: Pacs, caplog: pytest.LogCaptureFixture
) -> None:
    pacs.status = 0xC123
    ResultSender(outbox, pacs.station, "RADIKAL").look()
    assert "0xC123" in caplog.text
    assert lying(outbox / "refused") == ["a.0.dcm", "a.0.json"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_station_that_is_away_costs_nothing(outbox: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert ResultSender(outbox, Station("PACS", "127.0.0.1", 9), "RADIKAL").look() == 0
    gc.collect()  # pynetdicom leaves the socket of a refused connection to the collector
    assert "tried again in 5 s" in caplog.text
    assert lying(outbox) == ["a.0.dcm", "a.0.json"]


@pytest.mark.parametrize(
    "text", ["PACS", "PACS@host", "@host:104", "PACS@host:0", "PACS@host:x", "A" * 17 + "@h:1"]
)
def test_a_station_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        station_from(text)


def test_a_station_is_read_from_its_words() -> None:
    assert station_from("CR7@10.0.0.9:104") == Station("CR7", "10.0.0.9", 104)

"""Sends the documents of an outbox to a station by C-STORE, each until the station has it."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import ComprehensiveSRStorage  # type: ignore[attr-defined]  # made when it is imported

from core.domain.errors import BadInputError
from core.services.intake.receiving import require_title

log = logging.getLogger(__name__)
#: Below the outbox: what the station has, and what it will never take.
SENT, REFUSED = "sent", "refused"
_IDLE_S = 30.0
#: Wait after a failure, twice as long after each that follows.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 300.0
#: Statuses of C-STORE (PS3.4 B.2.3): stored, if with a warning; no room now; not this object, ever.
_STORED = frozenset({0x0000, 0xB000, 0xB006, 0xB007})
_NO_ROOM = range(0xA700, 0xA800)


@dataclass(frozen=True, slots=True)
class Station:
    """Where results go.

    Attributes:
        title: its AE title.
    """

    title: str
    host: str
    port: int


def station_from(text: str) -> Station:
    """The station in `TITLE@HOST:PORT`.

    Raises:
        BadInputError: it is not of that form.
    """
    title, _, address = text.rpartition("@")
    host, _, port = address.rpartition(":")
    if not (title and host and port.isdecimal() and 0 < int(port) < 65_536):
        raise BadInputError(f"expected a station as TITLE@HOST:PORT, such as PACS@10.0.0.9:104, got {text!r}")
    require_title(title)
    return Station(title, host.strip("[]"), int(port))


class ResultSender:
    """Sends what lies in an outbox; a document that the station has goes to `sent`, with its JSON.

    Killed between the station's answer and that, it sends the document again: the same UID, which is the same
    object to a station. What the station refuses for good goes to `refused`, so that it is neither lost nor
    asked about for ever; put it back to try again. Everything else stays and is tried again.

    Args:
        folder: the outbox.
        station: that gets it.
        title: of this application entity.
        clock: in seconds.
    """

    def __init__(
        self, folder: Path, station: Station, title: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        require_title(title)
        self._folder = folder
        self._station = station
        self._clock = clock
        self._entity = AE(ae_title=title)
        self._entity.add_requested_context(ComprehensiveSRStorage)
        for name in ("network_timeout", "acse_timeout", "dimse_timeout", "connection_timeout"):
            setattr(self._entity, name, _IDLE_S)
        self._not_before, self._wait_s = float("-inf"), _FIRST_WAIT_S

    def run(self, stop: threading.Event, *, every_s: float) -> None:
        """Look again and again until `stop` is set."""
        while not stop.is_set():
            self.look(stop=stop)
            stop.wait(every_s)

    def look(self, *, stop: threading.Event | None = None) -> int:
        """The number of documents that the station took in one look over the folder."""
        self._finish_moves()
        waiting = list(self._waiting())
        if not waiting or self._clock() < self._not_before:
            return 0
        to = self._station
        association = self._entity.associate(to.host, to.port, ae_title=to.title)
        if not association.is_established:
            self._failed(
                f"{to.title} at {to.host}:{to.port} does not answer, or does not take structured reports"
            )
            return 0
        n_sent = 0
        try:
            for path in waiting:
                if stop is not None and stop.is_set():
                    break
                if not self._send(association, path):
                    return n_sent
                n_sent += 1
        finally:
            association.release()
        self._not_before, self._wait_s = float("-inf"), _FIRST_WAIT_S
        return n_sent

    def _waiting(self) -> Iterator[Path]:
        """Documents whose JSON lies beside them, by name: that comes last."""
        for path in sorted(self._folder.glob("*.dcm")):
            if path.with_suffix(".json").exists():
                yield path

    def _send(self, association: Association, path: Path) -> bool:
        """False when sending has to wait."""
        try:
            answer = association.send_c_store(dcmread(path))
        except (ValueError, RuntimeError, AttributeError) as error:  # the association ended, or knows no SR
            self._failed(f"{path.name}: {error}")
            return False
        status = getattr(answer, "Status", None)
        if status in _STORED:
            log.info("%s has %s", self._station.title, path.name)
            self._move(path, SENT)
            return True
        if status is None or status in _NO_ROOM:
            self._failed(f"{path.name}: the station has no room, or gave no answer")
            return False
        log.error("%s is refused with status 0x%04X; it lies in %s", path.name, status, REFUSED)
        self._move(path, REFUSED)
        return True

    def _move(self, path: Path, place: str) -> None:
        folder = self._folder / place
        folder.mkdir(exist_ok=True)
        path.replace(folder / path.name)
        path.with_suffix(".json").replace(folder / path.with_suffix(".json").name)

    def _finish_moves(self) -> None:
        """Let a JSON follow its document, where this was killed between both."""
        for path in self._folder.glob("*.json"):
            document = path.with_suffix(".dcm").name
            if (self._folder / document).exists() or not _names(path, document):
                continue
            for place in (SENT, REFUSED):
                if (self._folder / place / document).exists():
                    path.replace(self._folder / place / path.name)
                    break

    def _failed(self, why: str) -> None:
        self._not_before = self._clock() + self._wait_s
        log.warning("%s; tried again in %.0f s", why, self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)


def _names(path: Path, document: str) -> bool:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("dicom") == document

"""A folder that stations write radiographs into: each is read once, and its result laid beside it."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import IO, Any

from core.domain.accounts import Identity
from core.domain.errors import UnreadableImageError, WorkbenchError
from core.imaging.uploads import IncomingFile
from core.logs import bound, new_request_id
from core.reports.detection_json import detection_to_dict
from core.reports.secondary_capture import secondary_capture
from core.services.intake.asked import Asked
from core.services.intake.inspecting_files import Inspected, InspectFilesService, PolarityNeededError
from core.services.intake.returning import Outbox
from core.services.intake.taking_apart import radiographs_in
from core.store.whole_file import write_whole
from core.tracing import span

log = logging.getLogger(__name__)
#: Is in the name of everything that this writes beside a file, and only there.
MARK = ".radikal"
RESULT, CAPTURE = f"{MARK}.json", f"{MARK}.dcm"
#: A file whose size and time stayed so long is complete; stations that rename when they are done need less.
SETTLED_S = 2.0
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class _State:
    """A file as it was met: size in bytes, time of the last change in ns."""

    size: int
    modified_ns: int


class FolderWatch:
    """Reads what arrives in a folder and the folders in it.

    What was read has a `NAME.radikal.json` beside it that names the file's sha256; such a file is left alone
    until it changes. Whoever is killed between reading and writing that reads the file again, which gives the
    inspection of before: nothing is recorded twice, and nothing is left out.

    Args:
        inspecting: reads and records a radiograph.
        whose: gives the account that the inspections are recorded for, as it is now.
        folder: that is watched.
        asked: how radiographs are read.
        has_captures: results of DICOM files are also written as DICOM secondary captures.
        outbox: gets the report of each inspection, and again when it is signed.
        settled_s: see `SETTLED_S`.
        clock: in seconds.
    """

    def __init__(
        self,
        inspecting: InspectFilesService,
        whose: Callable[[], Identity],
        folder: Path,
        asked: Asked,
        *,
        has_captures: bool = False,
        outbox: Outbox | None = None,
        settled_s: float = SETTLED_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inspecting = inspecting
        self._whose = whose
        self._folder = folder
        self._asked = asked
        self._has_captures = has_captures
        self._outbox = outbox
        self._settled_s = settled_s
        self._clock = clock
        self._met: dict[Path, tuple[_State, float]] = {}
        self._done: dict[Path, _State] = {}

    def run(self, stop: threading.Event, *, every_s: float, told: Callable[[Path, int, str], None]) -> None:
        """Look again and again until `stop` is set; what is being read then is finished first.

        Args:
            stop: ends it.
            every_s: between two looks.
            told: called with each file that was read, its number of radiographs, and what went wrong.
        """
        while not stop.is_set():
            self.look(told=told, stop=stop)
            stop.wait(every_s)

    def look(
        self, *, told: Callable[[Path, int, str], None] = lambda *_: None, stop: threading.Event | None = None
    ) -> int:
        """The number of files that were read in one look over the folder.

        A file that cannot be read at all is told in its result. One that could not be read for a passing
        reason (no model, a locked database) is tried again with the next look.
        """
        n_read = 0
        for path, state in self._complete():
            if stop is not None and stop.is_set():
                break
            try:
                if not self._is_read(path):
                    with bound(request_id=new_request_id()), span("watched file"):
                        n_radiographs, problem = self._read(path)
                    told(path, n_radiographs, problem)
                    n_read += 1
            except WorkbenchError as error:
                log.warning("%s is tried again: %s", path.name, error)
                continue
            except FileNotFoundError:
                continue  # it was taken away meanwhile
            except OSError as error:
                log.warning("%s is tried again: %s", path.name, error.strerror)
                continue
            self._done[path] = state
        if self._outbox is not None:
            self._outbox.put_signed()
        return n_read

    def _complete(self) -> Iterator[tuple[Path, _State]]:
        """Files that are not written to any more and were not dealt with, by name."""
        now, met = self._clock(), {}
        for path in sorted(self._folder.rglob("*")):
            if not _is_input(path, self._folder):
                continue
            try:
                found = path.stat()
            except OSError:
                continue
            state = _State(found.st_size, found.st_mtime_ns)
            before, since = self._met.get(path, (state, now))
            met[path] = (state, since if before == state else now)
        self._met = met
        for path, (state, since) in met.items():
            if self._done.get(path) != state and now - since >= self._settled_s:
                yield path, state

    def _is_read(self, path: Path) -> bool:
        result = path.with_name(path.name + RESULT)
        try:
            known = json.loads(result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(known, dict) and known.get("sha256") == _sha256(path)

    def _read(self, path: Path) -> tuple[int, str]:
        """Number of radiographs in the file, and why the last of them failed that did; all written down."""
        entries: list[dict[str, Any]] = []
        problem, identity = "", self._whose()
        sha256 = _sha256(path)
        file = IncomingFile(path.name, path.read_bytes, open=partial(_opened, path))
        for radiograph, error in radiographs_in(file):
            about: dict[str, Any] = {"name": radiograph.name, "frame": radiograph.frame}
            try:
                if error is not None:
                    raise error
                found = self._inspecting.inspect(identity, radiograph, self._asked)
            except (UnreadableImageError, PolarityNeededError) as refused:
                problem = str(refused)
                entries.append(about | {"error": problem})
                continue
            entries.append(about | _answer(found, path.name))
            if self._outbox is not None:
                self._outbox.put(found.inspection.inspection_id)
            if self._has_captures and (capture := secondary_capture(found.result, radiograph.read())):
                number = "" if radiograph.frame is None else f".{radiograph.frame}"
                write_whole(path.with_name(f"{path.name}{number}{CAPTURE}"), capture)
        content = {"format": _FORMAT, "file": path.name, "sha256": sha256, "radiographs": entries}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_whole(path.with_name(path.name + RESULT), text.encode("utf-8"))
        return len(entries), problem


def _is_input(path: Path, folder: Path) -> bool:
    """False for folders, hidden files, what stations still write to, and what this wrote."""
    parts = path.relative_to(folder).parts
    if any(part.startswith(".") for part in parts) or MARK in path.name:
        return False
    return path.suffix.lower() not in _UNFINISHED and path.is_file()


def _answer(found: Inspected, name: str) -> dict[str, Any]:
    result = detection_to_dict(found.result, name)
    answer: dict[str, Any] = {"inspection_id": found.inspection.inspection_id, "result": result}
    words = {"picked": found.picked, "warning": found.warning}
    return answer | {key: value for key, value in words.items() if value}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")

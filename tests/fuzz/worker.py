"""Hands uploads to the real path in a process of its own, and prints one JSON report.

Usage: python -m tests.fuzz.worker FOLDER FIRST COUNT
"""

import faulthandler
import json
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.accounts import COMMAND_LINE
from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Polarity
from core.imaging.uploads import IncomingFile, frames_in, unpack
from core.services.workspaces import Workspace, make_workspace
from core.store.database import open_database, upgrade
from tests.fuzz.mutations import upload
from tests.records import new_store

#: An input of some kilobytes may claim to unpack to 64 MiB; decoding takes a few times that.
MOST_GROWTH_MIB = 400
#: Address space beyond what is used at the start, as a second wall.
MOST_SPACE = 3 * 2**30
HANGS_AFTER_S = 30
LONGEST_MESSAGE = 500
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Report:
    """What came of a run.

    Attributes:
        outcomes: how many files ended how: stored by format, refused by the first words.
        failures: what must not be, one line or traceback each, with the number of the upload.
        slowest_s: time of the slowest upload.
        peak_growth_mib: most that the process grew by while it took one upload.
        kept_mib: what it grew by over the whole run.
    """

    n_uploads: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    slowest_s: float = 0.0
    peak_growth_mib: float = 0.0
    kept_mib: float = 0.0


class Run:
    """One database, one folder of originals, and the uploads that are put into them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        tempfile.tempdir = str(self._temporary)
        self._engine = open_database(f"sqlite:///{folder / 'fuzz.db'}")
        upgrade(self._engine)
        self._workspace: Workspace = make_workspace("", new_store(self._engine), folder / "originals")
        self.report = Report()

    def take(self, number: int) -> None:
        """Hand in upload `number` and write down what came of it."""
        name, data = upload(number)
        start, before = time.perf_counter(), _resident_mib()
        _forget_peak()
        faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        try:
            for file in unpack(data, name):
                self._open(number, file)
        except UnreadableImageError as error:
            self._note_refusal(number, error)
        except Exception:  # noqa: BLE001 - whatever came is a finding
            self._fail(number, traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
        growth_mib = _peak_mib() - before
        if growth_mib > MOST_GROWTH_MIB:
            self._fail(number, f"took {growth_mib:.0f} MiB")
        self.report.peak_growth_mib = max(self.report.peak_growth_mib, growth_mib)
        for left in self._left_behind():
            self._fail(number, f"left behind: {left}")
        self.report.n_uploads += 1
        self.report.slowest_s = max(self.report.slowest_s, time.perf_counter() - start)

    def close(self) -> None:
        """Compare rows with files, once, at the end."""
        originals = self._folder / "originals"
        files = {path.name for path in originals.rglob("*") if path.is_file()}
        with self._engine.connect() as connection:
            rows = {row[0] for row in connection.exec_driver_sql("select file_sha256 from images")}
        if files != rows:
            self.report.failures.append(f"files without row or rows without file: {files ^ rows}")
        self._engine.dispose()

    def _open(self, number: int, file: IncomingFile) -> None:
        """Hand in each frame, as the pages do."""
        try:
            frames = frames_in(file.read(), file.name) if file.frame is None else (file,)
        except UnreadableImageError as error:
            self._note_refusal(number, error)
            return
        for frame in frames:
            self._note(number, frame)

    def _note(self, number: int, file: IncomingFile) -> None:
        try:
            radiograph = self._workspace.images.add(
                COMMAND_LINE, file.read(), file.name, polarity=Polarity.UNKNOWN, frame=file.frame
            )
        except UnreadableImageError as error:
            self._note_refusal(number, error)
            return
        self.report.outcomes[f"stored {radiograph.file_format}"] += 1
        if not self._workspace.blobs.has(radiograph.file_sha256):
            self._fail(number, "stored without its file")

    def _note_refusal(self, number: int, error: UnreadableImageError) -> None:
        message = str(error)
        is_clear = message.startswith(("expected ", "the archive holds ")) and message.isprintable()
        if not is_clear or len(message) > LONGEST_MESSAGE:
            self._fail(number, f"unclear message: {message!r}")
        if "memory" in message.lower():
            self._fail(number, f"ran out of memory: {message}")
        self.report.outcomes["refused: " + " ".join(message.split()[:4])] += 1

    def _left_behind(self) -> list[str]:
        left = list(self._temporary.iterdir())
        originals = self._folder / "originals"
        if originals.is_dir():
            left += [p for sub in originals.iterdir() for p in sub.iterdir() if p.name.startswith(".")]
        found = [str(path.relative_to(self._folder)) for path in left]
        for path in left:
            path.unlink()
        return found

    def _fail(self, number: int, what: str) -> None:
        self.report.failures.append(f"upload {number}: {what}")


def _forget_peak() -> None:
    """Let the kernel measure the peak from here on (Linux)."""
    if _CLEAR.is_file():
        _CLEAR.write_text("5")


def _peak_mib() -> float:
    return _status_mib("VmHWM")


def _resident_mib() -> float:
    return _status_mib("VmRSS")


def _status_mib(name: str) -> float:
    """A figure of this process; nothing is measured where the system does not tell."""
    if not _STATUS.is_file():
        return 0.0
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def _limit_address_space() -> None:
    status = Path("/proc/self/statm")
    if status.is_file():
        n_used = int(status.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (n_used + MOST_SPACE, n_used + MOST_SPACE))


def main(folder: Path, first: int, count: int) -> None:
    """Take uploads `first` to `first + count - 1`; a file `now` names the one at work."""
    run = Run(folder)
    run.take(first)  # loads every library there is
    run.report.peak_growth_mib = run.report.slowest_s = 0.0
    before, start = _resident_mib(), time.perf_counter()
    _limit_address_space()
    with (folder / "now").open("w") as now:
        for number in range(first, first + count):
            now.seek(0)
            now.write(f"{number}\n")
            now.flush()
            run.take(number)
    run.report.seconds = time.perf_counter() - start
    run.report.kept_mib = _resident_mib() - before
    run.close()
    print(json.dumps(vars(run.report)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

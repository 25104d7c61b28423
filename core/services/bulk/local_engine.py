"""Workers of this machine, each a process of its own: one that dies takes no other file with it."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue, SimpleQueue

from core.domain.errors import WorkbenchError
from core.services.bulk.archive import ArchiveFile
from core.services.bulk.reader import FileOutcome, ReaderSpec

#: A file is told as a problem when so many workers died that read it.
_MOST_DEATHS = 2
_ROOT = Path(__file__).resolve().parents[3]
_GONE = (EOFError, BrokenPipeError, pickle.UnpicklingError)


def read_locally(spec: ReaderSpec, files: Sequence[ArchiveFile], *, n_workers: int) -> Iterator[FileOutcome]:
    """What comes of each file, as it comes; a file whose worker died is read again by a new one.

    Raises:
        WorkbenchError: a worker did not start.
    """
    waiting: SimpleQueue[ArchiveFile] = SimpleQueue()
    for file in files:
        waiting.put(file)
    found: Queue[FileOutcome | Exception | None] = Queue(maxsize=2 * n_workers)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_keep_reading, args=(spec, waiting, found, stop), daemon=True)
        for _ in range(n_workers)
    ]
    for thread in threads:
        thread.start()
    try:
        n_left = n_workers
        while n_left:
            one = found.get()
            if isinstance(one, Exception):
                raise one
            if one is None:
                n_left -= 1
            else:
                yield one
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            try:
                found.get(timeout=0.05)  # lets a thread go on that waits for room
            except Empty:
                continue


def _keep_reading(
    spec: ReaderSpec,
    waiting: "SimpleQueue[ArchiveFile]",
    found: "Queue[FileOutcome | Exception | None]",
    stop: threading.Event,
) -> None:
    """Read files until none is left, with one worker after the other."""
    worker: _Worker | None = None
    try:
        while not stop.is_set():
            file = waiting.get_nowait()
            outcome = None
            for _ in range(_MOST_DEATHS):
                worker = worker or _started(spec)
                if (outcome := worker.read(file)) is not None:
                    break
                worker.end()
                worker = None
            told = f"{file.name}: {_MOST_DEATHS} readers died of it"
            found.put(outcome or FileOutcome(file.name, file.stamp, problems=(told,)))
    except Empty:
        pass
    except Exception as error:  # noqa: BLE001 - raised where the outcomes are taken
        found.put(error)
    finally:
        if worker is not None:
            worker.end()
        found.put(None)


def _started(spec: ReaderSpec) -> "_Worker":
    for _ in range(_MOST_DEATHS):
        worker = _Worker(spec)
        if worker.is_ready:
            return worker
        worker.end()
    raise WorkbenchError("a reader did not start; what it said stands above")


class _Worker:
    """A process that runs `core.services.bulk.worker`.

    Attributes:
        is_ready: False when it died before it could read anything.
    """

    def __init__(self, spec: ReaderSpec) -> None:
        places = filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.services.bulk.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        )
        self.is_ready = self._asked(spec) == "ready"

    def read(self, file: ArchiveFile) -> FileOutcome | None:
        """What came of the file; None when the worker died."""
        outcome = self._asked(file)
        return outcome if isinstance(outcome, FileOutcome) else None

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.communicate()

    def _asked(self, question: object) -> object:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(question, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)  # of our own process
        except _GONE:
            return None

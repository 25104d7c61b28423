"""Workers of this machine, each a process of its own: one that dies takes no other file with it."""

import multiprocessing
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from core.services.bulk.archive import ArchiveFile
from core.services.bulk.reader import FileOutcome, Reader, ReaderSpec

#: Files at hand for each worker, so that none idles while results are stored.
_AHEAD = 2
#: A file is told as a problem when this many workers died that read it alone.
_MOST_DEATHS = 2
_reader: Reader


def read_locally(spec: ReaderSpec, files: Sequence[ArchiveFile], *, n_workers: int) -> Iterator[FileOutcome]:
    """What comes of each file, as it comes.

    When a worker dies, the files that were at hand are read again one by one, which finds the one that kills.
    """
    waiting = deque(files)
    while waiting:
        lost = yield from _read_until_death(spec, waiting, n_workers, n_workers * _AHEAD)
        for file in lost:
            yield from _read_alone(spec, file)


def _read_alone(spec: ReaderSpec, file: ArchiveFile) -> Iterator[FileOutcome]:
    for _ in range(_MOST_DEATHS):
        if not (yield from _read_until_death(spec, deque([file]), 1, 1)):
            return
    yield FileOutcome(file.name, file.stamp, problems=(f"{file.name}: {_MOST_DEATHS} readers died of it",))


def _read_until_death(
    spec: ReaderSpec, waiting: deque[ArchiveFile], n_workers: int, n_at_hand: int
) -> Generator[FileOutcome, None, tuple[ArchiveFile, ...]]:
    """Take files off `waiting` until none is left or a worker dies; returns those that were at hand then."""
    at_hand: dict[Future[FileOutcome], ArchiveFile] = {}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_workers, mp_context=context, initializer=_begin, initargs=(spec,))
    try:
        while waiting or at_hand:
            while waiting and len(at_hand) < n_at_hand:
                at_hand[pool.submit(_read, waiting[0])] = waiting[0]
                waiting.popleft()
            for done in wait(at_hand, return_when=FIRST_COMPLETED).done:
                outcome = done.result()
                del at_hand[done]
                yield outcome
    except BrokenProcessPool:
        return tuple(at_hand.values())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return ()


def _begin(spec: ReaderSpec) -> None:
    global _reader
    _reader = Reader(spec)


def _read(file: ArchiveFile) -> FileOutcome:
    return _reader.read(file.name, file.stamp)

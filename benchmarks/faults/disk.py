"""The disk fills up under a process at work, and is freed again. Needs root: the disk is a small tmpfs."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults import NotPossibleHereError
from tests.crash.examination import Ledger
from tests.crash.place import Place
from tests.crash.processes import Worker, place_at
from tests.crash.worker import N_THREADS
from tests.empty_stores import copy_empty_database

ROOT = Path(__file__).resolve().parents[2]
#: Room for the database, its write-ahead log and the originals of some hundred acts.
SIZE_MIB = 64
FULL_FOR_S = 1.0
N_ACTS = 6


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """The figures of so many times that the disk was full.

    Raises:
        AssertionError: an act that was acknowledged is missing, or one that was refused is there.
        NotPossibleHereError: this process may not mount a disk.
    """
    with small_disk(folder / "disk") as disk:
        url = copy_empty_database(disk / "radikal.db")
        with place_at(url, disk) as place:
            place.add_somebody()
        worker = Worker(ROOT, url, disk, 0, said=folder)
        try:
            worker.wait_until_ready()
            away_s = [fill_and_free(worker, disk / "ballast") for _ in range(rounds)]
        finally:
            worker.kill()
        refusals = worker.refusals()
        place = Place.open(url, disk)
        try:
            ledger = Ledger()
            in_flight = {"n_in_flight": N_THREADS, "n_refused": refusals.total()}
            ledger.examine(place, worker.acknowledged(), **in_flight)
        finally:
            place.close()
    return {
        "times_full": rounds,
        "acts_refused": refusals.total(),
        "told": sorted(refusals),
        "longest_from_free_to_next_act_s": round(max(away_s), 2),
        **ledger.figures(),
    }


def fill_and_free(worker: Worker, ballast: Path) -> float:
    """Seconds from the moment there is room again until the next act is acknowledged."""
    worker.wait_for(N_ACTS)
    n_before = worker.refusals().total()
    fill(ballast)
    until = time.monotonic() + FULL_FOR_S
    while time.monotonic() < until or worker.refusals().total() == n_before:
        fill(ballast)  # a transaction that was rolled back may have given something free
        time.sleep(0.05)
        assert time.monotonic() < until + 120, "nothing was refused on a full disk"
    ballast.unlink()
    freed = time.monotonic()
    worker.wait_for(1)
    return time.monotonic() - freed


def fill(ballast: Path) -> None:
    """Let `ballast` take what room there is."""
    with ballast.open("ab", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of `SIZE_MIB` of its own, gone at the end.

    Raises:
        NotPossibleHereError: this process may not.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0700", "radikal-soak", str(folder)]
    if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        raise NotPossibleHereError("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)

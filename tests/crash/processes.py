"""Processes that work until they are killed, and what they worked on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.crash.examination import Acts
from tests.crash.place import Place

START_LIMIT_S = 180.0


class Worker:
    """One process at work; its acknowledgements are read after it is dead."""

    def __init__(
        self, repository: Path, url: str, folder: Path, number: int, *, said: Path | None = None
    ) -> None:
        """Start it.

        Args:
            repository: of this project.
            url: of a database at the newest schema.
            folder: for what it stores.
            number: of the process, which is also its seed.
            said: folder for its acknowledgements, where it is not `folder`.
        """
        self._file = (said or folder) / f"acknowledged-{number}"
        command = [sys.executable, "-m", "tests.crash.worker", url, str(folder), str(number), str(self._file)]
        self._process = subprocess.Popen(command, cwd=repository, env=plain())

    def wait_until_ready(self) -> None:
        """Return when it begins to work."""
        self.wait_for(0)

    def wait_for(self, n_more: int) -> None:
        """Return when it said that `n_more` more acts are done, and at the latest that it is ready."""
        wanted = max(1, self._n_lines() + n_more)
        limit = time.monotonic() + START_LIMIT_S
        while self._n_lines() < wanted:
            assert self._process.poll() is None, "the worker stopped by itself"
            assert time.monotonic() < limit, "the worker does not get on"
            time.sleep(0.005)

    def kill(self) -> None:
        """End it at once, between any two instructions."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait() == -signal.SIGKILL

    def acknowledged(self) -> Acts:
        """What it said was done."""
        return {(line["act"], line["id"]): line["digest"] for line in self._lines() if "id" in line}

    def refusals(self) -> Counter[str]:
        """What it was told when an act was refused, and how often."""
        return Counter(line["told"] for line in self._lines() if "told" in line)

    def _lines(self) -> list[dict[str, Any]]:
        whole, _, _ = self._file.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def _n_lines(self) -> int:
        """Lines that are no refusals: that it is ready, and what it did."""
        content = self._file.read_bytes() if self._file.exists() else b""
        return content.count(b"\n") - content.count(b'"told"')


@contextmanager
def place_at(url: str, folder: Path) -> Iterator[Place]:
    """The place, let go of at the end."""
    place = Place.open(url, folder)
    try:
        yield place
    finally:
        place.close()


def plain() -> dict[str, str]:
    """The environment without what measures coverage: a killed process reports none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}

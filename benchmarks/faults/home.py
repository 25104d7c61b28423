"""A data folder with the whole product in it, opened by several processes one after the other."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.config import Settings
from core.container import Container, open_container
from tests.crash.place import Place
from tests.crash.processes import plain
from tests.empty_stores import copy_empty_database, copy_empty_mlflow
from tests.integrity import check_integrity

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Home:
    """Database, registry and files below one folder.

    Attributes:
        folder: the data folder.
        environment: the settings, for processes that open the same.
    """

    folder: Path
    environment: dict[str, str]

    @classmethod
    def at(cls, folder: Path) -> "Home":
        """An empty one."""
        return cls(
            folder,
            {
                "DATA_DIR": str(folder),
                "DATABASE_URL": copy_empty_database(folder / "radikal.db"),
                "MLFLOW_TRACKING_URI": copy_empty_mlflow(folder / "mlflow.db"),
            },
        )

    @contextmanager
    def opened(self) -> Iterator[Container]:
        """The services."""
        settings = Settings(
            _env_file=None, **{name.lower(): value for name, value in self.environment.items()}
        )
        with open_container(settings) as services:
            yield services

    def process(self, *command: str) -> subprocess.Popen[bytes]:
        """A Python process with these settings; what it writes goes to `log` in the folder."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**plain(), **self.environment},
                stdout=log,
                stderr=log,
            )


def assert_whole(services: Container) -> None:
    """Assert that database and audit log are whole."""
    assert check_integrity(services.database) == []
    place = Place(services.workspace, services.trail, services.data_dir / "originals")
    assert place.verify().findings == ()


class Acknowledgements:
    """A file that one process appends whole lines of JSON to, and another one reads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, **facts: object) -> None:
        """Append a line; once this returns it survives the process."""
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, (json.dumps(facts) + "\n").encode())
        os.close(handle)

    def read(self) -> list[dict[str, object]]:
        """Every whole line."""
        if not self._path.exists():
            return []
        whole, _, _ = self._path.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def wait_for(self, n_more: int, process: subprocess.Popen[bytes], *, limit_s: float = 300.0) -> None:
        """Return when so many more lines are there."""
        wanted, limit = len(self.read()) + n_more, time.monotonic() + limit_s
        while len(self.read()) < wanted:
            assert process.poll() is None, "the process stopped by itself"
            assert time.monotonic() < limit, "the process does not get on"
            time.sleep(0.01)

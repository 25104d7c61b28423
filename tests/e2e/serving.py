"""The product as a process of its own, and a browser to look at it with."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, sync_playwright

from core.config import Settings
from core.container import open_container
from tests.artefacts import write_artefact
from tests.conftest import REPOSITORY
from tests.empty_stores import copy_empty_database, copy_empty_mlflow

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: The chooser of files; the one of a folder lies beside it, and which is drawn first is not said.
FILES = "input[type=file]:not([webkitdirectory])"
PATIENCE_MS = 120_000  # for a machine that is busy with a training; 10 s are enough otherwise


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        address: its origin.
        environment: what it was started with beside ours; commands on the same store need it.
        log: file that its standard error goes to.
    """

    address: str
    environment: dict[str, str]
    log: Path


@contextmanager
def served(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    champions: Mapping[str, Path] | None = None,
) -> Iterator[Served]:
    """The product on a folder of its own; its models are tiny real networks that report boxes on noise.

    Args:
        folder: empty; everything lies below it.
        arguments: of `radikal serve`, such as `--demo`.
        environment: more settings.
        champions: artefacts, by model, that serve in place of the tiny ones.
    """
    variables = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": copy_empty_database(folder / "radikal.db"),
        "MLFLOW_TRACKING_URI": copy_empty_mlflow(folder / "mlflow.db"),
        **(environment or {}),
    }
    _fill(folder, variables, champions or {})
    port = free_port()
    command = [sys.executable, "-m", "app.web.server", "--port", str(port), *arguments]
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as stderr:
        server = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **variables}, stderr=stderr)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, server, log)
        yield Served(address, variables, log)
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fill(folder: Path, variables: Mapping[str, str], champions: Mapping[str, Path]) -> None:
    settings = Settings(_env_file=None, **{key.lower(): value for key, value in variables.items()})
    with open_container(settings) as services:
        for name in ("weld", "casting"):
            artefact = champions.get(name) or write_artefact(
                folder / name, name=name, score_spread=0.3, calibration={"score_cut": 0.45}
            )
            services.registry.register(artefact, alias="champion")


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None, f"the server ended: {log.read_text(encoding='utf-8')[-3000:]}"
        try:
            with urllib.request.urlopen(f"{address}/api/xai-qc/health", timeout=10) as answer:
                assert json.load(answer)["models"]["weld"]["usable"]
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("the server did not become healthy")

"""A real Caddy with the Caddyfile of deploy/, on ports of its own, with its own authority."""

import os
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from tests.conftest import REPOSITORY, _missing
from tests.e2e.serving import free_port

_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Caddy:
    """A running Caddy.

    Attributes:
        address: with https.
        plain: the port without TLS.
        root: certificate of its authority.
    """

    address: str
    plain: int
    root: Path

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer whose certificate was verified."""
        request = urllib.request.Request(self.address + path, headers=headers)
        context = ssl.create_default_context(cafile=str(self.root))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()


def find_caddy() -> str:
    """The program; skips where it is missing."""
    found = shutil.which("caddy")
    if found is None:
        _missing("no Caddy: install the package caddy")
    return str(found)


@contextmanager
def run_caddy(folder: Path, workbench: str, port: int | None = None) -> Iterator[Caddy]:
    """Caddy in front of `workbench` (host:port); everything that it keeps lies below `folder`.

    Args:
        folder: empty.
        workbench: where it passes requests on to.
        port: of TLS; a free one by default.
    """
    secure, plain, health = port or free_port(), free_port(), free_port()
    root = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PUBLIC_URL": f"https://localhost:{secure}",
        "TLS_ISSUER": "internal",
        "WORKBENCH": workbench,
        "HTTP_PORT": str(plain),
        "HTTPS_PORT": str(secure),
        "HEALTH_PORT": str(health),
    }
    command = [find_caddy(), "run", "--adapter", "caddyfile"]
    command += ["--config", str(REPOSITORY / "deploy" / "caddy" / "Caddyfile")]
    log = folder / "caddy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _wait(process, f"http://127.0.0.1:{health}/up", root, log)
        yield Caddy(f"https://localhost:{secure}", plain, root)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], health: str, root: Path, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(health, timeout=5):
                if root.exists():
                    return
        except (URLError, OSError):
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))

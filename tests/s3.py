"""A server that speaks S3, moto's, in a process of its own on this machine."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.e2e.serving import free_port

_START_LIMIT_S = 60.0
#: Keys of nobody; the server takes any.
_KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "eu-central-1"}


@dataclass
class S3Server:
    """A server of ours that keeps its objects in memory.

    Attributes:
        port: of 127.0.0.1.
        log: what it says.
    """

    port: int
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a client find it."""
        return {**_KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **_KEYS})
        end = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log.read_text(errors="replace")
            with suppress(OSError):
                self.asked("GET", "/")
                return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text(errors="replace"))

    def asked(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of a plain request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def new_bucket(self) -> str:
        """The name of a new bucket."""
        name = f"tests-{uuid4().hex[:12]}"
        assert self.asked("PUT", f"/{name}")[0] == 200
        return name

    def pause(self) -> None:
        """Let it answer nobody; what it holds stays."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None


@contextmanager
def run_s3(folder: Path) -> Iterator[S3Server]:
    """A started server; its log lies in `folder`."""
    server = S3Server(free_port(), folder / "s3.log")
    server.start()
    try:
        yield server
    finally:
        server.kill()

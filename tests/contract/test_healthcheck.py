import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture
def serve() -> Iterator[Callable[[int, bytes], str]]:
    """Starts a real HTTP server that always gives one answer; returns its address."""
    servers = []

    def start(code: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def check(repository: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, repository / "docker" / "healthcheck.py", url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", ["ok", "degraded"])
def test_a_usable_service_passes(repository: Path, serve: Callable[[int, bytes], str], status: str) -> None:
    assert check(repository, serve(200, json.dumps({"status": status}).encode())).returncode == 0


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (503, b'{"status": "ok"}', "answered 503"),
        (200, b'{"status": "unusable"}', "status is 'unusable'"),
        (200, b"{}", "status is None"),
        (200, b"[]", "status is None"),
        (200, b"<html>", "no healthy answer"),
    ],
)
def test_anything_else_fails_with_one_line(
    repository: Path, serve: Callable[[int, bytes], str], code: int, body: bytes, expected: str
) -> None:
    checked = check(repository, serve(code, body))
    assert checked.returncode == 1
    assert expected in checked.stderr
    assert len(checked.stderr.splitlines()) == 1


def test_nobody_listening_fails(repository: Path) -> None:
    assert check(repository, "http://127.0.0.1:9/").returncode == 1

"""The Caddyfile of deploy/ in a real Caddy, before a server that says what it was asked."""

import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.caddy import Caddy, find_caddy, run_caddy


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.close_connection = True
            return
        body = json.dumps({"path": self.path, **self.headers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caddy]:
    find_caddy()
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        with run_caddy(tmp_path_factory.mktemp("caddy"), f"127.0.0.1:{upstream.server_port}") as running:
            yield running
        upstream.shutdown()


def test_it_speaks_tls_and_says_who_asked_and_how(caddy: Caddy) -> None:
    status, _, body = caddy.get("/history", **{"X-Forwarded-For": "10.9.9.9"})
    asked = json.loads(body)
    assert (status, asked["path"]) == (200, "/history")
    assert asked["X-Forwarded-Proto"] == "https"
    assert asked["X-Forwarded-For"] == "127.0.0.1", "what a stranger says of themselves is not passed on"
    assert asked["Host"] == caddy.address.removeprefix("https://")


def test_without_tls_it_sends_to_tls(caddy: Caddy) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: object) -> None:
            return None

    request = urllib.request.Request(f"http://localhost:{caddy.plain}/history")
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.build_opener(Stay).open(request, timeout=10)
    with told.value as answer:
        assert answer.code == 308
        assert answer.headers["Location"].startswith("https://localhost")


def test_metrics_are_not_for_the_world(caddy: Caddy) -> None:
    assert caddy.get("/metrics")[0] == 404


def test_a_certificate_of_nobody_is_refused(caddy: Caddy) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(caddy.address, timeout=10, context=ssl.create_default_context())


def test_websockets_are_passed_on(caddy: Caddy) -> None:
    host, port = caddy.address.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=str(caddy.root))
    connection = http.client.HTTPSConnection(host, int(port), timeout=10, context=context)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key}
    connection.request("GET", "/_stcore/stream", headers={**wanted, "Sec-WebSocket-Version": "13"})
    assert connection.sock is not None
    assert connection.sock.recv(64).startswith(b"HTTP/1.1 101")
    connection.close()

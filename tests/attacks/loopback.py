"""A server of our own on loopback, and clients that do not behave."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from app.shared.connection import Network
from app.web.connections import BoundedHttp, BoundedWebSocket, Connections

HERE, THERE = "127.0.0.1", "127.0.0.2"
PATIENCE_S = 30.0


@contextmanager
def serving(
    app: ASGIApp,
    *,
    most: int = 20,
    headers_s: float = 1.0,
    unread_s: float = 1.0,
    trusted: Sequence[Network] = (),
    **options: Any,
) -> Iterator[int]:
    """The port of a server that bounds connections as the product does; a test can wait for its limits."""
    connections = Connections(most=most, trusted=trusted)
    http = partial(BoundedHttp, connections=connections, headers_s=headers_s, unread_s=unread_s)
    ws = partial(BoundedWebSocket, connections=connections, unread_s=unread_s)
    settings: dict[str, Any] = {"http": http, "ws": ws, "lifespan": "off", "log_level": "critical", **options}
    listening = socket.socket()
    listening.bind((HERE, 0))
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(PATIENCE_S)
        listening.close()


@contextmanager
def sockets(port: int, count: int, sent: bytes = b"", *, source: str = HERE) -> Iterator[list[socket.socket]]:
    """So many connections from the address `source`, each of which has sent the same."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            made = socket.create_connection((HERE, port), PATIENCE_S, source_address=(source, 0))
            opened.append(stack.enter_context(made))
            made.sendall(sent)
        yield opened


def status(port: int, path: str = "/", *, source: str = HERE, headers: str = "") -> int:
    """The status of a whole request on a connection of its own, 0 when it is closed without an answer."""
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n".encode()
    with sockets(port, 1, asked, source=source) as (one,):
        return status_of(one)


def status_of(one: socket.socket) -> int:
    """The status of the next answer, which is read whole, 0 when the connection is closed without one."""
    received = b""
    try:
        while not (head := received.partition(b"\r\n\r\n"))[1] or len(head[2]) < length_in(head[0]):
            if not (more := one.recv(65_536)):
                return 0
            received += more
    except ConnectionError:
        return 0
    return int(received.split(b" ", 2)[1])


def length_in(head: bytes) -> int:
    """The length of the body that the head of an answer tells, 0 without one."""
    lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
    return next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def is_closed(one: socket.socket) -> bool:
    """True when the server closed the connection; what came before is skipped."""
    one.settimeout(0.05)
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def until(is_true: Any, *, seconds: float = PATIENCE_S) -> None:
    """Wait for it; an assertion error when it does not come."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)

"""Clients that open connections and never finish what they begin: everybody else is answered."""

import asyncio
import time
from contextlib import ExitStack
from ipaddress import ip_network

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.sync.client import connect

from app.web.middleware.arrival import Arrival
from app.web.middleware.under_way import UnderWay
from tests.attacks.loopback import HERE, THERE, is_closed, serving, sockets, status, status_of, until

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: As a socket, because websockets' client may fail in itself while the server ends the connection.
ONE_MORE_TAB = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MOST, N_ATTACKING = 20, 60
LARGE = b"x" * 30_000_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once and reads no body; `/large` is more than a socket takes; websockets are accepted."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    body = LARGE if scope["path"] == "/large" else b"here"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


def test_half_sent_requests_of_one_address_keep_nobody_else_out(caplog: pytest.LogCaptureFixture) -> None:
    with serving(app, most=MOST, headers_s=30, limit_concurrency=MOST + 20) as port:
        with sockets(port, N_ATTACKING, HALF) as attacking:
            assert status(port, source=THERE) == 200
            refused = [status_of(one) for one in attacking[MOST:]]
        until(lambda: status(port) == 200)
    assert set(refused) <= {429, 0}  # 0: the answer was overtaken by the end of the connection
    assert 429 in refused
    assert len(caplog.records) < N_ATTACKING // 4  # nor is the log filled


def test_headers_that_are_not_complete_in_time_end_the_connection() -> None:
    with serving(app, most=MOST, headers_s=1) as port, sockets(port, MOST, HALF) as attacking:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:  # bytes that come now and then change nothing
            for one in attacking:
                try:
                    one.sendall(b"x")
                except ConnectionError:
                    break
            time.sleep(0.2)
        until(lambda: all(is_closed(one) for one in attacking), seconds=10)
        assert status(port) == 200


def test_a_request_that_comes_too_late_is_told_so() -> None:
    with serving(app, headers_s=0.5) as port, sockets(port, 1, HALF) as (one,):
        assert status_of(one) == 408


def test_a_connection_that_says_nothing_ends_without_a_word() -> None:
    with serving(app, headers_s=0.5) as port, sockets(port, 1) as (one,):
        assert status_of(one) == 0


def test_a_second_request_has_no_more_time_than_the_first() -> None:
    with serving(app, headers_s=0.5, timeout_keep_alive=60) as port, sockets(port, 1, WHOLE) as (one,):
        assert status_of(one) == 200
        time.sleep(1)  # between requests a connection may rest
        one.sendall(WHOLE)
        assert status_of(one) == 200
        one.sendall(HALF)
        assert status_of(one) == 408


def test_a_body_that_goes_on_after_its_answer_ends() -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with serving(app, headers_s=1, timeout_keep_alive=60) as port, sockets(port, 1, head) as (one,):
        assert status_of(one) == 200
        one.sendall(b"x")
        until(lambda: is_closed(one), seconds=10)


def test_who_does_not_read_the_answer_is_cut_off() -> None:
    asked = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving(app, most=1, unread_s=0.5) as port, sockets(port, 1, asked):
        assert status(port, source=HERE) in (429, 0)
        until(lambda: status(port) == 200)  # its place is free again


def test_open_tabs_count_until_they_are_closed() -> None:
    with serving(app, most=3) as port, ExitStack() as stack:
        address = f"ws://{HERE}:{port}/"
        tabs = [stack.enter_context(connect(address)) for _ in range(3)]
        with sockets(port, 1, ONE_MORE_TAB) as (one,):
            assert status_of(one) in (429, 0)  # 0: the answer was overtaken by the end of the connection
        tabs[0].close()
        until(lambda: status(port) == 200)


def held(app: ASGIApp, gate: list[bool]) -> ASGIApp:
    """Answers below /slow only once the gate is open."""

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        while scope["path"] == "/slow" and not gate:
            await asyncio.sleep(0.02)
        await app(scope, receive, send)

    return waiting


def test_behind_a_trusted_proxy_the_forwarded_address_is_bounded_and_the_proxy_is_not() -> None:
    gate: list[bool] = []
    proxies = [ip_network("127.0.0.0/8")]
    behind = Arrival(UnderWay(held(app, gate), most=MOST), trusted=proxies)
    slow = b"GET /slow HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n"
    with serving(behind, most=MOST, trusted=proxies) as port, sockets(port, MOST, slow) as attacking:
        until(lambda: status(port, headers="X-Forwarded-For: 198.51.100.1\r\n") == 429)
        assert status(port, headers="X-Forwarded-For: 192.0.2.7\r\n") == 200
        gate.append(True)
        assert {status_of(one) for one in attacking} == {200}

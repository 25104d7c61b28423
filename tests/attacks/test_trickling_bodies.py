"""Bodies that trickle: they come to an end, and slow lines are not mistaken for them."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message

from app.web.middleware.limits import BodyLimits
from tests.asgi import Inner

IDLE_S = 60.0


class Line:
    """A client on a line of its own, and the clock beside it.

    Args:
        pieces: bytes and the seconds before each.
    """

    def __init__(self, pieces: Iterator[tuple[float, bytes]]) -> None:
        self.now = 0.0
        self._pieces = pieces

    async def receive(self) -> Message:
        """The next piece, when it has come."""
        after_s, data = next(self._pieces)
        self.now += after_s
        return {"type": "http.request", "body": data, "more_body": bool(data)}


def answered(pieces: Iterator[tuple[float, bytes]], *, seconds: float) -> tuple[int, float]:
    """Status, and seconds until it came, of an upload over such a line; it is stopped after `seconds`."""
    line, sent = Line(pieces), []
    app = BodyLimits(Inner(), largest={"/": 10**9}, idle_s=IDLE_S, clock=lambda: line.now)
    scope = {"type": "http", "method": "PUT", "path": "/x", "headers": []}

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        assert line.now < seconds, "it goes on without end"
        return await line.receive()

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], line.now


def pieces(every_s: float, size: int, count: int) -> Iterator[tuple[float, bytes]]:
    yield from [(every_s, b"x" * size)] * count
    yield every_s, b""


@pytest.mark.parametrize("every_s", [1.0, 10.0, 55.0])
def test_a_byte_now_and_then_does_not_hold_a_connection(every_s: float) -> None:
    status, passed_s = answered(pieces(every_s, 1, 10_000), seconds=500)
    assert status == 408
    assert passed_s <= IDLE_S + every_s


def test_a_slow_line_brings_a_film_home() -> None:
    status, _ = answered(pieces(2.0, 32 * 1024, 200), seconds=500)  # 16 kB/s, 6 MB in all
    assert status == 200

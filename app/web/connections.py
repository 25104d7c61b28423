"""Connections: how many one address may hold, and how long a request may take to come.

uvicorn lets a client take as long as it likes over the headers of a request, and answers everybody with 503
once `limit_concurrency` connections are open. Its options `http` and `ws` take our classes instead.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.shared.connection import Network, counted_as, is_trusted

#: A request line with its headers takes so long at most, and so does a body that nobody waits for, seconds.
HEADERS_S = 10.0
#: A client that reads nothing of its answer for so long is gone, seconds.
UNREAD_S = 60.0
_TOO_MANY = b"Too many connections from your address. Close some tabs or try again in a minute.\n"
_TOO_LATE = b"The request took too long to come. Nothing was changed; try again.\n"
log = logging.getLogger(__name__)


class Connections:
    """The number of open connections of each client address; for the event loop only.

    Proxies that are trusted are not counted: behind them the address of a client is known only from the
    request, see `UnderWay`.

    Args:
        most: of one address, or of one /64 network of IPv6.
        trusted: networks of our proxies.
    """

    def __init__(self, *, most: int, trusted: Sequence[Network] = ()) -> None:
        self._most = most
        self._trusted = tuple(trusted)
        self._open: Counter[str] = Counter()
        self._told: set[str] = set()

    def key_of(self, client: tuple[str, int] | None) -> str | None:
        """The key under which the other end of a socket is counted, None where it is not."""
        if client is None or is_trusted(client[0], self._trusted):
            return None
        return counted_as(client[0])

    def is_full(self, key: str | None) -> bool:
        """True when no further connection is allowed; the log hears of it once, until some are closed."""
        if key is None or self._open[key] < self._most:
            return False
        if key not in self._told:
            self._told.add(key)
            log.warning("refused: too many connections from one address")
        return True

    def enter(self, key: str | None) -> None:
        """One more is open."""
        if key is not None:
            self._open[key] += 1

    def leave(self, key: str | None) -> None:
        """One of them is closed."""
        if key is not None:
            self._open[key] -= 1
            if self._open[key] < self._most:
                self._told.discard(key)
            if not self._open[key]:
                del self._open[key]


class BoundedHttp(H11Protocol):
    """HTTP/1.1 for a bounded number of connections an address, each of which has to get on with it.

    Args:
        connections: counts them.
        headers_s, unread_s: see `HEADERS_S` and `UNREAD_S`.
        options: of uvicorn's own class.
    """

    def __init__(
        self,
        *,
        connections: Connections,
        headers_s: float = HEADERS_S,
        unread_s: float = UNREAD_S,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._counted = connections
        self._key: str | None = None
        self._is_refused = False
        self._has_left = False
        self._late = _Deadline(self.loop, headers_s, self._give_up)
        self._unread = _Deadline(self.loop, unread_s, self._abandon)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it; one too many is told so and closed."""
        super().connection_made(transport)
        self._key = self._counted.key_of(self.client)
        self._is_refused = self._counted.is_full(self._key)
        self._counted.enter(self._key)
        if self._is_refused:
            self._say(b"429 Too Many Requests", _TOO_MANY)
        else:
            self._late.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; time runs while headers, or a body after its answer, are still coming."""
        if self._is_refused:
            return
        super().data_received(data)
        is_between = self.conn.their_state is h11.IDLE
        is_left_over = self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE
        if not self._has_left and (is_between or is_left_over):
            self._late.start()
        else:
            self._late.stop()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over; `BoundedWebSocket` counts it from here on."""
        self._leave()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self._unread.start()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._unread.stop()

    def _leave(self) -> None:
        if not self._has_left:
            self._has_left = True
            self._counted.leave(self._key)
            self._late.stop()
            self._unread.stop()

    def _give_up(self) -> None:
        """The request did not come in time; a browser that connected ahead of need is not told."""
        has_begun = bool(self.conn.trailing_data[0]) and self.conn.our_state is h11.IDLE
        if has_begun:
            self._say(b"408 Request Timeout", _TOO_LATE)
        else:
            self.transport.close()

    def _abandon(self) -> None:
        self.transport.abort()

    def _say(self, status: bytes, body: bytes) -> None:
        """Answer outside of any request, and close."""
        head = b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n" % status
        self.transport.write(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.transport.close()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A websocket that counts as a connection of its address, and whose client has to read.

    Args:
        connections: counts them.
        unread_s: see `UNREAD_S`.
        options: of uvicorn's own class.
    """

    def __init__(self, *, connections: Connections, unread_s: float = UNREAD_S, **options: Any) -> None:
        super().__init__(**options)
        self._counted = connections
        self._key: str | None = None
        self._unread = _Deadline(self.loop, unread_s, lambda: self.transport.abort())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it; there was room for it as an HTTP connection."""
        super().connection_made(transport)
        self._key = self._counted.key_of(self.client)
        self._counted.enter(self._key)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._unread.stop()
        self._counted.leave(self._key)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read what is sent."""
        super().pause_writing()
        self._unread.start()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._unread.stop()


class _Deadline:
    """Calls once when it was started and not stopped for so long; starting it twice changes nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop, after_s: float, call: Callable[[], None]) -> None:
        self._loop = loop
        self._after_s = after_s
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._after_s, self._call)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

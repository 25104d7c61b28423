"""A limit on how many requests of one client address are answered at the same time."""

import logging
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from app.shared.connection import connection_of, counted_as
from app.web.middleware.refusal import Refusal

_TOO_MANY = Refusal(
    429,
    "Too much at once from your address",
    "Close some tabs or try again in a minute. What was stored is safe.",
    headers={"Retry-After": "60"},
)
log = logging.getLogger(__name__)


class UnderWay:
    """Refuses with 429 what a client address asks for while too many of its requests and tabs are open.

    `Connections` counts sockets before anything was read; behind a trusted proxy only this one knows whose
    they are.

    Args:
        most: requests and websockets of one address, or of one /64 network of IPv6.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        key = counted_as(connection_of(scope).client)
        if self._open[key] >= self._most:
            log.warning("refused: too many requests under way from one address")
            await _TOO_MANY(scope, receive, send)
            return
        self._open[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

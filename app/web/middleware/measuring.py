"""Counts and times requests."""

import time
from collections.abc import Callable
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/api/xai-qc/"
#: Names that stand for themselves; every other address is one of these words, so that nobody makes up labels.
_API_AREAS = frozenset({"calibration", "detect", "explain", "export", "health", "history", "inspections"}) | {
    "jobs", "labels", "metrics", "models",
}  # fmt: skip
_AREAS = frozenset({"_stcore", "component", "evaluated", "labels", "media", "metrics", "pixels"}) | {
    "records", "reports", "results", "samples", "signin", "signout", "static", "thumbnails",
}  # fmt: skip
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_NO_ANSWER = 499


class Level(Protocol):
    """A number that goes up and down."""

    def inc(self, amount: float = 1) -> None:
        """Raise it."""

    def dec(self, amount: float = 1) -> None:
        """Lower it."""


class Measures(Protocol):
    """What is told of requests."""

    under_way: Level
    open_pages: Level

    def answered(self, area: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""


class Measuring:
    """Tells of each request its area, method, status and time, and of each page that it is open."""

    def __init__(
        self, app: ASGIApp, *, metrics: Measures, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            self._metrics.open_pages.inc()
            try:
                await self._app(scope, receive, send)
            finally:
                self._metrics.open_pages.dec()
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), _NO_ANSWER

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.under_way.inc()
        try:
            await self._app(scope, receive, send_watched)
        finally:
            self._metrics.under_way.dec()
            self._metrics.answered(area_of(scope["path"]), method_of(scope), status, self._clock() - began)


def method_of(scope: Scope) -> str:
    """The method of a request, "other" for what is none."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"


def area_of(path: str) -> str:
    """The kind of address, one of few words whatever is asked for."""
    if path.startswith(_API):
        name = path.removeprefix(_API).partition("/")[0]
        return f"api {name if name in _API_AREAS else 'other'}"
    name = path.strip("/").partition("/")[0]
    return "api other" if name == "api" else name if name in _AREAS else "page"

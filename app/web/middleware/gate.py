"""Addresses that are closed to visitors without a session."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from app.shared.connection import cookies_of, remember_user
from app.web.middleware.refusal import NOT_FOUND, Refusal

#: Pixels, results and files of visitors, and where their uploads go.
CLOSED = (
    "/media/",
    "/_stcore/upload_file/",
    "/pixels/",
    "/thumbnails/",
    "/results/",
    "/records/",
    "/reports/",
)
#: Streamlit answers these to everybody; nobody needs them here.
OFF = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
#: Open, but told more with a session; and where the log should say who it was.
RECOGNISED = ("/api/", "/signin", "/signout", "/_stcore/stream")
_NO_SESSION = Refusal(403, "Sign in first", "This is for people who are signed in. Nothing was changed.")


class Doorkeeper(Protocol):
    """Tells visitors by their cookies."""

    def __call__(self, cookies: Mapping[str, str]) -> str | None:
        """Id of the user or guest whose session it is, None when there is no valid one. May block."""


class Gate:
    """Closes what belongs to visitors to whoever has no session, before anybody looks whether it exists."""

    def __init__(self, app: ASGIApp, *, doorkeeper: Doorkeeper, closed: Sequence[str] = CLOSED) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._closed = tuple(closed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(OFF):
            await NOT_FOUND(scope, receive, send)
            return
        is_closed = path.startswith(self._closed)
        if is_closed or path.startswith(RECOGNISED):
            cookies = cookies_of(scope)
            user_id = await run_in_threadpool(self._doorkeeper, cookies) if cookies else None
            if user_id is not None:
                remember_user(scope, user_id)
            elif is_closed:
                await _NO_SESSION(scope, receive, send)
                return
        await self._app(scope, receive, send)

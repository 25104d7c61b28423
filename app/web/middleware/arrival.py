"""Beginning and end of every request: its id, its real client, and its line in the log."""

import logging
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.connection import (
    CLIENT_HEADER,
    Connection,
    Network,
    client_address,
    is_loopback,
    is_trusted,
    remember_connection,
    user_of,
)
from core.logs import bound, new_request_id

#: Headers that we write for the scripts, which see headers only; what a client sends under them is dropped.
_OURS = (CLIENT_HEADER.encode(), b"x-radikal-request")
_FORWARDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip", b"forwarded")
#: Files of the page and questions that machines repeat; they would drown the rest.
_QUIET = ("/static/", "/favicon.png", "/manifest.json")
_QUIET_ENDS = ("/_stcore/health", "/_stcore/host-config")  # asked below the address of every page
_PROBES = ("/api/xai-qc/health", "/metrics")
_MAX_PATH = 200
_SECURE_SCHEMES = {"http": "https", "ws": "wss"}
_NO_ANSWER, _SWITCHED, _REFUSED, _FAILED = 499, 101, 403, 500
log = logging.getLogger("app.access")


class Arrival:
    """Gives a request its id, finds out who asks, and logs one line when it was answered.

    The id is always ours: one that a client sends could forge the log. `X-Forwarded-*` is believed only
    from the trusted proxies and is taken away otherwise, so that nobody further in is misled.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        trusted: Sequence[Network] = (),
        is_public_secure: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        new_id: Callable[[], str] = new_request_id,
    ) -> None:
        self._app = app
        self._trusted = tuple(trusted)
        self._is_public_secure = is_public_secure
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started, connection = self._clock(), self._connection(scope)
        arrived = _rewritten(scope, connection, keeps_forwarded=self._is_proxied(scope))
        remember_connection(arrived["state"], connection)
        status = _NO_ANSWER

        async def send_named(message: Message) -> None:
            nonlocal status
            first, status = status == _NO_ANSWER, _status(message, status)
            if message["type"].endswith((".response.start", ".accept")):
                message = {**message, "headers": list(message.get("headers", ()))}
                MutableHeaders(scope=message)["X-Request-ID"] = connection.request_id
            if first and scope["type"] == "websocket":
                self._log(arrived, status, started)  # it may stay open for hours
            await send(message)

        with bound(request_id=connection.request_id):
            try:
                await self._app(arrived, receive, send_named)
            except BaseException:
                status = _FAILED if status == _NO_ANSWER else status
                raise
            finally:
                if scope["type"] == "http":
                    self._log(arrived, status, started)

    def _is_proxied(self, scope: Scope) -> bool:
        return is_trusted((scope.get("client") or (None,))[0], self._trusted)

    def _connection(self, scope: Scope) -> Connection:
        peer = (scope.get("client") or (None,))[0]
        headers = Headers(scope=scope)
        client = client_address(peer, headers.getlist("x-forwarded-for"), self._trusted)
        is_proxied = self._is_proxied(scope)
        spoken = headers.getlist("x-forwarded-proto")[-1:] if is_proxied else []
        scheme = spoken[0].rpartition(",")[2].strip().lower() if spoken else scope.get("scheme", "http")
        is_passed_on = any(name.lower() in (*_FORWARDED, b"via") for name, _ in scope["headers"])
        return Connection(
            request_id=self._new_id(),
            client=client,
            is_local=is_loopback(client) and not is_passed_on,
            is_secure=scheme in ("https", "wss") or self._is_public_secure,
        )

    def _log(self, scope: Scope, status: int, started: float) -> None:
        path = scope["path"]
        if path.startswith(_QUIET) or path.endswith(_QUIET_ENDS):
            return
        fields = {
            "method": scope.get("method", "WEBSOCKET"),
            "path": quote(path[:_MAX_PATH], safe="/:@!$&'()*+,;=~"),
            "status": status,
            "ms": round((self._clock() - started) * 1000, 1),
        }
        level = logging.DEBUG if path.startswith(_PROBES) else logging.INFO
        line = "{method} {path} {status} {ms} ms".format_map(fields)
        with bound(user_id=user_of(scope)):
            log.log(level, line, extra=fields)


def _rewritten(scope: Scope, connection: Connection, *, keeps_forwarded: bool) -> Scope:
    """The scope that everybody further in sees."""
    dropped = _OURS if keeps_forwarded else (*_OURS, *_FORWARDED)
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
    headers.append((_OURS[0], connection.client.encode("ascii", "replace")))
    headers.append((_OURS[1], connection.request_id.encode("ascii")))
    scheme = scope.get("scheme", "http")
    return {
        **scope,
        "headers": headers,
        "client": (connection.client, (scope.get("client") or ("", 0))[1]),
        "scheme": _SECURE_SCHEMES.get(scheme, scheme) if connection.is_secure else scheme,
        "state": dict(scope.get("state") or {}),
    }


def _status(message: Message, before: int) -> int:
    if message["type"] in ("http.response.start", "websocket.http.response.start"):
        return int(message["status"])
    if before == _NO_ANSWER and message["type"] == "websocket.accept":
        return _SWITCHED
    if before == _NO_ANSWER and message["type"] == "websocket.close":
        return _REFUSED
    return before

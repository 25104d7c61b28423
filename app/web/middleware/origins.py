"""Under which names we may be addressed, and whose pages may make a browser send us something."""

import logging
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.shared.connection import connection_of
from app.web.middleware.refusal import Refusal

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANY = "*"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_API = "/api/"
#: What deploy/caddy/Caddyfile keeps a client with one server by: it is nobody's session.
_REPLICA_COOKIE = "radikal_replica="
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_WRONG_HOST = Refusal(
    400, "This server is not called that", "Use the address you were given; an administrator can allow names."
)
_WRONG_ORIGIN = Refusal(
    403, "This did not come from our own page", "Nothing was changed. Open RadiKal itself and do it there."
)
log = logging.getLogger(__name__)


class AllowedHosts:
    """Refuses requests for names that are not ours: they come through DNS rebinding or forged links.

    Names of this machine itself are always accepted, so that health checks work.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = tuple(host.lower().strip("[]") for host in (*hosts, *LOOPBACK))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] in ("http", "websocket") and not self._is_allowed(scope):
            log.warning("refused a request for another host")
            await _WRONG_HOST(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        named = Headers(scope=scope).getlist("host")
        parts = _host_and_port(f"//{named[0]}") if len(named) == 1 else None
        if parts is None:
            return False
        host = parts[0]
        return any(
            pattern in (ANY, host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))
            for pattern in self._hosts
        )


class SameOrigin:
    """Refuses what a page of somebody else makes a browser send: anything but reading, and websockets.

    Browsers name the page's origin with both. Without it, nobody's session may ride along, so a request
    with cookies is refused, but for that of a proxy; programs that bring a token of their own need neither.

    A page of an origin that may call the API does so with a key of its own: nobody's cookies go along, for
    reading neither. Otherwise reading is not checked, and outside the API nobody further in hears of its
    origin: Streamlit would ask other servers for our address to find out whether it may let another origin
    read the answer.
    """

    def __init__(
        self, app: ASGIApp, *, public_url: str = "", api_origins: Collection[str] = frozenset()
    ) -> None:
        self._app = app
        self._public_url = public_url.lower()
        self._api_origins = frozenset(origin.lower() for origin in api_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_API) and self._is_foreign(scope):
            if scope["type"] != "http" or not self._may_call(scope):
                await self._refuse(scope, receive, send)
                return
            await self._app(_replaced(scope, b"cookie", None), receive, send)
        elif scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            is_api = scope["path"].startswith(_API)
            await self._app(scope if is_api else _replaced(scope, b"origin", None), receive, send)
        elif not self._is_ours(scope):
            await self._refuse(scope, receive, send)
        else:
            await self._app(self._addressed(scope), receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("refused a request that a page of another origin made")
        await _WRONG_ORIGIN(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        """True for a request that names an origin other than our own."""
        return "origin" in Headers(scope=scope) and not self._is_ours(scope)

    def _may_call(self, scope: Scope) -> bool:
        """True where a page of that origin may call the API; reading goes on, its answer stays unreadable."""
        named = Headers(scope=scope).getlist("origin")
        is_named = len(named) == 1 and bool(self._api_origins & {named[0].lower(), ANY})
        return is_named or scope["method"] in _SAFE_METHODS

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        if not origins:
            sent = [one.strip() for line in headers.getlist("cookie") for one in line.split(";")]
            return all(one.startswith(_REPLICA_COOKIE) for one in sent)
        origin = origins[0].lower()
        if len(origins) > 1 or origin == "null":
            return False
        if self._public_url and origin == self._public_url:
            return True
        return _is_same(origin, headers.get("host", ""), is_secure=connection_of(scope).is_secure)

    def _addressed(self, scope: Scope) -> Scope:
        """With the host of the public address, where a proxy put another: Streamlit compares the two."""
        if self._public_url and Headers(scope=scope).get("origin", "").lower() == self._public_url:
            return _replaced(scope, b"host", urlsplit(self._public_url).netloc.encode("ascii"))
        return scope


def _replaced(scope: Scope, name: bytes, value: bytes | None) -> Scope:
    """With another value of the header; without it when None."""
    headers = [(key, old) for key, old in scope["headers"] if key.lower() != name]
    return {**scope, "headers": [*headers, *([] if value is None else [(name, value)])]}


def _is_same(origin: str, host: str, *, is_secure: bool) -> bool:
    """True when the origin is the address that was asked; an http page may not act on an https one."""
    scheme = origin.partition("://")[0]
    asked = _host_and_port(f"//{host}", default_port=_DEFAULT_PORTS.get(scheme))
    if asked is None or scheme not in ("http", "https") or (is_secure and scheme != "https"):
        return False
    return _host_and_port(origin, default_port=_DEFAULT_PORTS[scheme]) == asked


def _host_and_port(url: str, default_port: int | None = None) -> tuple[str, int | None] | None:
    """Host in lower case without brackets, and port; None when there is more in the URL, or no host."""
    try:
        parts = urlsplit(url)
        port = parts.port or default_port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname.lower().rstrip("."), port

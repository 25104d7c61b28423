"""What every answer carries: security headers; and the shell of the pages with the guest cookie."""

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.guest import COOKIE, MAX_AGE_S
from app.resources import resources

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"
    ),
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
#: Streamlit keeps the theme of each address under this key; a new address takes that of another one.
_DARK_BY_DEFAULT = b"""<script>
try {
  const key = `stActiveTheme-${location.pathname}-v2`;
  const other = Object.keys(localStorage).find((name) => /^stActiveTheme-.*-v2$/.test(name));
  localStorage[key] ??= (other && localStorage[other]) || '"Dark"';
} catch { /* storage is forbidden: the system's theme */ }
</script>"""
#: Streamlit answers these to everybody; nobody here needs them.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent")


class SecurityHeaders:
    """Adds headers to every answer and closes endpoints that nobody here needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_CLOSED):
            await PlainTextResponse("not found", 404)(scope, receive, send_secured)
        else:
            await self._app(scope, receive, send_secured)


class PageShell:
    """The HTML that every page starts from: our title, dark unless chosen otherwise, a guest cookie.

    Streamlit's own HTML follows the system's theme; here dark is the default of both, and a choice made
    in its menu stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _is_page(scope):
            await self._app(scope, receive, send)
            return
        answer = _Collected()
        await self._app(_unconditional(scope), receive, answer.collect)
        cookies = [] if _has_token(scope) else [_set_cookie(scope.get("scheme") == "https")]
        await answer.send_on(send, cookies)


class _Collected:
    """An answer held back until it is whole."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._body = bytearray()

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def send_on(self, send: Send, cookies: list[str]) -> None:
        headers = MutableHeaders(raw=list(self._start["headers"]))
        body = bytes(self._body)
        if headers.get("content-type", "").startswith("text/html") and b"</head>" in body:
            body = body.replace(b"<title>Streamlit</title>", b"<title>RadiKal</title>")
            body = body.replace(b"</head>", _DARK_BY_DEFAULT + b"</head>", 1)
            for name in ("etag", "last-modified", "accept-ranges"):
                del headers[name]
            headers["content-length"] = str(len(body))
            headers["cache-control"] = "no-store"
        for cookie in cookies:
            headers.append("Set-Cookie", cookie)
        await send({**self._start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})


def _unconditional(scope: Scope) -> Scope:
    """The request without what would make the answer partial, compressed or empty."""
    dropped = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
    return {**scope, "headers": [(k, v) for k, v in scope["headers"] if k.lower() not in dropped]}


def _is_page(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")


def _has_token(scope: Scope) -> bool:
    try:
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return False
    found = cookies.get(COOKIE)
    return resources().tokens.guest_of(found.value if found else None) is not None


def _set_cookie(is_secure: bool) -> str:
    secure = "; Secure" if is_secure else ""
    token = resources().tokens.issue()
    return f"{COOKIE}={token}; Path=/; Max-Age={MAX_AGE_S}; HttpOnly; SameSite=Lax{secure}"

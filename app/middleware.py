"""What every answer carries: security headers, and a guest cookie for new visitors of the demo."""

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


class GuestCookie:
    """Gives a visitor without a valid guest token a new one with the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _is_page(scope) or _has_token(scope):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_secure = scope.get("scheme") == "https"
                MutableHeaders(scope=message).append("Set-Cookie", _set_cookie(is_secure))
            await send(message)

        await self._app(scope, receive, send_with_cookie)


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

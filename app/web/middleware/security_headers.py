"""The headers that every answer carries, whoever gave it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.connection import connection_of
from app.shared.policy import CLOSED_POLICY, page_policy

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not "no-referrer": with it, browsers send `Origin: null` on a form of our own
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS = "max-age=31536000; includeSubDomains"
#: A worker runs under the policy that its own file came with, so files of the page get that of the page.
_PAGE_FILES = ("/static/", "/component/", "/_stcore/bidi-components/")


class SecurityHeaders:
    """Adds security headers to every answer; an answer that brings a policy of its own keeps it.

    Cookies become Secure where the browser speaks https, and Streamlit's own permission for other
    origins to read what it answers is taken back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_secure = connection_of(scope).is_secure
        policy = page_policy() if scope["path"].startswith(_PAGE_FILES) else CLOSED_POLICY

        async def send_secured(message: Message) -> None:
            if message["type"].endswith(".response.start"):
                message = {**message, "headers": list(message.get("headers", ()))}
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", policy)
                if is_secure:
                    headers.setdefault("Strict-Transport-Security", _HSTS)
                    _make_cookies_secure(message)
                if not scope["path"].startswith("/api/"):
                    del headers["Access-Control-Allow-Origin"]
                    del headers["Access-Control-Allow-Credentials"]
            await send(message)

        await self._app(scope, receive, send_secured)


def _make_cookies_secure(message: Message) -> None:
    message["headers"] = [
        (name, value + b"; Secure")
        if name.lower() == b"set-cookie" and b"secure" not in [p.strip().lower() for p in value.split(b";")]
        else (name, value)
        for name, value in message["headers"]
    ]

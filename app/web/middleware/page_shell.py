"""The HTML that every page starts from."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.policy import inline_scripts, page_policy
from app.web.middleware.refusal import NOT_FOUND

_SCRIPT = Path(__file__).with_suffix(".js")
_REPLACED = (
    (re.compile(rb"<title>Streamlit</title>"), b"<title>RadiKal</title>"),
    (re.compile(rb"<noscript>.*?</noscript>", re.S), b"<noscript>RadiKal needs JavaScript.</noscript>"),
    (re.compile(rb'<link rel="service-desc"[^>]*>'), b""),
)
_SHELL = b'<div id="root">'
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
CookiesFor = Callable[[Scope], list[str]]


def no_cookies(scope: Scope) -> list[str]:
    """No cookies for anybody."""
    return []


class PageShell:
    """Our title, theme and words for a lost connection, a policy that allows exactly the scripts of the page.

    Streamlit's own HTML follows the system's theme; here dark is the default of both, and a choice made
    in its menu holds on every page. It answers with its HTML to every address that it does not know; here
    those are 404.

    Args:
        cookies_for: `Set-Cookie` values for whoever opens a page. May block.
        is_page: tells whether a path is a page of ours.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        cookies_for: CookiesFor = no_cookies,
        is_page: Callable[[str], bool] = lambda path: True,
    ) -> None:
        self._app = app
        self._cookies_for = cookies_for
        self._is_page = is_page
        self._script = b"<script>" + _SCRIPT.read_bytes() + b"</script>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        if not _wants_page(scope):
            await self._pass_on(scope, receive, send)
            return
        answer = _Collected()
        await self._app(_unconditional(scope), receive, answer.collect)
        if answer.is_shell and not self._is_page(scope["path"]):
            await NOT_FOUND(scope, receive, send)
            return
        await answer.send_on(send, await run_in_threadpool(self._cookies_for, scope), self._script)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a program: as it comes, but for the HTML that Streamlit gives at addresses of no page."""
        if self._is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        answer, is_held = _Collected(), False

        async def send_checked(message: Message) -> None:
            nonlocal is_held
            is_held = is_held or (message["type"] == "http.response.start" and _is_html(message))
            await (answer.collect if is_held else send)(message)

        await self._app(_unconditional(scope), receive, send_checked)
        if is_held and (answer.is_shell or scope["method"] == "HEAD"):
            await NOT_FOUND(scope, receive, send)
        elif is_held:
            await answer.send_unchanged(send)


class _Collected:
    """An answer held back until it is whole."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._body = bytearray()

    @property
    def is_shell(self) -> bool:
        """True when it is the HTML that Streamlit starts every page from."""
        return _is_html(self._start) and _SHELL in self._body

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def send_unchanged(self, send: Send) -> None:
        await send(self._start)
        await send({"type": "http.response.body", "body": bytes(self._body)})

    async def send_on(self, send: Send, cookies: list[str], script: bytes) -> None:
        headers = MutableHeaders(raw=list(self._start["headers"]))
        body = bytes(self._body)
        if self.is_shell:
            for pattern, replacement in _REPLACED:
                body = pattern.sub(replacement, body, count=1)
            body = body.replace(b"</head>", script + b"</head>", 1)
            for name in ("etag", "last-modified", "accept-ranges"):
                del headers[name]
            headers["content-length"] = str(len(body))
            headers["cache-control"] = "no-store"
            headers["content-security-policy"] = page_policy(*inline_scripts(body))
        for cookie in cookies:
            headers.append("Set-Cookie", cookie)
        await send({**self._start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})


def _is_html(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")


def _unconditional(scope: Scope) -> Scope:
    """The request without what would make the answer partial, compressed or empty."""
    return {**scope, "headers": [(k, v) for k, v in scope["headers"] if k.lower() not in _CONDITIONS]}


def _wants_page(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")

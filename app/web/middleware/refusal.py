"""How no is said: one page, one line of text or one JSON object, in the user's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from string import Template

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.web.middleware.policy import CLOSED_POLICY, hash_source

_STYLE = """
:root { color-scheme: dark light; --page: #111315; --text: #e6e8ea; --muted: #9aa3ab; --link: #7fbde8 }
@media (prefers-color-scheme: light) {
  :root { --page: #f3f4f5; --text: #16191c; --muted: #59626a; --link: #1b5f96 }
}
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 0 1.5rem;
  background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 34rem }
h1 { font-size: 1.3rem; margin: 0 0 .5rem }
p { margin: 0 0 .75rem } .muted { color: var(--muted) } a { color: var(--link) }
"""
_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>$title - RadiKal</title><style>$style</style></head>
<body><main><h1>$title</h1><p>$told</p>$reference<p><a href="/">Back to RadiKal</a></p></main></body></html>
"""
)
_PAGE_POLICY = f"{CLOSED_POLICY}; style-src {hash_source(_STYLE)}"
#: WebSocket close code "policy violation".
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not what was asked for.

    Attributes:
        status: of HTTP.
        title: what happened, in a few words.
        told: what is safe and what to do.
        reference: number under which the log has the cause, where there is one.
        headers: more headers of the answer.
    """

    status: int
    title: str
    told: str
    reference: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request with it, in the form that whoever asks can read."""
        if scope["type"] == "http":
            response = self._response(scope)
            if scope["method"] not in ("GET", "HEAD"):
                response.headers["Connection"] = "close"  # a body that nobody read may follow
            await response(scope, receive, send)
        elif "websocket.http.response" in (scope.get("extensions") or {}):
            start = "websocket.http.response.start"
            response = self._as_text()
            await send({"type": start, "status": self.status, "headers": response.raw_headers})
            await send({"type": "websocket.http.response.body", "body": response.body})
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": self.title})

    def _response(self, scope: Scope) -> Response:
        if scope["path"].startswith("/api/"):
            reference = {"reference": self.reference} if self.reference else {}
            content = {"error": self.title, "advice": self.told, **reference}
            return JSONResponse(content, self.status, self._headers())
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return self._as_page()
        return self._as_text()

    def _as_page(self) -> Response:
        reference = f'<p class="muted">Reference {escape(self.reference)}</p>' if self.reference else ""
        page = _PAGE.substitute(
            title=escape(self.title), told=escape(self.told), reference=reference, style=_STYLE
        )
        return HTMLResponse(page, self.status, {**self._headers(), "Content-Security-Policy": _PAGE_POLICY})

    def _as_text(self) -> Response:
        reference = f" Reference {self.reference}." if self.reference else ""
        return PlainTextResponse(f"{self.title}. {self.told}{reference}\n", self.status, self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-store", **self.headers}


NOT_FOUND = Refusal(404, "There is nothing here", "The address may be mistyped, or what was here is gone.")

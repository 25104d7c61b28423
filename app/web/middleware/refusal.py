"""Refusals: as one page, one line of text or one problem of the API, in the user's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.shared.policy import CLOSED_POLICY, hash_source
from app.shared.problems import problem
from app.shared.templates import rendered

_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_PAGE_POLICY = f"{CLOSED_POLICY}; style-src {hash_source(_STYLE)}"
#: Kinds of problems that the API documents, by status.
_SLUGS = {
    404: "not-found",
    408: "too-slow",
    413: "too-large",
    429: "too-many",
    500: "failed",
    503: "unavailable",
    507: "no-room",
}
#: WebSocket close code "policy violation".
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than the one asked for.

    Attributes:
        status: of HTTP.
        title: the event, in a few words.
        told: whether anything was lost, and the next step.
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
            slug = _SLUGS.get(self.status, "refused")
            return problem(
                scope, self.status, slug, self.title, self.told, headers=self._headers(), **reference
            )
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return self._as_page()
        return self._as_text()

    def _as_page(self) -> Response:
        page = rendered("web/middleware/refusal.html", refusal=self, style=_STYLE)
        return HTMLResponse(page, self.status, {**self._headers(), "Content-Security-Policy": _PAGE_POLICY})

    def _as_text(self) -> Response:
        reference = f" Reference {self.reference}." if self.reference else ""
        return PlainTextResponse(f"{self.title}. {self.told}{reference}\n", self.status, self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-store", **self.headers}


NOT_FOUND = Refusal(404, "There is nothing here", "The address may be mistyped, or what was here is gone.")

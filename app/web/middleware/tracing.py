"""A span of each request, under the id that the log and the answer name."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.middleware.measuring import area_of, method_of
from core import tracing

#: Files of the pages, and questions that machines repeat.
_UNTRACED = frozenset({"static", "_stcore", "component", "metrics", "api health"})
_SERVER_ERROR = 500


class Tracing:
    """Measures each request by its method and the area of its address; neither path nor query is sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; one of a page stays open for hours, its runs are measured instead."""
        area = area_of(scope["path"]) if scope["type"] == "http" else ""
        if not area or area in _UNTRACED or not tracing.is_on():
            await self._app(scope, receive, send)
            return
        method = method_of(scope)
        with tracing.span(f"{method} {area}", http_request_method=method) as span:
            span.set_attribute("http.route", area)

            async def send_watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= _SERVER_ERROR:
                        span.set_attribute("error.type", str(message["status"]))
                await send(message)

            await self._app(scope, receive, send_watched)

"""The last resort: what nobody foresaw becomes a reference number for the user, a traceback in the log."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.incident import record
from app.web.middleware.refusal import Refusal


class Failures:
    """Answers 500 with a reference when anything further in breaks; the log has the traceback under it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_watched(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception:  # the server's edge: logged with its traceback, told with its reference
            reference = record(f"Answering {scope.get('method', 'a websocket')}")
            if has_started:
                raise  # the server cuts the connection: half an answer must not look whole
            await _broken(reference)(scope, receive, send)


def _broken(reference: str) -> Refusal:
    return Refusal(
        500,
        "Something went wrong",
        "What was stored is safe. Try again; if it happens again, tell an administrator the reference.",
        reference=reference,
    )

"""The last resort: what nobody foresaw becomes a reference number for the user, a traceback in the log."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.incident import record
from app.web.middleware.refusal import Refusal
from core.domain.storage import storage_problem
from core.store.failures import DatabaseUnavailableError
from core.store.objects import ObjectStoreError

log = logging.getLogger(__name__)


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
        except Exception as error:  # the server's edge: logged with its traceback, told with its reference
            problem = storage_problem(error)
            if problem is not None and not has_started:
                log.error("answering %s: %s", scope.get("method", "a websocket"), problem)
                await Refusal(507, "This could not be stored", _sentence(problem))(scope, receive, send)
                return
            if isinstance(error, (DatabaseUnavailableError, ObjectStoreError)) and not has_started:
                log.error("answering %s: %s", scope.get("method", "a websocket"), error)
                await _away(str(error))(scope, receive, send)
                return
            reference = record(f"Answering {scope.get('method', 'a websocket')}")
            if has_started:
                raise  # the server cuts the connection: half an answer must not look whole
            await _broken(reference)(scope, receive, send)


def _sentence(problem: str) -> str:
    return f"{problem[:1].upper()}{problem[1:]}."


def _away(told: str) -> Refusal:
    return Refusal(503, "A part of the service is away", _sentence(told), headers={"Retry-After": "2"})


def _broken(reference: str) -> Refusal:
    return Refusal(
        500,
        "Something went wrong",
        "What was stored is safe. Try again; if it happens again, tell an administrator the reference.",
        reference=reference,
    )

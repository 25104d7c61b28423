"""Limits on the size of a request and on the time that it takes to come."""

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.middleware.refusal import Refusal

UPLOADS = "/_stcore/upload_file/"
API, HAND_IN = "/api/", "/api/xai-qc/detect"
MIB = 2**20
#: Bytes of one of our forms and the like.
_SMALL = 64 * 1024
#: The same of the API, whose labels of an image may be many.
_API_BYTES = 4 * MIB
#: So many of the largest files may come in one request to the API.
_HANDED_IN_AT_ONCE = 4
#: Boundary and headers of the multipart body around a file.
_ENVELOPE = MIB
#: In so many seconds of waiting for a client at least so many bytes have to come, or the end.
_IDLE_S = 60.0
_LEAST = 64 * 1024


class _TooLargeError(Exception):
    """More came than the request may carry."""


class _TooSlowError(Exception):
    """Nothing, or next to nothing, came for too long."""


class BodyLimits:
    """Refuses a body that is too large, by what it announces and by what really comes, or that trickles.

    Args:
        largest: bytes by path prefix; the first that fits counts.
        otherwise: bytes for every other path.
        idle_s: longest wait for the next 64 KiB or the end, seconds; only waiting for the client counts.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        largest: Mapping[str, int],
        otherwise: int = _SMALL,
        idle_s: float = _IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._largest = dict(largest)
        self._otherwise = otherwise
        self._idle_s = idle_s
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal():
            await _malformed()(scope, receive, send)
            return
        if int(announced) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        has_started = False

        async def send_watched(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, self._counted(receive, limit), send_watched)
        except (_TooLargeError, _TooSlowError) as error:
            if has_started:
                raise
            refusal = _too_large(limit) if isinstance(error, _TooLargeError) else _too_slow()
            await refusal(scope, receive, send)

    def _limit(self, path: str) -> int:
        return next((n for prefix, n in self._largest.items() if path.startswith(prefix)), self._otherwise)

    def _counted(self, receive: Receive, limit: int) -> Receive:
        n_bytes, n_lately, waited_s, is_whole = 0, 0, 0.0, False

        async def receive_counted() -> Message:
            nonlocal n_bytes, n_lately, waited_s, is_whole
            if is_whole:
                return await receive()  # waits for the end of the connection, however long
            asked_at = self._clock()
            try:
                message = await asyncio.wait_for(receive(), self._idle_s - waited_s)
            except TimeoutError:
                raise _TooSlowError from None
            waited_s += self._clock() - asked_at
            if message["type"] == "http.request":
                n_bytes += (n_new := len(message.get("body", b"")))
                if (n_lately := n_lately + n_new) >= _LEAST:
                    n_lately, waited_s = 0, 0.0
                is_whole = not message.get("more_body", False)
                if n_bytes > limit:
                    raise _TooLargeError
            return message

        return receive_counted


def body_limits(upload_limit_mb: int) -> dict[str, int]:
    """The limits by path prefix: large for files, small for everything else."""
    return {
        UPLOADS: upload_limit_mb * MIB + _ENVELOPE,
        HAND_IN: _HANDED_IN_AT_ONCE * upload_limit_mb * MIB + _ENVELOPE,
        API: _API_BYTES,
    }


def _too_large(limit: int) -> Refusal:
    size = f"{limit // MIB} MB" if limit >= MIB else f"{limit // 1024} kB"
    return Refusal(
        413,
        "This is too large",
        f"At most {size} can be sent here. Nothing was stored; what was stored before is safe.",
    )


def _too_slow() -> Refusal:
    return Refusal(
        408,
        "It came too slowly",
        "Nothing was stored. Check the connection and send it again.",
    )


def _malformed() -> Refusal:
    return Refusal(400, "The request is malformed", "Nothing was stored.")

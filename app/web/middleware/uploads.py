"""The way of a file from the browser to the disk: its page, its room, and its bytes as they come."""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token

from app.shared.connection import connection_of, cookies_of, counted_as
from app.shared.guest_tokens import COOKIE
from app.shared.uploads import DiskNearlyFullError, HeldFile, UploadsFullError, UploadStore
from app.shared.visitors import session_token
from app.web.middleware.file_part import FilePart, MalformedUploadError
from app.web.middleware.limits import MIB, UPLOADS
from app.web.middleware.refusal import Refusal
from core.domain.accounts import Identity

_STREAM = "/_stcore/stream"
_XSRF_COOKIE, _XSRF_HEADER = "_streamlit_xsrf", "x-xsrftoken"
#: A page that lost its connection for so long is gone; the browser comes back sooner.
_GRACE_S = 10.0
#: Of an upload that is refused at most so many bytes are waited for, at most so long.
_FORGOTTEN_BYTES, _FORGOTTEN_S = 8 * MIB, 3.0
_NOT_YOURS = Refusal(
    403,
    "This page is not open in your session",
    "Nothing was stored. Reload it and hand the file in again.",
)
_NO_LENGTH = Refusal(411, "The length of the file is missing", "Nothing was stored.")
_MALFORMED = Refusal(400, "This is no file that a browser sends", "Nothing was stored.")
log = logging.getLogger(__name__)

CookiesOfPage = Callable[[str], Mapping[str, str] | None]


class Uploads:
    """Takes what choosers of files send in place of Streamlit's own route, which holds it all in memory.

    A file goes to disk as it comes, 1 MiB at a time, and its room is taken before its first byte. Only the
    browser whose page it is may send or remove it: the address of an upload names a page, and nothing else
    would tie the two together. When a page is gone its files go, too.

    Args:
        store: gives the store of files.
        visitor_of: tells visitors by their cookies. May block.
        cookies_of_page: the cookies that a page's websocket came with, None when the page is gone.
        grace_s: how long a page may be gone.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: Callable[[], UploadStore],
        visitor_of: Callable[[Mapping[str, str]], Identity | None],
        cookies_of_page: CookiesOfPage,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._app = app
        self._store = store
        self._visitor_of = visitor_of
        self._cookies_of_page = cookies_of_page
        self._grace_s = grace_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket" and scope["path"].endswith(_STREAM):
            try:
                await self._app(scope, receive, send)
            finally:
                asyncio.get_running_loop().call_later(self._grace_s, self._drop_gone)
        elif scope["type"] != "http" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
        elif scope["method"] in ("PUT", "DELETE"):
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id, _, file_id = scope["path"].removeprefix(UPLOADS).partition("/")
        cookies, headers = cookies_of(scope), Headers(scope=scope)
        is_own_form = validate_xsrf_token(headers.get(_XSRF_HEADER), cookies.get(_XSRF_COOKIE))
        identity = await run_in_threadpool(self._visitor_of, cookies)
        if identity is None or not is_own_form or not self._is_own_page(session_id, cookies):
            log.warning("refused an upload to a page of another visitor")
            await _NOT_YOURS(scope, receive, send)
        elif scope["method"] == "DELETE":
            self._store().take(session_id, file_id)
            await Response(status_code=204)(scope, receive, send)
        elif not headers.get("content-length", ""):
            await _NO_LENGTH(scope, receive, send)
        else:
            answer = await self._taken(scope, receive, identity, session_id, file_id)
            await answer(scope, receive, send)

    async def _taken(
        self, scope: Scope, receive: Receive, identity: Identity, session_id: str, file_id: str
    ) -> ASGIApp:
        """Take the file in; the answer to give."""
        address, size = counted_as(connection_of(scope).client), int(Headers(scope=scope)["content-length"])
        try:
            file = await run_in_threadpool(self._store().expect, identity, address, size)
        except DiskNearlyFullError as error:
            log.warning("refused an upload: the disk is nearly full")
            await _let_finish(receive, size)
            return Refusal(507, "There is no room for it", f"Nothing was stored: {error}.")
        except UploadsFullError as error:
            log.warning("refused an upload: too much is waiting")
            await _let_finish(receive, size)
            return Refusal(413, "This is too much at once", f"Nothing was stored: {error}.")
        try:
            await _write(scope, receive, file)
        except MalformedUploadError:
            file.discard()
            return _MALFORMED
        except BaseException:
            file.discard()
            raise
        if self._cookies_of_page(session_id) is None:  # it was closed meanwhile
            file.discard()
            return _NOT_YOURS
        self._store().keep(session_id, file_id, identity.user_id, file)
        return Response(status_code=204)

    def _is_own_page(self, session_id: str, cookies: Mapping[str, str]) -> bool:
        page = self._cookies_of_page(session_id)
        own, theirs = _token(cookies), _token(page or {})
        return bool(own) and hmac.compare_digest(own, theirs)

    def _drop_gone(self) -> None:
        store = self._store()
        for session_id in store.sessions():
            if self._cookies_of_page(session_id) is None:
                store.drop(session_id)


async def _let_finish(receive: Receive, size: int) -> None:
    """Read and forget what is being sent, within a bound: who is cut off hears of a lost connection, not why.

    Args:
        receive: gives the body.
        size: of the body as announced, in bytes.
    """
    if size > _FORGOTTEN_BYTES:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_FORGOTTEN_S):
            message = await receive()
            while message["type"] == "http.request" and message.get("more_body", False):
                message = await receive()


async def _write(scope: Scope, receive: Receive, file: HeldFile) -> None:
    part = FilePart(Headers(scope=scope).get("content-type", ""))
    with file.open_to_write() as target:
        is_whole = False
        while not is_whole:
            message = await receive()
            if message["type"] != "http.request":
                raise MalformedUploadError  # the browser is gone; nobody hears the answer
            part.feed(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if part.n_collected >= MIB or is_whole:
                await run_in_threadpool(part.write_to, target)
        part.finish()
    file.name, file.media_type = part.name, part.media_type


def _token(cookies: Mapping[str, str]) -> bytes:
    """The one that says who it is: of the session, else of the guest."""
    return (session_token(cookies) or cookies.get(COOKIE) or "").encode("utf-8", "replace")

"""Who asks the API, and how often they may: found out before any of the body is read."""

import math
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.shared.connection import connection_of, cookies_of, counted_as, remember_user
from app.shared.problems import problem
from app.shared.resources import resources
from app.shared.uploads import HeldFile, UploadsFullError, uploads
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.errors import NotAllowedError
from core.keys import Purpose
from core.services.accounts.shared_limits import RequestCount, SharedRequestCounts

PREFIX = "/api/xai-qc"
DOCUMENT, PAGE = "/api/openapi.json", "/api/docs"
#: Answered to everybody, and told more where somebody is known.
OPEN = frozenset({f"{PREFIX}/health", f"{PREFIX}/health/live", f"{PREFIX}/health/ready", DOCUMENT, PAGE})
#: What takes files: room for its body is taken before it comes.
TAKES_FILES = f"{PREFIX}/detect"
_IDENTITY = "radikal.api.identity"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="RadiKal"'}
_SMALL_BYTES = 64 * 1024


class Access:
    """Tells who asks, by a bearer key or else the cookie of a session; strangers and too many are refused.

    A key that is not valid is refused even where a session would do: whoever sends one means it. The session
    of a page of another origin is no session here, see `SameOrigin`.

    Args:
        per_minute: requests of a key, of a person with a session, or of an address of strangers.
        clock: seconds since the epoch.
    """

    def __init__(self, app: ASGIApp, *, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._per_minute = per_minute
        self._clock = clock
        self._own = OwnRequestCounts(per_minute, clock)
        self._shared: SharedRequestCounts | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] == "OPTIONS":
            await self._app(scope, receive, send)
            return
        token, is_understood = _bearer(scope)
        identity = await run_in_threadpool(_identity_of, scope, token) if is_understood else None
        key = _counted_as(scope, identity)
        count = await self._counted(key)
        if not count.is_allowed:
            await self._too_many(scope, count)(scope, receive, send)
            return
        if (refusal := _refusal(scope, identity, has_key=token is not None or not is_understood)) is not None:
            await refusal(scope, receive, send)
            return
        if identity is not None:
            scope["state"][_IDENTITY] = identity
            remember_user(scope, identity.user_id)
        await self._with_room(scope, receive, self._told(send, count), identity)

    async def _with_room(self, scope: Scope, receive: Receive, send: Send, identity: Identity | None) -> None:
        """Answer, with room for the body where files come with it."""
        announced = Headers(scope=scope).get("content-length", "")
        takes_files = scope["path"] == TAKES_FILES and scope["method"] == "POST"
        if not takes_files or identity is None or (announced and int(announced) <= _SMALL_BYTES):
            await self._app(scope, receive, send)
            return
        if not announced:
            told = "Send the length of the body; nothing was stored."
            await problem(scope, 411, "no-length", "The length is missing", told)(scope, receive, send)
            return
        address = counted_as(connection_of(scope).client)
        try:
            room: HeldFile = await run_in_threadpool(uploads().expect, identity, address, int(announced))
        except UploadsFullError as error:
            from app.api.problems import answer_refused

            await answer_refused(Request(scope), error)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            room.discard()

    async def _counted(self, key: str) -> RequestCount:
        """A request more of that caller, counted with those at other servers where there may be some."""
        services = resources().services
        if not services.is_shared:
            return self._own.hit(key)
        if self._shared is None:
            secret = services.key(Purpose.CLIENT)
            self._shared = SharedRequestCounts(services.store, self._per_minute, self._clock, secret)
        return await run_in_threadpool(self._shared.hit, key)

    def _told(self, send: Send, count: RequestCount) -> Send:
        """Tell with each answer how many requests are left."""

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [("ratelimit-limit", self._per_minute), ("ratelimit-remaining", count.n_left),
                        ("ratelimit-reset", max(0, math.ceil(count.reset_s)))]  # fmt: skip
                headers = [(name.encode(), str(value).encode()) for name, value in told]
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        return send_told

    def _too_many(self, scope: Scope, count: RequestCount) -> ASGIApp:
        wait_s = max(1, math.ceil(count.reset_s))
        told = f"At most {self._per_minute} requests a minute: try again in {wait_s} s. Nothing was done."
        headers = {"Retry-After": str(wait_s)}
        return problem(scope, 429, "too-many", "Too many requests", told, headers=headers)


class OwnRequestCounts:
    """Counts requests of the last minute of each caller in this process, which is the only server."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock

    def hit(self, caller: str) -> RequestCount:
        """Count a request, or refuse it."""
        is_allowed = self._limiter.hit(self._limit, caller)
        reset_at, left = self._limiter.get_window_stats(self._limit, caller)
        return RequestCount(is_allowed, left, reset_at - self._clock())


def caller(request: Request) -> Identity:
    """Who asks; for `Depends`.

    Raises:
        NotAllowedError: nobody does, where the address is open to everybody.
    """
    identity = known_caller(request)
    if identity is None:
        raise NotAllowedError("send an API key")
    return identity


#: Whoever asks, for the arguments of an endpoint.
Caller = Annotated[Identity, Depends(caller)]


def known_caller(request: Request) -> Identity | None:
    """Who asks, where the address is open to everybody; None for a stranger."""
    found: Identity | None = request.scope["state"].get(_IDENTITY)
    return found


def _bearer(scope: Scope) -> tuple[str | None, bool]:
    """The key that the request brings, None without one; and False where it brings something else."""
    named = Headers(scope=scope).getlist("authorization")
    if not named:
        return None, True
    scheme, _, token = named[0].partition(" ")
    return token.strip(), len(named) == 1 and scheme.lower() == "bearer"


def _identity_of(scope: Scope, token: str | None) -> Identity | None:
    """Who asks, None for a stranger, for a guest of the demo, and for a key that is not valid."""
    if token is not None:
        return resources().services.api_keys.who(token)
    identity = identity_of(cookies_of(scope))
    return None if identity is None or identity.is_guest else identity


def _counted_as(scope: Scope, identity: Identity | None) -> str:
    if identity is None:
        return f"address {counted_as(connection_of(scope).client)}"
    return identity.api_key or identity.user_id


def _refusal(scope: Scope, identity: Identity | None, *, has_key: bool) -> ASGIApp | None:
    """The refusal of a stranger; None where the request goes on."""
    path = scope["path"]
    is_open = path in OPEN or not path.startswith(f"{PREFIX}/")
    if identity is not None or (is_open and not has_key):
        return None
    told = (
        "The API key is not valid: it is unknown, revoked or has expired, or its account is disabled."
        if has_key
        else "Send an API key as 'Authorization: Bearer radikal_...'; administrators add them, see /api/docs."
    )
    return problem(scope, 401, "unauthorised", "Who are you?", told, headers=_CHALLENGE)

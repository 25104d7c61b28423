"""Limits on how often one client address may read, try to sign in, hand in files, or open a session."""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.shared.connection import connection_of, counted_as
from app.web.middleware.limits import MIB, UPLOADS
from app.web.middleware.refusal import Refusal

_MAX_KEYS = 10_000
_READS = ("GET", "HEAD")
_PAGE_COST, _FILE_COST = 10.0, 0.1
#: Files of the page itself, which every browser fetches once and keeps.
_PUBLIC_FILES = ("/static/", "/component/", "/_stcore/bidi-components/")
log = logging.getLogger(__name__)


class TokenBuckets:
    """One bucket of tokens for each key, full at first and refilled at a constant rate.

    Those not used for longest are forgotten first once there are `max_keys`; a forgotten bucket is full
    again.
    """

    def __init__(
        self,
        *,
        capacity: float,
        per_s: float,
        clock: Callable[[], float] = time.monotonic,
        max_keys: int = _MAX_KEYS,
    ) -> None:
        self._capacity = capacity
        self._per_s = per_s
        self._clock = clock
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take `cost` tokens, at most a full bucket: 0 when they were there, else the seconds to wait."""
        cost = min(cost, self._capacity)
        with self._lock:
            now = self._clock()
            left, at = self._buckets.get(key, (self._capacity, now))
            left = min(self._capacity, left + (now - at) * self._per_s)
            wait = max(0.0, cost - left) / self._per_s
            self._buckets[key] = (left if wait else left - cost, now)
            self._buckets.move_to_end(key)
            while len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
            return wait


@dataclass(frozen=True, slots=True, eq=False)
class RateRule:
    """A limit on one kind of request by one client address.

    Attributes:
        what: is told to the client, as in "too much of".
        cost: tokens that a request takes, 0 when the rule is not about it.
        buckets: by client address.
    """

    what: str
    cost: Callable[[Scope], float]
    buckets: TokenBuckets


class RateLimits:
    """Refuses with 429 and Retry-After when a client address does more than a rule allows."""

    def __init__(self, app: ASGIApp, *, rules: Sequence[RateRule]) -> None:
        self._app = app
        self._rules = tuple(rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] in ("http", "websocket"):
            key = counted_as(connection_of(scope).client)
            for rule in self._rules:
                cost = rule.cost(scope)
                wait_s = math.ceil(rule.buckets.take(key, cost)) if cost else 0
                if wait_s:
                    log.warning("refused: too many %s from one address", rule.what)
                    await _too_many(rule.what, wait_s)(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def rate_rules(
    *, upload_limit_mb: int, requests_per_second: int = 50, clock: Callable[[], float] = time.monotonic
) -> tuple[RateRule, ...]:
    """The rules of the server: generous for a whole department behind one address, tight for a script.

    Uploads are counted by MiB, so that neither many nor large files fill the disk; one without a length
    counts as the largest. A page costs as much as ten pictures or a hundred files of the page.
    """

    def read(scope: Scope) -> float:
        if scope["type"] != "http" or scope["method"] not in _READS:
            return 0.0
        if scope["path"].startswith(_PUBLIC_FILES):
            return _FILE_COST
        return _PAGE_COST if "text/html" in Headers(scope=scope).get("accept", "") else 1.0

    def sign_in(scope: Scope) -> float:
        return float(scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/signin")

    def upload(scope: Scope) -> float:
        if scope["type"] != "http" or scope["method"] != "PUT" or not scope["path"].startswith(UPLOADS):
            return 0.0
        announced = Headers(scope=scope).get("content-length", "")
        return max(1.0, int(announced) / MIB) if announced.isdecimal() else float(upload_limit_mb)

    def session(scope: Scope) -> float:
        return float(scope["type"] == "websocket")

    def buckets(capacity: float, per_s: float) -> TokenBuckets:
        return TokenBuckets(capacity=capacity, per_s=per_s, clock=clock)

    return (
        RateRule("requests", read, buckets(40 * requests_per_second, requests_per_second)),
        RateRule("attempts to sign in", sign_in, buckets(30, 0.5)),
        RateRule("uploads", upload, buckets(max(8192, 4 * upload_limit_mb), 64)),
        RateRule("new sessions", session, buckets(120, 2)),
    )


def _too_many(what: str, wait_s: int) -> Refusal:
    return Refusal(
        429,
        f"Too many {what}",
        f"Try again in {wait_s} s. What was stored is safe.",
        headers={"Retry-After": str(wait_s)},
    )

"""What several servers on one database count and see together: requests of the API, people at images."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.store.unit_of_work import Store

_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class RequestCount:
    """A request that was counted, or refused.

    Attributes:
        is_allowed: it was counted.
        n_left: more that are allowed now.
        reset_s: seconds until more are.
    """

    is_allowed: bool
    n_left: int
    reset_s: float


class SharedRequestCounts:
    """Counts requests a minute of each caller in the database, so that every server knows of all.

    The window slides by weighing the minute before with the share of it that is within the last 60 s; a
    refused request counts nothing.

    Args:
        store: of all servers.
        per_minute: requests that are allowed.
        clock: seconds since the epoch.
        key: of the digests that callers, addresses among them, are counted under.
    """

    def __init__(self, store: Store, per_minute: int, clock: Callable[[], float], key: bytes) -> None:
        self._store = store
        self._key = key
        self._per_minute = per_minute
        self._clock = clock
        self._forgotten_before = 0

    def hit(self, caller: str) -> RequestCount:
        """Count a request, or refuse it."""
        caller = hmac.new(self._key, caller.encode("utf-8"), hashlib.sha256).hexdigest()
        now = self._clock()
        minute, passed_s = int(now // _MINUTE_S), now % _MINUTE_S
        with self._store.write() as work:
            counts = work.request_counts
            weighed = int(counts.in_minute(caller, minute - 1) * (1 - passed_s / _MINUTE_S))
            n = counts.add(caller, minute, most=self._per_minute - weighed)
            if self._forgotten_before != minute - 1:  # once a minute
                self._forgotten_before = minute - 1
                counts.forget_before(minute - 1)
        left = 0 if n is None else max(0, self._per_minute - weighed - n)
        return RequestCount(n is not None, left, _MINUTE_S - passed_s)


class SharedPresence:
    """People at images, seen by every server.

    Args:
        store: of all servers.
        gone_after: whoever was not seen for so long has left.
    """

    def __init__(self, store: Store, gone_after: timedelta) -> None:
        self._store = store
        self._gone_after = gone_after

    def at(self, place: str, user_id: str, name: str) -> tuple[str, ...]:
        """Names of the others who are there now, sorted; this person is there from now on."""
        with self._store.write() as work:
            since = work.now - self._gone_after
            work.sightings.see(user_id, place, name, work.now)
            work.sightings.forget_before(since)
            return tuple(work.sightings.others(user_id, place, since))

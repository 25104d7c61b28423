"""Sightings of people at images, so that two who edit the same one see each other."""

import threading
import time
from collections.abc import Callable, Hashable

#: Whoever was not seen for so long has left; a page says every few seconds that it is there.
GONE_AFTER_S = 15.0


class Presence:
    """Sightings of people at places. Forgotten with the process. Safe to share between threads.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Hashable, dict[str, tuple[str, float]]] = {}
        self._lock = threading.Lock()

    def at(self, place: Hashable, user_id: str, name: str) -> tuple[str, ...]:
        """Names of the others who are there now, sorted; this person is there from now on."""
        now = self._clock()
        with self._lock:
            for other in [key for key in self._seen if key != place]:
                self._drop_gone(other, now)
                if self._seen.get(other, {}).pop(user_id, None) and not self._seen[other]:
                    del self._seen[other]
            here = self._seen.setdefault(place, {})
            here[user_id] = (name, now)
            self._drop_gone(place, now)
            return tuple(sorted(known for key, (known, _) in here.items() if key != user_id))

    def _drop_gone(self, place: Hashable, now: float) -> None:
        here = self._seen[place]
        for user_id in [key for key, (_, at) in here.items() if now - at > GONE_AFTER_S]:
            del here[user_id]
        if not here:
            del self._seen[place]

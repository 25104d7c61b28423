"""What was read of the database a moment ago: pages draw the same few rows every second."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

#: What another server wrote is seen after so long.
KEPT_S = 15.0
Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, asked for again after `KEPT_S` or once something was written here. Safe between threads.

    Args:
        read: the value as the database has it.
        clock: seconds, rising.
    """

    def __init__(self, read: Callable[[Key], Value], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._n_written = 0
        self._kept: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value:
        """The value; what was being read while something was written is not kept."""
        now = self._clock()
        with self._lock:
            kept, n_written = self._kept.get(key), self._n_written
        if kept is not None and now - kept[0] < KEPT_S:
            return kept[1]
        value = self._read(key)
        with self._lock:
            if n_written == self._n_written:
                old = [one for one, (read_at, _) in self._kept.items() if now - read_at >= KEPT_S]
                for one in old:
                    del self._kept[one]
                self._kept[key] = (now, value)
        return value

    def forget(self) -> None:
        """Read everything again: something was written."""
        with self._lock:
            self._n_written += 1
            self._kept.clear()

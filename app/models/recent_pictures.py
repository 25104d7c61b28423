"""Pictures that were looked at last, as many as fit into a bound of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from core.imaging.crop import Picture

Key = TypeVar("Key", bound=Hashable)
_MOST_BYTES = 256 * 2**20


class RecentPictures(Generic[Key]):
    """Each picture is made once, by whoever asks first; the others wait. Safe to share between threads."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Key, Picture] = OrderedDict()
        self._making: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Picture]) -> Picture:
        """The picture, kept or made now."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                known = self._kept.get(key)
                if known is not None:
                    self._kept.move_to_end(key)
                    return known
            picture = make()
            with self._lock:
                self._kept[key] = picture
                self._making.pop(key, None)
                while (
                    len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most_bytes
                ):
                    self._kept.popitem(last=False)
            return picture

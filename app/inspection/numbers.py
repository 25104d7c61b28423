"""Numbers for images as they are taken in: each is given once, however many files are read at a time."""

import threading
from dataclasses import replace

from core.domain.numbering import Numbering
from core.domain.reading import Setup


class Numbers:
    """Counts on with every image. Safe to share between threads."""

    def __init__(self, numbering: Numbering | None = None) -> None:
        self._numbering = numbering or Numbering()
        self._lock = threading.Lock()

    @property
    def numbering(self) -> Numbering:
        """How the next image gets its numbers."""
        with self._lock:
            return self._numbering

    def use(self, numbering: Numbering) -> None:
        """Number images this way from now on."""
        with self._lock:
            self._numbering = numbering

    def given(self, setup: Setup, file_name: str) -> Setup:
        """The setup with the numbers of the next image; the counter moves on where a template has one."""
        with self._lock:
            now = self._numbering
            if now.is_counting:
                self._numbering = replace(now, first=now.first + 1)
        return setup.with_own(now.numbers(file_name, now.first))

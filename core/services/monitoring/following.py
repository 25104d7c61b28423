"""Follows what was read, in a thread of its own that gives way to whoever waits for a reading.

Its priority is not lowered: a thread that is kept from the processor while it holds the interpreter's lock or
a transaction would make everybody wait. It does nothing while somebody waits, else one thing at a time.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from core.domain.errors import EngineBusyError

log = logging.getLogger(__name__)
#: Looks for work this often while there is none, and looks again whether somebody waits.
EVERY_S, GIVE_WAY_S = 5.0, 0.5


class FollowUp:
    """One worker that does one thing at a time while nobody waits for a reading.

    Nothing is queued here: what is to be done is found in the database, so that nothing is lost with the
    process, nothing grows without bound, and readings of commands and jobs are followed as well.

    Args:
        steps: each does one piece of work and says whether there was any.
        is_busy: True while somebody waits for a reading.
    """

    def __init__(self, steps: Sequence[Callable[[], object]], is_busy: Callable[[], bool]) -> None:
        self._steps = steps
        self._is_busy = is_busy
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="follow-up", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop after the piece of work at hand, waited for at most half a minute."""
        self._is_closed.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def work(self) -> bool:
        """One piece of work of each kind, unless somebody waits; False where there was none to do."""
        is_done = False
        for step in self._steps:
            if self._is_busy() or self._is_closed.is_set():
                return is_done
            is_done = bool(step()) or is_done
        return is_done

    def _run(self) -> None:
        told = ""
        while not self._is_closed.is_set():
            try:
                is_done, told = self.work(), ""
            except EngineBusyError:  # what people wait for comes first; tried again
                is_done = False
            except Exception as error:  # the worker's edge: told once, tried again
                is_done = False
                if told != (told := repr(error)):
                    log.exception("what was read could not be followed; trying again")
            pause = GIVE_WAY_S if self._is_busy() else 0.0 if is_done else EVERY_S
            self._is_closed.wait(pause)

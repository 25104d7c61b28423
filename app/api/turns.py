"""Long answers, a few at a time and outside of the threads that pages and short answers use."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

Made = TypeVar("Made")
#: Answers that run a network or draw a report at the same time; others wait.
_AT_ONCE = 2
_limits: list[CapacityLimiter] = []


async def in_turn(make: Callable[[], Made]) -> Made:
    """What `make` makes, in a thread, once there is one of the few free."""
    if not _limits:  # made in the loop that serves
        _limits.append(CapacityLimiter(_AT_ONCE))
    return await to_thread.run_sync(make, limiter=_limits[0])

"""Long answers, a few at a time and outside of the threads that pages and short answers use."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.shared.resources import resources

Made = TypeVar("Made")
#: Answers that run a network or draw a report at the same time, at least; others wait.
_AT_ONCE = 2
_limits: list[CapacityLimiter] = []


async def in_turn(make: Callable[[], Made]) -> Made:
    """What `make` makes, in a thread, once there is one of the few free."""
    if not _limits:  # made in the loop that serves
        _limits.append(CapacityLimiter(max(_AT_ONCE, resources().services.settings.read_at_once)))
    return await to_thread.run_sync(make, limiter=_limits[0])

"""Keeps the figures of each minute while the server runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from core.services.operations.minutes import MinuteFiles, Tally

log = logging.getLogger(__name__)
_MINUTE = timedelta(minutes=1)


async def keep_minutes(tally: Tally, levels: Callable[[], Mapping[str, float]], files: MinuteFiles) -> None:
    """Write what was counted at the end of each minute, and the rest when this is cancelled.

    Args:
        tally: what is counted.
        levels: tells lengths of queues and the like.
        files: get the minutes.
    """
    while True:
        now = datetime.now(UTC)
        ends = now.replace(second=0, microsecond=0) + _MINUTE
        try:
            await asyncio.sleep((ends - now).total_seconds())
        except asyncio.CancelledError:
            keep(tally, levels, files, at=now)
            raise
        await asyncio.to_thread(keep, tally, levels, files, at=now)


def keep(
    tally: Tally, levels: Callable[[], Mapping[str, float]], files: MinuteFiles, *, at: datetime
) -> None:
    """Write one minute; that the disk is full or the like is logged, and the minute is lost."""
    try:
        files.append(tally.take(at, levels()))
    except Exception:  # beside the server: logged, the next minute is tried again
        log.exception("the figures of a minute could not be kept")

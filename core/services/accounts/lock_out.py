"""How long somebody has to wait after refused sign-ins. Pure."""

import math
from datetime import datetime, timedelta

#: Refused sign-ins of one account, and from one client address, that cost nothing.
FREE_BY_ACCOUNT, FREE_BY_ADDRESS = 4, 19
#: Refusals older than this do not count any more. Many people may share one address.
ACCOUNT_MEMORY, ADDRESS_MEMORY = timedelta(hours=24), timedelta(hours=1)
_FIRST_S, _LONGEST_S = 30, 15 * 60


def wait_s(n_refused: int, newest: datetime | None, now: datetime, *, free: int) -> int:
    """Whole seconds from `now` until the next attempt is looked at, 0 when it is at once.

    Args:
        n_refused: that count.
        newest: when the newest of them was.
        now: this moment.
        free: that cost nothing; the next one costs 30 s, each after it twice as much, up to 15 minutes.
    """
    if newest is None or n_refused <= free:
        return 0
    doublings = min(n_refused - free - 1, 10)  # enough for the longest, whatever the number is
    delay_s: int = min(_FIRST_S << doublings, _LONGEST_S)
    passed_s = max(0.0, (now - newest).total_seconds())  # a clock that was set back does not lengthen it
    return max(0, math.ceil(delay_s - passed_s))

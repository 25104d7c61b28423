"""Many people at work at once, each in a tab, and many tabs that are only open."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from websockets.exceptions import WebSocketException

from benchmarks.faults.home import Home, assert_whole
from benchmarks.faults.served import Server, Tab, fill, person, serving

PAGES = ("", "history", "account", "how_to_read")
PAUSE_S = (2.0, 8.0)
SEED = 20_263
SECONDS_FOR_EACH = 24.0
TABS_OF_ONE = 8


@dataclass
class Seen:
    """What people saw.

    Attributes:
        seconds: that each page took.
        failures: what went wrong, and how often.
    """

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, Any]:
        """Counts and times."""
        return {
            "pages_drawn": len(self.seconds),
            "median_s": round(float(np.median(self.seconds)), 2) if self.seconds else None,
            "p95_s": round(float(np.percentile(self.seconds, 95)), 2) if self.seconds else None,
            "slowest_s": round(max(self.seconds), 2) if self.seconds else None,
            "failures": dict(self.failures),
        }


def run_users(folder: Path, n_users: int) -> dict[str, Any]:
    """The figures of so many people who look at one page after the other: 25 of them for ten minutes.

    Raises:
        AssertionError: afterwards the database or the audit log is not whole.
    """
    home, seen, seconds = Home.at(folder), Seen(), SECONDS_FOR_EACH * n_users
    with home.opened() as services:
        fill(services, folder)
    with serving(home) as server:
        cookies = _signed_in(home, server, n_users)
        before_mib = server.memory_mib()
        asyncio.run(_at_work(server, cookies, seen, time.monotonic() + seconds))
        memory = {"memory_before_mib": round(before_mib), "memory_after_mib": round(server.memory_mib())}
    with home.opened() as services:
        assert_whole(services)
    return {"users": n_users, "seconds": round(seconds), **seen.figures(), **memory}


def run_tabs(folder: Path, n_tabs: int) -> dict[str, Any]:
    """The figures of so many tabs, opened one after the other, held open together and each drawn once more.

    Raises:
        AssertionError: a tab was lost, or afterwards the database or the audit log is not whole.
    """
    home, seen = Home.at(folder), Seen()
    with home.opened() as services:
        fill(services, folder)
    with serving(home) as server:
        cookies = _signed_in(home, server, -(-n_tabs // TABS_OF_ONE))
        before_mib = server.memory_mib()
        asyncio.run(_held_open(server, (cookies * TABS_OF_ONE)[:n_tabs], seen))
        memory = {"memory_before_mib": round(before_mib), "memory_after_mib": round(server.memory_mib())}
    with home.opened() as services:
        assert_whole(services)
    return {"tabs": n_tabs, "users": len(cookies), **seen.figures(), **memory}


def _signed_in(home: Home, server: Server, count: int) -> list[str]:
    """The cookies of so many people; each ticket is used at once, since it lasts 30 s."""
    cookies = []
    with home.opened() as services:
        for _ in range(count):
            cookies.append(server.sign_in(person(services)[1]))
    return cookies


async def _at_work(server: Server, cookies: list[str], seen: Seen, until: float) -> None:
    await asyncio.gather(
        *(_person(server, cookie, seen, until, random.Random(SEED + n)) for n, cookie in enumerate(cookies))
    )


async def _person(server: Server, cookie: str, seen: Seen, until: float, dice: random.Random) -> None:
    await asyncio.sleep(dice.uniform(0, PAUSE_S[0]))
    while time.monotonic() < until:
        tab = await _tried(seen, Tab.open(server, cookie))
        if tab is None:
            await asyncio.sleep(PAUSE_S[0])
            continue
        for page in PAGES:
            took_s = await _tried(seen, tab.run(page))
            if took_s is None or time.monotonic() >= until:
                break
            seen.seconds.append(took_s)
            await asyncio.sleep(dice.uniform(*PAUSE_S))
        await tab.close()


async def _held_open(server: Server, cookies: list[str], seen: Seen) -> None:
    tabs = []
    for cookie in cookies:
        tab = await Tab.open(server, cookie)
        seen.seconds.append(await tab.run(""))
        tabs.append(tab)
    for tab in tabs:
        seen.seconds.append(await tab.run("history"))
    for tab in tabs:
        await tab.close()


async def _tried(seen: Seen, act: Any) -> Any:
    """What came of it; None where it failed, which is counted."""
    try:
        return await act
    except (OSError, AssertionError, TimeoutError) as error:
        seen.failures[f"{type(error).__name__}: {error}"[:120]] += 1
    except WebSocketException as error:  # closed, or refused
        seen.failures[type(error).__name__] += 1
    return None

"""People work while the date is set back an hour, put right, set forward a day, and put right again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.store.clock import now_utc
from tests.crash.examination import Acts, Ledger
from tests.crash.place import Place
from tests.crash.worker import work
from tests.empty_stores import copy_empty_database

STEPS = (timedelta(hours=-1), timedelta(0), timedelta(days=1), timedelta(0))
SEED = 20_261


@dataclass
class SetClock:
    """The time of this machine, as if somebody had set it."""

    offset: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """This moment, UTC."""
        return now_utc() + self.offset


@dataclass
class Heard:
    """Acts that the services said were done."""

    acts: Acts = field(default_factory=dict)

    def write(self, act: str, **facts: Any) -> None:
        """Note one."""
        self.acts[act, facts["id"]] = facts["digest"]


def run(folder: Path, rounds: int) -> dict[str, int]:
    """The figures of so many rounds of `STEPS`, with acts after each step and an examination at the end.

    Raises:
        AssertionError: an act that was acknowledged is missing, or the audit log does not verify.
    """
    clock, heard, dice = SetClock(), Heard(), np.random.default_rng(SEED)
    place = Place.open(copy_empty_database(folder / "radikal.db"), folder, clock=clock)
    try:
        place.add_somebody()
        work(place.workspace, dice, heard)
        for offset in STEPS * rounds:
            clock.offset = offset
            work(place.workspace, dice, heard)
        ledger = Ledger()
        ledger.examine(place, heard.acts, n_in_flight=0)
    finally:
        place.close()
    return {"times_the_date_was_set": len(STEPS) * rounds, **ledger.figures()}

"""Figures of each minute of the last day, kept in files so that a restart loses none of them."""

import json
import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

#: Times are counted in classes whose bounds grow by this factor from 1 ms on: quantiles are right within it.
_GROWTH, _FIRST_S = 1.25, 0.001
_ERRORS_FROM = 500
KEPT = timedelta(days=1)


@dataclass(slots=True)
class Times:
    """How long something took, each time in a minute, or in many.

    Attributes:
        n: number of times.
        n_failed: of these, those that failed.
        classes: number of times by class: 0 up to 1 ms, then a quarter wider each.
    """

    n: int = 0
    n_failed: int = 0
    classes: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float, *, is_failed: bool = False) -> None:
        """Count one."""
        self.n += 1
        self.n_failed += int(is_failed)
        place = 0 if seconds <= _FIRST_S else math.ceil(math.log(seconds / _FIRST_S, _GROWTH) - 1e-9)
        self.classes[place] += 1

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of them was done, the upper bound of its class; None of none."""
        seen, wanted = 0, share * self.n
        for place in sorted(self.classes):
            seen += self.classes[place]
            if seen >= wanted:
                return float(_FIRST_S * _GROWTH**place)
        return None


def merged(some: Iterable[Times]) -> Times:
    """All of them together."""
    whole = Times()
    for one in some:
        whole.n += one.n
        whole.n_failed += one.n_failed
        whole.classes.update(one.classes)
    return whole


@dataclass(frozen=True, slots=True)
class Minute:
    """What one process did within a minute.

    Attributes:
        at: begin of the minute, UTC.
        times: by what was done: `answer AREA` for requests, `run PAGE` for runs of a page, `read MODEL` for
            radiographs, where one whose probabilities are not verified counts as failed.
        levels: at its end, such as the length of a queue.
    """

    at: datetime
    times: Mapping[str, Times]
    levels: Mapping[str, float]


class Tally:
    """Counts what happens until somebody takes it. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[str, Times] = {}

    def answered(self, area: str, status: int, seconds: float) -> None:
        """Count a request by the area of its address."""
        self._add(f"answer {area}", seconds, is_failed=status >= _ERRORS_FROM)

    def ran(self, page: str, seconds: float) -> None:
        """Count a run of a page's script."""
        self._add(f"run {page}", seconds)

    def read(self, model: str, seconds: float, *, is_strange: bool) -> None:
        """Count a radiograph that was read."""
        self._add(f"read {model}", seconds, is_failed=is_strange)

    def take(self, at: datetime, levels: Mapping[str, float]) -> Minute:
        """What was counted since it was taken last."""
        with self._lock:
            times, self._times = self._times, {}
        return Minute(at.replace(second=0, microsecond=0), times, dict(levels))

    def _add(self, what: str, seconds: float, *, is_failed: bool = False) -> None:
        with self._lock:
            self._times.setdefault(what, Times()).add(seconds, is_failed=is_failed)


class MinuteFiles:
    """Minutes in a file a day, one line each; of several processes in the same files.

    A line that was cut off by a crash is left out when they are read. What is older than two days is removed.

    Args:
        folder: of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, minute: Minute) -> None:
        """Add a minute.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        today = self._file(minute.at)
        is_new = not today.exists()
        with today.open("ab") as file:
            file.write(b"\n" * (not is_new) + json.dumps(_to_dict(minute)).encode())
        if is_new:
            oldest = self._file(minute.at - KEPT)
            for path in self._folder.glob("*.jsonl"):
                if path.name < oldest.name:
                    path.unlink(missing_ok=True)

    def since(self, moment: datetime) -> list[Minute]:
        """The minutes from that moment on, the oldest first; a day at most lies there whole.

        Args:
            moment: UTC.
        """
        found = []
        for path in sorted(self._folder.glob("*.jsonl")):
            if path.name < self._file(moment).name:
                continue
            for line in path.read_bytes().splitlines():
                try:
                    minute = _from_dict(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # cut off by a crash
                if minute.at >= moment:
                    found.append(minute)
        return sorted(found, key=lambda minute: minute.at)

    def _file(self, moment: datetime) -> Path:
        return self._folder / f"{moment.astimezone(UTC):%Y-%m-%d}.jsonl"


def _to_dict(minute: Minute) -> dict[str, Any]:
    times = {what: [one.n, one.n_failed, dict(one.classes)] for what, one in minute.times.items()}
    return {"at": minute.at.isoformat(), "times": times, "levels": dict(minute.levels)}


def _from_dict(content: Mapping[str, Any]) -> Minute:
    times = {
        what: Times(n, n_failed, Counter({int(place): count for place, count in classes.items()}))
        for what, (n, n_failed, classes) in content["times"].items()
    }
    return Minute(datetime.fromisoformat(content["at"]), times, content["levels"])

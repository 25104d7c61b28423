"""Run and job logs that write files, for `python -m core.training`."""

import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType


class FileRunLog:
    """A `RunLog` that appends one JSON object a line to `metrics.jsonl`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "metrics.jsonl"

    def parameters(self, values: Mapping[str, str | float | int]) -> None:
        """Append the inputs of the run."""
        self._append({"parameters": dict(values)})

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Append the figures of `step`."""
        self._append({"step": step, **values})

    def _append(self, entry: Mapping[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 1), **entry}) + "\n")


class ConsoleJobLog:
    """A `JobLog` that draws a bar with the time left on standard error.

    Args:
        stop_on: a signal that cancels the run from now on; None leaves signals alone.
    """

    _WIDTH = 30

    def __init__(self, stop_on: signal.Signals | None = None) -> None:
        self._start: tuple[float, int] | None = None
        self._is_cancelled = False
        if stop_on is not None:
            signal.signal(stop_on, self._cancel)

    def progress(self, done: int, total: int, message: str) -> None:
        """Draw the bar; the time left is judged from the pace since the first call."""
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done)
        started, first = self._start
        left = (now - started) / (done - first) * (total - done) if done > first else 0.0
        filled = self._WIDTH * done // max(total, 1)
        bar = "#" * filled + "." * (self._WIDTH - filled)
        end = "\n" if done == total or not sys.stderr.isatty() else ""
        start = "\r" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{start}[{bar}] {done}/{total}  {left / 60:5.1f} min left  {message}{end}")
        sys.stderr.flush()

    def is_cancelled(self) -> bool:
        """True once the signal has come."""
        return self._is_cancelled

    def _cancel(self, _number: int, _frame: FrameType | None) -> None:
        self._is_cancelled = True

"""Stored evaluations are known by `FIGURES_VERSION`; whoever moves a figure has to raise it."""

import json
import math
from collections.abc import Iterator
from typing import Any

from core.evaluate.summary import FIGURES_VERSION
from tests.services.evaluation.golden import GOLDEN, computed


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _leaves(item, f"{path}.{key}")
    if not isinstance(value, dict | list):
        yield path, value


def _is_alike(stored: Any, now: Any, tolerance: float) -> bool:
    if isinstance(stored, int | float) and isinstance(now, int | float):
        return math.isclose(stored, now, rel_tol=tolerance, abs_tol=1e-4)
    return bool(stored == now)


def test_no_figure_moved_since_the_figures_version_was_raised() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["figures_version"] == FIGURES_VERSION, (
        "FIGURES_VERSION was raised: write the golden file with `python -m tests.services.evaluation.golden`"
    )
    stored, now = dict(_leaves(golden["figures"])), dict(_leaves(computed()))
    assert stored.keys() == now.keys()
    # what a network gives differs in the last digits from processor to processor
    tolerance = {"counted": 1e-6, "calibrated": 1e-4, "detected": 2e-3, "detected_figures": 2e-3}
    moved = {
        name: (stored[name], now[name])
        for name in stored
        if not _is_alike(stored[name], now[name], tolerance[name.split(".")[1]])
    }
    assert not moved, (
        f"figures moved: raise core.evaluate.summary.FIGURES_VERSION and write the golden file, {moved}"
    )

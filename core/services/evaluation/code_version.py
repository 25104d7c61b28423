"""Which state of the code turns pixels into stored figures: figures of two states are not compared."""

import hashlib
from functools import cache
from pathlib import Path

_CORE = Path(__file__).resolve().parents[2]
#: Packages and modules whose sources decide what is reported and how it is counted.
_SOURCES = (
    "engine",
    "calibrate",
    "evaluate",
    "imaging/normalise.py",
    "services/evaluation/recorded_images.py",
)
#: Modules of `core.evaluate` that only ask what was stored, or measure something else.
ASKED_LATER = frozenset(
    {
        "cell_classes.py",
        "cell_summary.py",
        "cells.py",
        "comparison.py",
        "confusion.py",
        "gate_measures.py",
        "gate_report.py",
        "operating_figures.py",
        "promotion_gate.py",
        "version_differences.py",
    }
)


@cache
def code_version() -> str:
    """Hex sha256 over the sources of detecting, merging, calibrating and counting."""
    digest = hashlib.sha256()
    for file in stored_sources():
        digest.update(f"{file.relative_to(_CORE).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def stored_sources() -> list[Path]:
    """The files whose change makes earlier evaluations those of another state of the code."""
    found: list[Path] = []
    for source in _SOURCES:
        path = _CORE / source
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [file for file in found if not (file.parent.name == "evaluate" and file.name in ASKED_LATER)]

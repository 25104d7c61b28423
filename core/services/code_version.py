"""Which state of the code turns pixels into figures: figures of two states are not compared."""

import hashlib
from functools import cache
from pathlib import Path

_CORE = Path(__file__).resolve().parents[1]
#: Packages and modules whose sources decide what is reported and how it is counted.
_SOURCES = ("engine", "calibrate", "evaluate", "imaging/normalise.py", "services/recorded_images.py")


@cache
def code_version() -> str:
    """Hex sha256 over the sources of detecting, merging, calibrating and counting."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = _CORE / source
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        for file in files:
            digest.update(f"{file.relative_to(_CORE).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()

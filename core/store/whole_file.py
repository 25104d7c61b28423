"""A file that is there whole or not at all, also when the machine stops."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mark: str = "") -> None:
    """Write beside `path`, flush, rename, flush the folder; what was there before is replaced.

    Args:
        path: of the file.
        data: all of it.
        mark: tells writers of the same path apart while they write.

    Raises:
        OSError: it could not be kept; nothing unfinished is left.
    """
    unfinished = path.with_name(f".{path.name}{mark}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

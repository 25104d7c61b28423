"""Whether a run kept a checkpoint, told without PyTorch."""

from pathlib import Path

INDEX = "checkpoint.index"


def has_checkpoint(folder: Path) -> bool:
    """True when `folder` holds a checkpoint with all of its parts; they are not read."""
    index = folder / INDEX
    if not index.is_file():
        return False
    names = index.read_text(encoding="utf-8").split()
    return bool(names) and all((folder / name).is_file() for name in names)

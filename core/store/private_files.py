"""Files and folders that nobody but the user who runs RadiKal may open."""

import os
from collections.abc import Iterable
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
#: SQLite makes these beside its file, with the mode of that.
_BESIDE = ("", "-wal", "-shm", "-journal")


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner may open, where there is none; its folder must be there."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        return


def close_to_others(data_dir: Path, databases: Iterable[Path]) -> list[str]:
    """Take away what others may do with the data folder, what lies in it, and the databases.

    Below the data folder nobody else gets anywhere, so of what lies in it only the first level is changed:
    this takes milliseconds however many films there are.

    Returns:
        A sentence for each file that stays open, because it belongs to another user.
    """
    beside = (Path(f"{file}{end}") for file in databases for end in _BESIDE)
    inside = sorted(data_dir.iterdir()) if data_dir.is_dir() and os.access(data_dir, os.R_OK) else []
    stubborn = []
    for path in (data_dir.resolve(), *inside, *beside):  # a data folder on another disk is often a link
        if not path.exists() or path.is_symlink():
            continue
        wanted = FOLDER_MODE if path.is_dir() else FILE_MODE
        if path.stat().st_mode & 0o077:
            try:
                path.chmod(wanted)
            except OSError as error:
                stubborn.append(f"{path} can be read by other users of this machine: {error.strerror}")
    return stubborn

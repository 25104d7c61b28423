"""Making an installation of a backup: into an empty place, everything read and compared on the way."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from core.domain.errors import BackupDamagedError, BackupPlaceError
from core.services.operations.checks import FULL_BYTES, RESTORING
from core.store.backups.manifest import BackupFile, FileRole, Manifest
from core.store.backups.place import BackupPlace
from core.store.private_files import FILE_MODE, FOLDER_MODE

SETTINGS_FILE = "settings-of-backup.env"
_IN_FOLDER = frozenset({FileRole.FILE, FileRole.ORIGINAL, FileRole.KEY})


def require_room(folder: Path, manifest: Manifest) -> None:
    """Return when the backup fits on the disk of `folder`, which is there.

    Raises:
        BackupPlaceError: it does not.
    """
    free, needed = shutil.disk_usage(folder).free, manifest.n_bytes + FULL_BYTES
    if free < needed:
        raise BackupPlaceError(
            f"{folder}: {free // 2**20} MiB are free, the backup needs {needed // 2**20} MiB; nothing was "
            "changed"
        )


def require_empty_folder(data_dir: Path) -> None:
    """Return when nothing is there yet.

    Raises:
        BackupPlaceError: something is.
    """
    if not data_dir.exists():
        return
    if any(data_dir.glob(f"{RESTORING}*")):
        raise BackupPlaceError(
            f"DATA_DIR: a restore into {data_dir} was cut off; empty this folder, then restore again"
        )
    if not data_dir.is_dir() or any(path.name != "lost+found" for path in data_dir.iterdir()):
        raise BackupPlaceError(
            f"DATA_DIR: {data_dir} is not empty, and a restore never overwrites; move it away, or name "
            "another"
        )


def write_files(
    place: BackupPlace,
    name: str,
    manifest: Manifest,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[str]:
    """Write what belongs into a data folder, each file compared with its digest; databases are left out.

    Returns:
        A sentence for each file that is missing or is not what was stored; it is left out.
    """
    wanted, damaged = [file for file in manifest.files if file.role in _IN_FOLDER], []
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    for number, file in enumerate(wanted, 1):
        try:
            write_file(place, name, file, folder / file.path)
        except BackupDamagedError as error:
            damaged.append(str(error))
        progress(number, len(wanted))
    lines = "".join(f"{line}\n" for line in manifest.settings)
    (folder / SETTINGS_FILE).write_text(lines, encoding="utf-8")
    (folder / SETTINGS_FILE).chmod(FILE_MODE)
    return damaged


def write_file(place: BackupPlace, name: str, file: BackupFile, target: Path) -> None:
    """Write one file, which nobody but its owner may open, and flush it to the disk.

    Raises:
        BackupDamagedError: names it when it is missing or is not what was stored.
    """
    target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(handle, "wb") as out:
            for piece in place.read(file.sha256):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
    except BackupDamagedError as error:
        target.unlink(missing_ok=True)
        raise BackupDamagedError(f"{file.path} of the backup {name} is damaged: {error}") from None


def move_into_place(staged: Path, data_dir: Path, databases: list[tuple[Path, Path]]) -> None:
    """Move what was restored and verified to where it belongs, the databases last.

    Args:
        staged: holds the content of the data folder.
        data_dir: the data folder, empty but for the folder that `staged` lies in.
        databases: files of SQLite, and where each belongs.

    Raises:
        OSError: something could not be moved; the checks before serving tell of it.
    """
    for path in sorted(staged.iterdir()):
        path.rename(data_dir / path.name)
    for source, target in databases:
        target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        beside = target.with_name(f"{RESTORING}{target.name}")
        shutil.move(source, beside)  # copies where it is another disk
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.rename(target)
    for folder in {data_dir, *(target.parent for _, target in databases)}:
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

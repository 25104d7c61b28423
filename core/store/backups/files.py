"""The files of a place of backups: in a folder, or in an object store."""

import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from core.domain.errors import BackupPlaceError
from core.store.private_files import FOLDER_MODE

LOCK, OBJECTS, MANIFESTS, INCOMING = ".lock", "objects", "manifests", ".incoming-"
#: Reads what was written and raises when that is something else.
Verify = Callable[[BinaryIO], None]


class PlaceFiles(Protocol):
    """Files with names such as `objects/ab/abc...`, each of them whole or not there."""

    @property
    def where(self) -> str:
        """For people."""

    @property
    def folder(self) -> Path | None:
        """The folder; None where it is none."""

    def prepare(self) -> None:
        """Make room for a new place."""

    def is_empty(self) -> bool:
        """True when nothing is there yet."""

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else writes here meanwhile.

        Raises:
            BackupPlaceError: somebody does.
        """

    def has(self, name: str) -> bool:
        """True when it is there; it is not read."""

    def opened(self, name: str) -> BinaryIO:
        """The file to read.

        Raises:
            FileNotFoundError: it is not there.
        """

    def keep(self, pieces: Iterable[bytes], named: Callable[[], str], verify: Verify) -> bool:
        """Keep the pieces under the name that `named` gives when all have gone by; False where it was there.

        What was written is read back by `verify`, and not kept when that raises.
        """

    def names(self, folder: str) -> list[str]:
        """Names of the files right in a folder, without it, in order."""

    def remove(self, name: str) -> None:
        """Remove a file that is there."""

    def sweep(self, kept: Collection[str]) -> int:
        """Remove contents whose name alone is not among `kept`, and what was cut off; bytes freed."""


class FolderFiles:
    """Files in a folder of a file system with locks and renames.

    A file is written to a temporary one, flushed, read back from the disk and compared, then renamed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def where(self) -> str:
        """Its path."""
        return str(self._root)

    @property
    def folder(self) -> Path | None:
        """It."""
        return self._root

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self._root, self._root / OBJECTS, self._root / MANIFESTS):
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def is_empty(self) -> bool:
        """True when nothing is there yet."""
        return not self._root.is_dir() or not any(self._root.iterdir())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes here meanwhile.

        Raises:
            BackupPlaceError: somebody does.
        """
        handle = os.open(self._root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupPlaceError(
                    f"another backup to {self._root} is under way; try again when it is done"
                ) from None
            yield
        finally:
            os.close(handle)

    def has(self, name: str) -> bool:
        """True when it is there; it is not read."""
        return (self._root / name).is_file()

    def opened(self, name: str) -> BinaryIO:
        """The file to read."""
        return (self._root / name).open("rb")

    def keep(self, pieces: Iterable[bytes], named: Callable[[], str], verify: Verify) -> bool:
        """Keep the pieces under a name; False where it was there."""
        temporary = self._written(pieces)
        try:
            target = self._root / named()
            with temporary.open("rb") as file:
                verify(file)
            if target.is_file():
                return False
            _made(target.parent)
            temporary.rename(target)
            _flush(target.parent)
            return True
        finally:
            temporary.unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Names of the files right in a folder, in order."""
        return sorted(path.name for path in (self._root / folder).glob("*"))

    def remove(self, name: str) -> None:
        """Remove a file that is there."""
        (self._root / name).unlink()
        _flush((self._root / name).parent)

    def sweep(self, kept: Collection[str]) -> int:
        """Remove contents whose name alone is not among `kept`, and what was cut off; bytes freed."""
        freed = 0
        for path in [*(self._root / OBJECTS).glob("??/*"), *self._root.glob(f"{INCOMING}*")]:
            if path.name not in kept:
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _written(self, pieces: Iterable[bytes]) -> Path:
        temporary = self._root / f"{INCOMING}{secrets.token_hex(8)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                if hasattr(os, "posix_fadvise"):  # so that it is read back from the disk, not from memory
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary


def _made(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        _flush(folder.parent)


def _flush(folder: Path) -> None:
    """Make new names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

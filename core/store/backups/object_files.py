"""The files of a place of backups in an object store."""

import json
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from core.domain.errors import BackupPlaceError
from core.store.backups.files import LOCK, OBJECTS, Verify
from core.store.objects import ObjectMissingError, Objects, ObjectStoreError

#: A lock is renewed each minute; one that was not for so long is of a backup that was killed.
RENEWED_S, STALE_S = 60.0, 15 * 60.0


class ObjectFiles:
    """Files as objects below a URL.

    Content is gathered in a temporary file of this machine first, since its digest is its name, then sent as
    one object, fetched again and compared; what comes back as something else is removed. The lock is an
    object that is made only where there is none.

    Args:
        objects: below the URL.
        stale_s: seconds after which a lock that nobody renewed counts no more.
    """

    def __init__(self, objects: Objects, *, stale_s: float = STALE_S) -> None:
        self._objects = objects
        self._stale_s = stale_s
        self._contents: set[str] | None = None  # names of all, listed once while nobody else writes

    @property
    def where(self) -> str:
        """Its URL."""
        return self._objects.url

    @property
    def folder(self) -> Path | None:
        """None: it is no folder."""
        return None

    def prepare(self) -> None:
        """Nothing: an object store has no folders to make."""

    def is_empty(self) -> bool:
        """True when nothing is there yet."""
        return next(self._objects.entries(), None) is None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes here meanwhile.

        Raises:
            BackupPlaceError: somebody does.
        """
        mark = secrets.token_hex(8)
        if not self._objects.create(LOCK, _lock_text(mark)):
            self._take_over()
            if not self._objects.create(LOCK, _lock_text(mark)):
                raise self._taken()
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(ended, mark), daemon=True)
        renewing.start()
        try:
            self._contents = {entry.name for entry in self._objects.entries(OBJECTS)}
            yield
        finally:
            self._contents = None
            ended.set()
            renewing.join()
            with suppress(ObjectStoreError):  # then it counts no more after a quarter of an hour
                if self._holder().get("mark") == mark:
                    self._objects.remove(LOCK)

    def has(self, name: str) -> bool:
        """True when it is there; it is not read."""
        if self._contents is not None and name.startswith(f"{OBJECTS}/"):
            return name in self._contents  # one listing in place of a request for each film
        return self._objects.has(name)

    def opened(self, name: str) -> BinaryIO:
        """The object to read."""
        try:
            return self._objects.opened(name)
        except ObjectMissingError as error:
            raise FileNotFoundError(str(error)) from error

    def keep(self, pieces: Iterable[bytes], named: Callable[[], str], verify: Verify) -> bool:
        """Keep the pieces under a name; False where it was there."""
        handle, path = tempfile.mkstemp(prefix="radikal-backup-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            name = named()
            if self.has(name):
                return False
            self._objects.write_file(name, Path(path))
            try:
                with self._objects.opened(name) as written:
                    verify(written)
            except BaseException:
                with suppress(ObjectStoreError):
                    self._objects.remove(name)
                raise
            if self._contents is not None:
                self._contents.add(name)
            return True
        finally:
            Path(path).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Names of the objects right in a folder, in order."""
        found = (entry.name.removeprefix(f"{folder}/") for entry in self._objects.entries(folder))
        return [name for name in found if "/" not in name]

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._objects.remove(name)
        if self._contents is not None:
            self._contents.discard(name)

    def sweep(self, kept: Collection[str]) -> int:
        """Remove contents whose name alone is not among `kept`; bytes freed."""
        freed = 0
        for entry in self._objects.entries(OBJECTS):
            if entry.name.rpartition("/")[2] not in kept:
                self.remove(entry.name)
                freed += entry.n_bytes
        return freed

    def _renew(self, ended: threading.Event, mark: str) -> None:
        while not ended.wait(RENEWED_S):
            with suppress(ObjectStoreError):  # the next time does it, or it counts no more
                self._objects.write(LOCK, _lock_text(mark))

    def _take_over(self) -> None:
        """Remove the lock of a backup that was killed.

        Raises:
            BackupPlaceError: its holder renewed it lately.
        """
        entry = self._objects.entry(LOCK)
        if entry is None:
            return
        if (datetime.now(UTC) - entry.written_at).total_seconds() < self._stale_s:
            raise self._taken()
        self._objects.remove(LOCK)

    def _taken(self) -> BackupPlaceError:
        holder = self._holder()
        told = f" by {holder['host']}, process {holder['process']}" if "host" in holder else ""
        return BackupPlaceError(
            f"another backup to {self.where} is under way{told}; try again when it is done. One that was "
            f"killed counts no more after {self._stale_s / 60:.0f} minutes"
        )

    def _holder(self) -> dict[str, str]:
        try:
            content = json.loads(self._objects.read(LOCK))
        except (ObjectMissingError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _lock_text(mark: str) -> bytes:
    holder = {"mark": mark, "host": socket.gethostname(), "process": str(os.getpid())}
    return json.dumps(holder).encode("utf-8")

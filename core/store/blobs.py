"""Original bytes by their sha256, on disk; what is there is whole."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from core.domain.errors import WorkbenchError
from core.domain.storage import StorageError, storage_problem

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".incoming-"
#: No write of one file takes as long.
_STALE_S = 3600.0


class BlobNotFoundError(WorkbenchError):
    """No bytes are stored under this digest."""


class BlobDamagedError(WorkbenchError):
    """The stored bytes no longer have the digest they are stored under."""


class Blobs(Protocol):
    """Keeps original bytes by their sha256: in a folder (`BlobStore`), or in an object store."""

    def put(self, data: bytes) -> str:
        """The hex digest that `data` is now stored under; on the disk or in the object store for good.

        Raises:
            StorageError: it could not be stored; nothing was.
        """

    def get(self, sha256: str) -> bytes:
        """The bytes stored under `sha256`, verified.

        Raises:
            BlobNotFoundError: nothing is stored under this digest.
            BlobDamagedError: what is stored has another digest.
        """

    def place(self, sha256: str, target: Path, *, is_linked: bool) -> None:
        """Make `target`, which is not there, the bytes; a link where wanted and possible."""

    def sweep(self, *, older_than_s: float = ...) -> int:
        """Remove what a killed process left half written; returns the number."""

    def digests(self, *, older_than_s: float = ...) -> Iterator[str]:
        """The digests of what is stored and was not handed in again for so many seconds."""

    def remove(self, sha256: str) -> None:
        """Remove what is stored under `sha256`; only while nobody can add a row that points to it."""

    def has(self, sha256: str) -> bool:
        """True when bytes are stored under `sha256`; they are not verified."""

    def is_whole(self, sha256: str) -> bool:
        """True when the stored bytes have the digest that they are stored under.

        Raises:
            BlobNotFoundError: nothing is stored under it.
        """


def digest_of(name: str) -> str | None:
    """The digest at the end of the name of a blob; None where it ends with none."""
    last = name.rpartition("/")[2]
    return last if _DIGEST.fullmatch(last) else None


class BlobStore:
    """A folder of files named by their sha256, in 256 subfolders of the first two digits.

    A blob is written to a temporary file, flushed to the disk, then renamed; so a name exists only with
    all of its bytes, whenever the process or the machine stops.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """The hex digest that `data` is now stored under. Storing the same bytes again writes nothing.

        Raises:
            StorageError: the disk is full or not writable; nothing was stored.
        """
        try:
            return self._put(data)
        except OSError as error:
            if (problem := storage_problem(error)) is None:
                raise
            raise StorageError(problem) from error

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if self._holds(path, data):
            self._flush_names(path)  # another thread may have written it and not yet come that far
            return sha256
        is_first = not self._root.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
        self._flush_names(path)
        if is_first:
            _flush_folder(self._root.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes stored under `sha256`, verified.

        Raises:
            BlobNotFoundError: nothing is stored under this digest.
            BlobDamagedError: what is stored has another digest.
        """
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored") from None
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise BlobDamagedError(
                f"the stored image {sha256[:12]} is damaged (its digest is now {found[:12]}); "
                "hand in the original again or restore a backup"
            )
        return data

    def sweep(self, *, older_than_s: float = _STALE_S) -> int:
        """Remove temporary files that a killed process left behind; returns their number.

        Args:
            older_than_s: age in seconds; younger ones may still be written by another process.
        """
        removed = 0
        for path in self._old(f"??/{_TEMPORARY}*", older_than_s):
            with contextlib.suppress(FileNotFoundError):  # its writer, or another sweep, was faster
                path.unlink()
                removed += 1
        return removed

    def digests(self, *, older_than_s: float = 0.0) -> Iterator[str]:
        """The digests of what is stored and was not handed in again for so many seconds; in no order."""
        for path in self._old("??/*", older_than_s):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def remove(self, sha256: str) -> None:
        """Remove what is stored under `sha256`; does nothing when there is nothing.

        Only for bytes that no row points to, and only while nobody can add such a row.

        Raises:
            BlobNotFoundError: `sha256` is no digest.
        """
        self.path(sha256).unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        """True when bytes are stored under `sha256`; they are not verified."""
        return self.path(sha256).is_file()

    def is_whole(self, sha256: str) -> bool:
        """True when the stored bytes have the digest that they are stored under; read a piece at a time.

        Raises:
            BlobNotFoundError: nothing is stored under it.
            OSError: it cannot be read.
        """
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored") from None

    def place(self, sha256: str, target: Path, *, is_linked: bool) -> None:
        """Make `target` the bytes, or a link to them."""
        if is_linked:
            target.symlink_to(self.path(sha256).resolve())
        else:
            shutil.copyfile(self.path(sha256), target)

    def touch(self, sha256: str) -> None:
        """Let the file look as young as a new one; does nothing when there is none."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.path(sha256))

    def path(self, sha256: str) -> Path:
        """Path of the bytes of `sha256`, whether they exist or not.

        Raises:
            BlobNotFoundError: not 64 lower-case hex digits, so never the name of a blob.
        """
        if not _DIGEST.fullmatch(sha256):
            raise BlobNotFoundError("expected 64 lower-case hex digits as the name of an image")
        return self._root / sha256[:2] / sha256

    def _old(self, pattern: str, older_than_s: float) -> Iterator[Path]:
        limit = time.time() - older_than_s
        for path in self._root.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= limit:
                    yield path

    def _flush_names(self, path: Path) -> None:
        _flush_folder(path.parent)
        _flush_folder(self._root)

    @staticmethod
    def _holds(path: Path, data: bytes) -> bool:
        """True when the file is there and whole, and as young as a new one; a damaged one is written anew."""
        try:
            if path.stat().st_size != len(data) or path.read_bytes() != data:
                return False
            os.utime(path)
        except FileNotFoundError:  # never there, or swept just now
            return False
        return True


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; a no-op where folders cannot be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

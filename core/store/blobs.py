"""Original bytes by their sha256, on disk; what is there is whole."""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

from core.domain.errors import WorkbenchError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BlobNotFoundError(WorkbenchError):
    """No bytes are stored under this digest."""


class BlobDamagedError(WorkbenchError):
    """The stored bytes no longer have the digest they are stored under."""


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
            OSError: the disk is full or not writable; nothing was stored.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        if self._holds(path, data):
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
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
        _flush_folder(path.parent)
        _flush_folder(self._root)
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

    def has(self, sha256: str) -> bool:
        """True when bytes are stored under `sha256`; they are not verified."""
        return self.path(sha256).is_file()

    def path(self, sha256: str) -> Path:
        """Where the bytes of `sha256` lie or would lie.

        Raises:
            BlobNotFoundError: not 64 lower-case hex digits, so never the name of a blob.
        """
        if not _DIGEST.fullmatch(sha256):
            raise BlobNotFoundError("expected 64 lower-case hex digits as the name of an image")
        return self._root / sha256[:2] / sha256

    @staticmethod
    def _holds(path: Path, data: bytes) -> bool:
        """True when the file is there and whole; a damaged one is written anew."""
        return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _flush_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut; a no-op where folders cannot be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

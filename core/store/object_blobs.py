"""Original bytes by their sha256 in an object store, with copies of the latest in a bounded folder here."""

import contextlib
import hashlib
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from core.domain.storage import StorageError
from core.store.blobs import BlobDamagedError, BlobNotFoundError, BlobStore, digest_of
from core.store.clock import now_utc
from core.store.objects import ObjectMissingError, Objects, ObjectStoreError

log = logging.getLogger(__name__)
#: Folder of the copies in the data folder.
CACHE = "originals-cache"
#: Share of the bound that the folder is brought to when it is full, and that is added between two looks.
_KEPT_SHARE, _LOOK_SHARE = 0.9, 0.05


class ObjectBlobs:
    """Objects named by their sha256, below the first two digits of it. Safe to share between threads.

    A film is acknowledged when it was sent, fetched again and compared: whatever happens to this machine
    then, the object store has it. What is read is compared, too. The folder here only saves the way.

    Args:
        objects: below the URL of the originals.
        cache: folder for copies, which may be emptied at any time.
        cache_bytes: that the copies may take; somewhat more for a while where several processes share it.
    """

    def __init__(self, objects: Objects, cache: Path, *, cache_bytes: int) -> None:
        self._objects = objects
        self._folder = cache
        self._cache = BlobStore(cache)
        self._cache_bytes = cache_bytes
        self._unlooked_bytes = cache_bytes  # so that the first copy looks
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """The hex digest that `data` is now stored under, whether it was there before or not.

        Raises:
            ObjectStoreError: the object store did not take it, or gave back something else.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        name = _name(sha256)
        self._objects.write(name, data)  # also where it is there: then it is young for a sweep, and whole
        if hashlib.sha256(self._objects.read(name)).hexdigest() != sha256:
            with contextlib.suppress(ObjectStoreError):
                self._objects.remove(name)
            raise ObjectStoreError(
                f"{self._objects.url}: what was written reads back as something else; nothing was stored. "
                "Please tell an administrator: the object store is failing"
            )
        self._keep(data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes stored under `sha256`, verified.

        Raises:
            BlobNotFoundError: nothing is stored under this digest.
            BlobDamagedError: what is stored has another digest.
            ObjectStoreError: the object store is away, and there is no copy here.
        """
        with contextlib.suppress(BlobNotFoundError, BlobDamagedError, OSError):
            data = self._cache.get(sha256)
            self._cache.touch(sha256)
            return data
        try:
            data = self._objects.read(_name(sha256))
        except ObjectMissingError:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored") from None
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise BlobDamagedError(
                f"the stored image {sha256[:12]} is damaged (its digest is now {found[:12]}); "
                "hand in the original again or restore a backup"
            )
        self._keep(data)
        return data

    def place(self, sha256: str, target: Path, *, is_linked: bool) -> None:
        """Make `target` a copy of the bytes; never a link: copies here may go at any time."""
        target.write_bytes(self.get(sha256))

    def sweep(self, *, older_than_s: float = 3600.0) -> int:
        """Remove half-written copies of this machine; the object store holds nothing that is half written."""
        return self._cache.sweep(older_than_s=older_than_s)

    def digests(self, *, older_than_s: float = 0.0) -> Iterator[str]:
        """The digests of what is stored and was not handed in again for so many seconds; in their order."""
        limit = now_utc() - timedelta(seconds=older_than_s)
        for entry in self._objects.entries():
            if (sha256 := digest_of(entry.name)) is not None and entry.written_at <= limit:
                yield sha256

    def sizes(self) -> dict[str, int]:
        """The size of everything that is stored, by its digest."""
        found = ((digest_of(entry.name), entry.n_bytes) for entry in self._objects.entries())
        return {sha256: n_bytes for sha256, n_bytes in found if sha256 is not None}

    def remove(self, sha256: str) -> None:
        """Remove what is stored under `sha256`, and its copy; does nothing when there is nothing."""
        self._objects.remove(_name(sha256))
        self._cache.remove(sha256)

    def has(self, sha256: str) -> bool:
        """True when bytes are stored under `sha256`; the object store is asked, whatever lies here."""
        return self._objects.has(_name(sha256))

    def is_whole(self, sha256: str) -> bool:
        """True when the stored bytes have the digest that they are stored under; copies here do not count.

        Raises:
            BlobNotFoundError: nothing is stored under it.
            ObjectStoreError: the object store is away.
        """
        try:
            return hashlib.sha256(self._objects.read(_name(sha256))).hexdigest() == sha256
        except ObjectMissingError:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored") from None

    def problem(self, known: str | None) -> str | None:
        """Why originals cannot be found there; None when they can.

        Args:
            known: digest of a film that the database knows; None where it knows none.

        Raises:
            ObjectStoreError: the object store is away.
        """
        if self._objects.has(".reachable" if known is None else _name(known)) or known is None:
            return None
        return _OTHER_PLACE.format(url=self._objects.url)

    def _keep(self, data: bytes) -> None:
        """Copy to the folder here; without room it goes without."""
        try:
            self._cache.put(data)
        except (StorageError, OSError) as error:
            log.warning("no copy of an original was kept in %s: %s", self._folder, error)
            return
        with self._lock:
            self._unlooked_bytes += len(data)
            if self._unlooked_bytes < _LOOK_SHARE * self._cache_bytes:
                return
            self._unlooked_bytes = 0
            self._evict()

    def _evict(self) -> None:
        """Remove the copies that were not used for longest when all take more than they may."""
        found = []
        for path in self._folder.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= self._cache_bytes:
            return
        for _, size, path in sorted(found):
            path.unlink(missing_ok=True)
            total -= size
            if total <= _KEPT_SHARE * self._cache_bytes:
                return


def _name(sha256: str) -> str:
    if digest_of(sha256) is None:
        raise BlobNotFoundError("expected 64 lower-case hex digits as the name of an image")
    return f"{sha256[:2]}/{sha256}"


_OTHER_PLACE = (
    "ORIGINALS_URL: {url} does not hold the films that the database knows; nothing was changed. Is it the "
    "right bucket? Films that lie in DATA_DIR are moved there by `radikal originals move`"
)

"""Files that browsers handed in: on disk, counted before they arrive, gone when nobody needs them."""

import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO, Any, cast

from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.shared.resources import Resources, resources
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, UnreadableImageError
from core.imaging.uploads import IncomingFile
from core.services.demo_workspaces import GUEST_BYTES

MIB = 2**20
#: Guests behind one address together.
_GUESTS_BYTES = 4 * GUEST_BYTES
#: Stays free on the disk, for the records of everybody else.
_RESERVE_BYTES = 1024 * MIB
_NEXT_STEP = "Hand in fewer at once, and the rest when these are taken"


class UploadsFullError(BadInputError):
    """More is waiting already than may wait for one person, one address or on this disk."""


class DiskNearlyFullError(UploadsFullError):
    """What stays free on the disk would not."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bytes that may wait to be taken.

    Attributes:
        person, address: of an account, and of one client address.
        guest, guests: of a guest of the demo, and of all guests behind one address.
        reserve: that stay free on the disk.
    """

    person: int
    address: int
    guest: int = GUEST_BYTES
    guests: int = _GUESTS_BYTES
    reserve: int = _RESERVE_BYTES


class _Opened(FileIO):
    """An open file that keeps the object behind it."""

    def __init__(self, path: Path, held: "HeldFile") -> None:
        super().__init__(path, "rb")
        self._held = held


class HeldFile:
    """A file on disk, which lives exactly as long as this object.

    Attributes:
        size: of the room that it takes in what may wait, bytes.
        name, media_type: as the browser says; empty until it has come.
    """

    def __init__(self, path: Path, size: int, release: Callable[[], None]) -> None:
        self.size = size
        self.name = ""
        self.media_type = ""
        self._path = path
        self._end = weakref.finalize(self, _end_of, path, release)

    def open_to_write(self) -> IO[bytes]:
        """The empty file."""
        return self._path.open("wb")

    def open(self) -> IO[bytes]:
        """The file to be read; it keeps this object.

        Raises:
            UnreadableImageError: it is gone.
        """
        try:
            return cast("IO[bytes]", _Opened(self._path, self))
        except OSError as error:
            raise UnreadableImageError("the file that was handed in is gone: hand it in again") from error

    def read(self) -> bytes:
        """The whole content; raises as `open`."""
        with self.open() as file:
            return file.read()

    def discard(self) -> None:
        """End it now."""
        self._end()


class UploadStore:
    """Files that lie in the choosers of pages. Safe to share between threads.

    Room for a file is taken before it comes and given back when its `HeldFile` ends: when its page or its
    guest is gone, or whoever took it out of the chooser has read it.

    Args:
        folder: holds one folder a process; what a dead one left is removed.
        limits: of what may wait.
        free_bytes: of the disk.
    """

    def __init__(
        self,
        folder: Path,
        limits: UploadLimits,
        *,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, descriptor = _own_folder(folder)
        self._unlock = weakref.finalize(self, os.close, descriptor)
        self._limits = limits
        self._free_bytes = free_bytes
        self._held: Counter[tuple[str, str]] = Counter()
        self._files: defaultdict[str, dict[str, HeldFile]] = defaultdict(dict)
        self._owners: dict[str, str] = {}
        self._lock = threading.RLock()

    def expect(self, identity: Identity, address: str, size: int) -> HeldFile:
        """An empty file with room for `size` bytes; without an `address` only the person counts.

        Raises:
            UploadsFullError: too much of this person or address is waiting.
            DiskNearlyFullError: it would leave too little room for the records of everybody.
        """
        keys = self._take_room(identity, address, size)
        handle, name = tempfile.mkstemp(dir=self._folder)
        os.close(handle)
        return HeldFile(Path(name), size, lambda: self._give_back(keys, size))

    def hold(self, identity: Identity, data: bytes) -> Callable[[], bytes]:
        """Put away bytes out of a file of this person, and give what reads them; raises as `expect`."""
        file = self.expect(identity, identity.address or "", len(data))
        with file.open_to_write() as target:
            target.write(data)
        return file.read

    def keep(self, session_id: str, file_id: str, owner: str, file: HeldFile) -> None:
        """Put it into the chooser of a page; `owner` is whose page it is."""
        with self._lock:
            self._files[session_id][file_id] = file
            self._owners[session_id] = owner

    def find(self, session_id: str, file_id: str) -> HeldFile | None:
        """The file in the chooser of this page."""
        with self._lock:
            return self._files.get(session_id, {}).get(file_id)

    def take(self, session_id: str, file_id: str) -> HeldFile | None:
        """The file, which lies in the chooser no more; None when there is none."""
        with self._lock:
            file = self._files.get(session_id, {}).pop(file_id, None)
            if not self._files.get(session_id):
                self.drop(session_id)
            return file

    def drop(self, session_id: str) -> None:
        """Forget all files of this page that were not taken."""
        with self._lock:
            self._files.pop(session_id, None)
            self._owners.pop(session_id, None)

    def forget(self, visitor: str) -> None:
        """Forget all files of the pages of a guest who left."""
        with self._lock:
            for session_id in [one for one, owner in self._owners.items() if owner == visitor]:
                self.drop(session_id)

    def sessions(self) -> list[str]:
        """The pages with files in their choosers."""
        with self._lock:
            return list(self._files)

    def n_bytes(self, kind: str, key: str) -> int:
        """Room that is taken by a "person" or an "address"."""
        with self._lock:
            return self._held[kind, key]

    def close(self) -> None:
        """Remove everything; nothing happens the second time."""
        with self._lock:
            self._files.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._unlock()

    def _take_room(self, identity: Identity, address: str, size: int) -> tuple[tuple[str, str], ...]:
        limits = self._limits
        whose = ("person", identity.user_id), limits.guest if identity.is_guest else limits.person
        bounds = [whose, *([(("address", address), limits.address)] if address else [])]
        if identity.is_guest and address:
            bounds.append((("guests", address), limits.guests))
        with self._lock:
            for key, most in bounds:
                if self._held[key] + size > most:
                    who = "of you" if key[0] == "person" else "from your network"
                    raise UploadsFullError(
                        f"with it {-(-(self._held[key] + size) // MIB)} MB {who} would be waiting to be "
                        f"taken, and at most {most // MIB} MB may. {_NEXT_STEP}"
                    )
            if self._free_bytes(self._folder) - size < limits.reserve:
                raise DiskNearlyFullError("the server's disk is nearly full: tell an administrator")
            for key, _ in bounds:
                self._held[key] += size
        return tuple(key for key, _ in bounds)

    def _give_back(self, keys: Sequence[tuple[str, str]], size: int) -> None:
        with self._lock:
            for key in keys:
                self._held[key] -= size
                if not self._held[key]:
                    del self._held[key]


def uploads() -> UploadStore:
    """The files that were handed in to this process."""
    return resources().part(upload_store)


def taken(file: Any) -> IncomingFile:
    """A file of a chooser, taken out of it; it ends with the last reference to what comes back.

    Args:
        file: from `st.file_uploader`. Its own bytes are there only where Streamlit itself took it in, as in
            its tests of pages; see `app.web.uploaded_files`.
    """
    context = get_script_run_ctx()
    held = uploads().take(context.session_id, file.file_id) if context else None
    if held is None:
        return IncomingFile(file.name, file.getvalue)
    return IncomingFile(file.name, held.read, open=held.open)


def lying(file: Any) -> IncomingFile:
    """A file of a chooser, which stays in it: for what may be refused and tried again; see `taken`."""
    context = get_script_run_ctx()
    held = uploads().find(context.session_id, file.file_id) if context else None
    if held is None:
        return IncomingFile(file.name, file.getvalue)
    return IncomingFile(file.name, held.read, open=held.open)


def upload_store(held: Resources) -> UploadStore:
    """The store of files that were handed in, for `Resources.part`."""
    settings = held.services.settings
    limits = UploadLimits(
        person=settings.uploads_waiting_mb * MIB, address=settings.uploads_waiting_per_address_mb * MIB
    )
    return UploadStore(held.services.data_dir / "uploads", limits)


def _end_of(path: Path, release: Callable[[], None]) -> None:
    path.unlink(missing_ok=True)
    release()


def _own_folder(folder: Path) -> tuple[Path, int]:
    """A new folder of this process and the lock on it; folders that nobody holds any more are removed."""
    for left in folder.iterdir():
        if left.is_dir() and (lock := _locked(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    own = Path(tempfile.mkdtemp(dir=folder))
    lock = _locked(own)
    assert lock is not None
    return own, lock


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the lock on this folder while it is open; None when another process has it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle

"""The files of a ZIP archive, one at a time; their names, sizes and kinds are not trusted.

Nothing is written to disk, and an archive that lies on disk is read from there. Sizes in the archive's list
of contents are ignored, unpacked bytes are counted.
An archive inside an archive is given to the reader as it is, which refuses it.
"""

import stat
import threading
import unicodedata
import weakref
import zipfile
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import IO, cast

from core.domain.errors import UnreadableImageError
from core.imaging.damage import CODEC_ERRORS
from core.imaging.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_DIRECTORY_BYTES,
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    most_unpacked,
)
from core.imaging.names import clean_name, distinct_names, one_printable_line

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_STEP = 2**20
_ENCRYPTED = 0x1
_REASON_LENGTH = 120
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SYSTEM_FILES = frozenset((".ds_store", "thumbs.db", "desktop.ini"))
_SYSTEM_FOLDERS = frozenset(("__macosx",))
#: Names that tell documents and packages of programs from archives.
_PACKAGES = {
    "[content_types].xml": "an Office document",
    "mimetype": "an OpenDocument or EPUB document",
    "meta-inf/manifest.mf": "a Java program",
    "androidmanifest.xml": "an Android program",
}
_ZIP_ERRORS: tuple[type[Exception], ...] = (*CODEC_ERRORS, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    Attributes:
        index: names it within its archive.
        name: fit to be shown, without its folders unless they tell files of one name apart.
        problem: the reason to refuse it unread, one line; empty when it may be read.
    """

    index: int
    name: str
    problem: str = ""


def is_archive(data: bytes) -> bool:
    """True when the content begins like a ZIP archive, whatever its name."""
    return data.startswith(_STARTS)


class Archive:
    """An opened ZIP archive. Members may be read from several threads; the bytes are counted together."""

    def __init__(self, source: bytes | IO[bytes], name: str) -> None:
        """The archive, its list of contents read and checked.

        Args:
            source: its bytes, or the file that has them, which is closed when nobody needs the archive.
            name: for messages.

        Raises:
            UnreadableImageError: damaged, empty, of too many files, or a document or a program.
        """
        file = BytesIO(source) if isinstance(source, bytes) else source
        weakref.finalize(self, file.close)
        self._n_packed = file.seek(0, SEEK_END)
        self._n_most = min(MAX_ARCHIVE_BYTES, most_unpacked(self._n_packed))
        self._n_left = self._n_most
        self._lock = threading.Lock()
        try:
            self._zip = _open(file, self._n_packed)
            self._entries = tuple(
                e for e in self._zip.infolist() if not (e.is_dir() or is_system_file(e.filename))
            )
            _check_contents(self._zip.infolist(), self._entries)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"{error} ({clean_name(name)})") from error
        self.members = _members(self._entries)

    def read(self, member: Member) -> bytes:
        """The whole content of a member.

        Raises:
            UnreadableImageError: refused, damaged, or more comes out than the limits allow.
        """
        if member.problem:
            raise UnreadableImageError(member.problem)
        blocks, n_bytes = [], 0
        try:
            with self._zip.open(self._entries[member.index]) as file:
                while block := file.read(_STEP):
                    n_bytes += len(block)
                    self._count(len(block), n_bytes)
                    blocks.append(block)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"{error} ({member.name})") from error
        except _ZIP_ERRORS as error:
            raise UnreadableImageError(
                f"expected an intact file in the archive, got a damaged one: {_reason(error)} ({member.name})"
            ) from error
        return b"".join(blocks)

    def _count(self, n_block: int, n_member: int) -> None:
        """Count a block of unpacked bytes, of a member that takes `n_member` so far."""
        if n_member > MAX_FILE_BYTES:
            raise UnreadableImageError(f"expected a file of at most {MAX_FILE_BYTES // 2**20} MiB, got more")
        with self._lock:
            self._n_left -= n_block
            if self._n_left < 0:
                raise UnreadableImageError(
                    f"expected an archive of radiographs, got {self._n_packed} bytes "
                    f"that unpack to more than {self._n_most // 2**20} MiB together"
                )


class _ShortReads:
    """A file of which only little may be read at once while the list of contents is loaded.

    Args:
        file: holds the archive.
        size: of it, bytes.
    """

    n_most: int | None = MAX_DIRECTORY_BYTES

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes; ValueError when that is more than the list may take."""
        n_wanted = self._size - self.tell() if size is None or size < 0 else size
        if self.n_most is not None and n_wanted > self.n_most:
            raise ValueError(f"its list of contents takes {n_wanted} bytes")
        return self._file.read(n_wanted)


def _open(source: IO[bytes], size: int) -> zipfile.ZipFile:
    file = _ShortReads(source, size)
    try:
        opened = zipfile.ZipFile(cast("IO[bytes]", file))
    except _ZIP_ERRORS as error:
        raise UnreadableImageError(
            f"expected an intact ZIP archive, got a truncated or damaged one: {_reason(error)}"
        ) from error
    file.n_most = None
    return opened


def _reason(error: Exception) -> str:
    return one_printable_line(str(error), _REASON_LENGTH) or type(error).__name__


def _check_contents(all_entries: list[zipfile.ZipInfo], entries: tuple[zipfile.ZipInfo, ...]) -> None:
    for entry in all_entries:
        if package := _PACKAGES.get(entry.filename.lower()):
            raise UnreadableImageError(f"expected a ZIP archive of radiographs, got {package}")
    if not entries:
        raise UnreadableImageError("expected a ZIP archive of radiographs, got one without files")
    if len(entries) > MAX_MEMBERS:
        raise UnreadableImageError(
            f"expected a ZIP archive of at most {MAX_MEMBERS} files, got {len(entries)}"
        )


def is_system_file(path: str) -> bool:
    """True for files that desktops leave in folders and archives without being asked."""
    *folders, last = path.lower().split("/")
    if any(folder in _SYSTEM_FOLDERS for folder in folders):
        return True
    return last in _SYSTEM_FILES or last.startswith("._")


def _members(entries: tuple[zipfile.ZipInfo, ...]) -> tuple[Member, ...]:
    members, seen = [], set[str]()
    for index, (entry, name) in enumerate(
        zip(entries, distinct_names([e.filename for e in entries]), strict=True)
    ):
        same = unicodedata.normalize("NFKC", entry.filename).casefold()
        problem = _problem(entry) or ("the archive holds two files of this name" if same in seen else "")
        seen.add(same)
        members.append(Member(index, name, f"{problem} ({name})" if problem else ""))
    return tuple(members)


def _problem(entry: zipfile.ZipInfo) -> str:
    """The reason to refuse an entry by the list of contents; empty without one."""
    path = entry.orig_filename.replace("\\", "/")
    if "\0" in path or path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
        return "expected a file inside the archive, got a name that leads out of it"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        return f"expected a plain file in the archive, got {what}"
    if entry.flag_bits & _ENCRYPTED:
        return "expected a file that can be read without a password, got an encrypted one"
    if entry.compress_type not in _METHODS:
        return f"expected a stored or deflated file in the archive, got method {entry.compress_type}"
    return ""

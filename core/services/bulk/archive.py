"""An archive of radiographs of any size: a folder, or objects below a URL of an object store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.domain.errors import BadInputError
from core.imaging.archive import is_system_file
from core.imaging.read import read_file
from core.imaging.uploads import files_below
from core.store.objects import Objects


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file as the archive lists it.

    Attributes:
        name: below the archive, with slashes.
        stamp: changes when the file does: its size and when it was written.
    """

    name: str
    stamp: str


class Archive(Protocol):
    """Lists and reads files; each worker opens one of its own."""

    def files(self) -> tuple[ArchiveFile, ...]:
        """Every file, in the order of their names; none is read."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            WorkbenchError: it is not there, too large, or the place does not answer.
            OSError: of a folder.
        """
        ...


def open_archive(place: str) -> Archive:
    """The archive at `place`: a folder, or a URL such as `s3://bucket/folder`.

    Raises:
        BadInputError: there is no such folder.
        ConfigurationError: the scheme of the URL is unknown, or needs packages that are not installed.
    """
    return _InStore(Objects(place, "PLACE")) if "://" in place else _InFolder(Path(place))


class _InFolder:
    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInputError(f"expected a folder or a URL of radiographs, got {str(folder)!r}")
        self._folder = folder

    def files(self) -> tuple[ArchiveFile, ...]:
        return tuple(self._file(path) for path in files_below(self._folder))

    def read(self, name: str) -> bytes:
        return read_file(self._folder / name)

    def _file(self, path: Path) -> ArchiveFile:
        found = path.stat()
        return ArchiveFile(path.relative_to(self._folder).as_posix(), f"{found.st_size} {found.st_mtime_ns}")


class _InStore:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def files(self) -> tuple[ArchiveFile, ...]:
        found = (entry for entry in self._objects.entries() if not is_system_file(entry.name))
        listed = tuple(ArchiveFile(one.name, f"{one.n_bytes} {one.written_at.isoformat()}") for one in found)
        if not listed:
            raise BadInputError(f"expected radiographs below {self._objects.url}, got no object")
        return listed

    def read(self, name: str) -> bytes:
        return self._objects.read(name)

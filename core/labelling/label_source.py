"""What was handed in as labels: one file, or the members of a ZIP archive; nothing is written to disk."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from core.domain.errors import DatasetError
from core.imaging.archive import is_system_file
from core.imaging.limits import MAX_FILE_BYTES

#: A file of annotations is read whole; more than this is no file of labels.
LARGEST_TEXT_BYTES = 256 * 2**20
MOST_MEMBERS = 200_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file.

    Attributes:
        path: within the archive, with slashes; the name alone for a file by itself.
        n_bytes: its size, as it is said to be.
        read: its bytes; raises DatasetError where they are damaged or more than a file may hold.
    """

    path: str
    n_bytes: int
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    @property
    def suffix(self) -> str:
        """Of the name, in lower case, with its dot."""
        return PurePosixPath(self.path).suffix.casefold()


@contextmanager
def opened(source: IO[bytes], name: str) -> Iterator[tuple[SourceFile, ...]]:
    """The files in what was handed in, readable until the end of the context.

    Args:
        source: a ZIP archive or one file; seekable.
        name: of it.

    Raises:
        DatasetError: an archive that cannot be read, or of too many files; a file that is too large.
    """
    if not zipfile.is_zipfile(source):
        source.seek(0)
        data = source.read(LARGEST_TEXT_BYTES + 1)
        if len(data) > LARGEST_TEXT_BYTES:
            raise DatasetError(f"{name}: larger than {LARGEST_TEXT_BYTES // 2**20} MB")
        yield (SourceFile(name, len(data), lambda: data),)
        return
    source.seek(0)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DatasetError(f"{name}: the ZIP file cannot be read: {error}") from error
    with archive:
        members = [one for one in archive.infolist() if not (one.is_dir() or is_system_file(one.filename))]
        if len(members) > MOST_MEMBERS:
            raise DatasetError(f"{name}: expected at most {MOST_MEMBERS} files in it, got {len(members)}")
        yield tuple(
            SourceFile(one.filename.replace("\\", "/"), one.file_size, partial(_read, archive, one))
            for one in members
        )


def _read(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    most = max(MAX_FILE_BYTES, LARGEST_TEXT_BYTES)
    try:
        with archive.open(one) as held:
            data = held.read(most + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise DatasetError(f"{one.filename}: cannot be unpacked: {error}") from error
    if len(data) > most:
        raise DatasetError(f"{one.filename}: larger than {most // 2**20} MB")
    return data

"""Uploaded files as radiographs: archives, folders and files of several pictures taken apart."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from typing import IO

from core.domain.errors import UnreadableImageError
from core.imaging.archive import Archive, is_archive, is_system_file
from core.imaging.limits import MAX_FRAMES
from core.imaging.names import clean_name, distinct_names, name_with, told_of
from core.imaging.read import count_pictures
from core.imaging.sniff import check_preamble, format_by_name, sniff

_INDEX = "dicomdir"
_NAMED = 5
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class IncomingFile:
    """One file that should be a radiograph.

    Attributes:
        name: fit to be shown.
        read: gives the bytes of its file; raises UnreadableImageError when they cannot be had.
        frame: number of the frame in a file of several, from 1; None for a file of one picture.
        open: opens the file where it lies on disk; None where it is in memory.
    """

    name: str
    read: Callable[[], bytes]
    frame: int | None = None
    open: Callable[[], IO[bytes]] | None = None

    def opened(self) -> IO[bytes]:
        """The file to be read from its beginning; to be closed."""
        return self.open() if self.open else BytesIO(self.read())


def unpack(data: bytes, name: str) -> tuple[IncomingFile, ...]:
    """The files or frames in `data`, at least one, in their order; none of them is decompressed yet.

    A member of an archive may itself have several frames: ask `frames_in` once it was read.

    Raises:
        UnreadableImageError: an archive that is damaged, empty, or of too many files; see also `frames_in`.
    """
    return members_of(data, name) if is_archive(data) else frames_in(data, name)


def members_of(source: bytes | IO[bytes], name: str) -> tuple[IncomingFile, ...]:
    """The files in an archive, at least one, in their order; raises as `unpack`.

    Args:
        source: the bytes of the archive, or the file that has them: then it is read member by member.
        name: for messages.
    """
    archive = Archive(source, name)
    return tuple(IncomingFile(member.name, partial(archive.read, member)) for member in archive.members)


def frames_in(data: bytes, name: str) -> tuple[IncomingFile, ...]:
    """One radiograph for each frame, page or plane of a file, which they share; any other file as it is.

    Raises:
        UnreadableImageError: a file of several frames that is damaged, or of too many.
    """
    only = (IncomingFile(clean_name(name), lambda: data),)
    file_format = sniff(data)
    try:
        count = count_pictures(data)
        if count < 2 or file_format is None:
            return only
        check_preamble(data)
    except UnreadableImageError as error:
        raise UnreadableImageError(told_of(error, name)) from error
    width = len(str(count))
    return tuple(
        IncomingFile(name_with(name, f"{file_format.part} {frame:0{width}d} of {count}"), lambda: data, frame)
        for frame in range(1, count + 1)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """The radiographs among several files.

    Attributes:
        files: radiographs and archives, by their path, names told apart by their folders.
        skipped: names of the files that are neither.
        n_left_out: files beyond the most that are taken at once.
    """

    files: tuple[IncomingFile, ...]
    skipped: tuple[str, ...] = ()
    n_left_out: int = 0

    @property
    def remark(self) -> str:
        """One line on the files that were not taken, empty when all were."""
        parts = []
        if self.skipped:
            parts.append(told_skipped(self.skipped))
        if self.n_left_out:
            parts.append(
                f"Left out {self.n_left_out}: at most {MAX_FRAMES} are taken at once, hand in the rest later."
            )
        return " ".join(parts)


def told_skipped(names: Sequence[str]) -> str:
    """One sentence that names files which are no radiographs, the first of them at least."""
    count = len(names)
    more = f" and {count - _NAMED} more" if count > _NAMED else ""
    what = "file that is no radiograph" if count == 1 else "files that are no radiographs"
    return f"Skipped {count} {what}: {', '.join(names[:_NAMED])}{more}."


def files_below(folder: Path) -> tuple[Path, ...]:
    """Every plain file in `folder` and its folders, film 2 before film 10, but what systems leave there.

    Links to folders are not followed.

    Raises:
        UnreadableImageError: there is none, or the folder may not be read.
    """
    try:
        found = [path for path in folder.rglob("*") if path.is_file() and not is_system_file(str(path))]
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreadableImageError(f"expected a folder of radiographs, got {reason} ({folder})") from error
    if not found:
        raise UnreadableImageError(f"expected a folder of radiographs, got one without files ({folder})")
    return tuple(sorted(found, key=lambda path: _natural(str(path.relative_to(folder)))))


def take_folder(files: Sequence[IncomingFile]) -> Folder:
    """The radiographs among `files`, whose names are their paths, in the order of their paths.

    Content or name make a file a radiograph: a broken film.dcm is to be called broken, not skipped. Files
    that systems leave in folders never count. Where the name does not tell, a file is read, one at a time.
    """
    taken: list[IncomingFile] = []
    skipped: list[str] = []
    for file in sorted(files, key=lambda file: _natural(file.name)):
        if may_be_radiograph(file.name, file.read):
            taken.append(file)
        else:
            skipped.append(clean_name(file.name))
    kept = taken[:MAX_FRAMES]
    names = distinct_names([file.name for file in kept])
    found = tuple(replace(file, name=name) for name, file in zip(names, kept, strict=True))
    return Folder(found, tuple(skipped), len(taken) - len(kept))


def may_be_radiograph(path: str, read: Callable[[], bytes]) -> bool:
    """True when content or name say that the file is a radiograph, or an archive of some.

    It is read only where the name does not tell.
    """
    name = clean_name(path)
    if is_system_file(path) or name.lower() == _INDEX:
        return False
    if format_by_name(name) is not None:
        return True
    data = read()
    if sniff(data) is not None:
        return True
    return is_archive(data) and PurePath(name).suffix.lower() in (".zip", "")


def _natural(path: str) -> list[tuple[int, str]]:
    """Sorts film 2 before film 10, whatever the case."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in _DIGITS.split(path.casefold())]

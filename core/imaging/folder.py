"""Several files handed in at once, such as a folder: which of them may be radiographs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from core.imaging.archive import is_archive, is_system_file
from core.imaging.handed_in import HandedIn
from core.imaging.limits import MAX_FRAMES
from core.imaging.names import clean_name, distinct_names
from core.imaging.sniff import format_by_name, sniff

_INDEX = "dicomdir"
_NAMED = 5
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """What is taken of several files, and what is not.

    Attributes:
        files: radiographs and archives, by their path, names told apart by their folders.
        skipped: names of the files that are neither.
        n_left_out: files beyond the most that are taken at once.
    """

    files: tuple[HandedIn, ...]
    skipped: tuple[str, ...] = ()
    n_left_out: int = 0

    @property
    def remark(self) -> str:
        """One line on what was not taken, empty when everything was."""
        parts = []
        if count := len(self.skipped):
            named = ", ".join(self.skipped[:_NAMED])
            more = f" and {count - _NAMED} more" if count > _NAMED else ""
            what = "file that is no radiograph" if count == 1 else "files that are no radiographs"
            parts.append(f"Skipped {count} {what}: {named}{more}.")
        if self.n_left_out:
            parts.append(
                f"Left out {self.n_left_out}: at most {MAX_FRAMES} are taken at once, hand in the rest later."
            )
        return " ".join(parts)


def take_folder(files: Sequence[tuple[str, bytes]]) -> Folder:
    """The radiographs among `files`, path and content each, in the order of their paths.

    A file counts as one when its content does, or when its name says so: what is named film.dcm and broken
    is to be told as broken, not skipped. Files that systems leave in folders never count.
    """
    ordered = sorted(files, key=lambda file: _natural(file[0]))
    taken = [(path, data) for path, data in ordered if _may_be_radiograph(path, data)]
    skipped = tuple(clean_name(path) for path, data in ordered if not _may_be_radiograph(path, data))
    kept = taken[:MAX_FRAMES]
    names = distinct_names([path for path, _ in kept])
    found = tuple(HandedIn(name, partial(bytes, data)) for name, (_, data) in zip(names, kept, strict=True))
    return Folder(found, skipped, len(taken) - len(kept))


def _may_be_radiograph(path: str, data: bytes) -> bool:
    name = clean_name(path)
    if is_system_file(path) or name.lower() == _INDEX:
        return False
    if format_by_name(name) is not None or sniff(data) is not None:
        return True
    return is_archive(data) and PurePath(name).suffix.lower() in (".zip", "")


def _natural(path: str) -> list[tuple[int, str]]:
    """Sorts film 2 before film 10, whatever the case."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in _DIGITS.split(path.casefold())]

"""What one uploaded file holds: one radiograph, or for a ZIP archive one for each of its files."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.imaging.archive import Archive, is_archive
from core.imaging.names import clean_name


@dataclass(frozen=True, slots=True, eq=False)
class HandedIn:
    """One file that should be a radiograph.

    Attributes:
        name: fit to be shown.
        read: gives its bytes; raises UnreadableImageError when they cannot be had.
    """

    name: str
    read: Callable[[], bytes]


def unpack(data: bytes, name: str) -> tuple[HandedIn, ...]:
    """The files in `data`, at least one, in the order of the archive; nothing is decompressed yet.

    Raises:
        UnreadableImageError: an archive that is damaged, empty, or holds too many files.
    """
    if not is_archive(data):
        return (HandedIn(clean_name(name), lambda: data),)
    archive = Archive(data, name)
    return tuple(HandedIn(member.name, partial(archive.read, member)) for member in archive.members)

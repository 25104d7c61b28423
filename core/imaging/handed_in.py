"""What one uploaded file holds: a radiograph, or several as an archive or a multi-frame DICOM file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.domain.errors import UnreadableImageError
from core.imaging.archive import Archive, is_archive
from core.imaging.limits import MAX_FILE_BYTES
from core.imaging.names import clean_name, name_with, told_of
from core.imaging.sniff import FileFormat, check_preamble, sniff


@dataclass(frozen=True, slots=True, eq=False)
class HandedIn:
    """One file that should be a radiograph.

    Attributes:
        name: fit to be shown.
        read: gives the bytes of its file; raises UnreadableImageError when they cannot be had.
        frame: number of the frame in a file of several, from 1; None for a file of one picture.
    """

    name: str
    read: Callable[[], bytes]
    frame: int | None = None


def unpack(data: bytes, name: str) -> tuple[HandedIn, ...]:
    """The files or frames in `data`, at least one, in their order; none of them is decompressed yet.

    A member of an archive may itself have several frames: ask `frames_in` once it was read.

    Raises:
        UnreadableImageError: an archive that is damaged, empty, or of too many files; see also `frames_in`.
    """
    if not is_archive(data):
        return frames_in(data, name)
    archive = Archive(data, name)
    return tuple(HandedIn(member.name, partial(archive.read, member)) for member in archive.members)


def frames_in(data: bytes, name: str) -> tuple[HandedIn, ...]:
    """One radiograph for each frame of a DICOM file, which they share; any other file as it is.

    Raises:
        UnreadableImageError: a file of several frames that is damaged, or of too many.
    """
    only = (HandedIn(clean_name(name), lambda: data),)
    if len(data) > MAX_FILE_BYTES or sniff(data) is not FileFormat.DICOM:
        return only
    from core.imaging.dicom import count_frames  # only now: other files need no pydicom

    try:
        count = count_frames(data)
        if count < 2:
            return only
        check_preamble(data)
    except UnreadableImageError as error:
        raise UnreadableImageError(told_of(error, name)) from error
    width = len(str(count))
    return tuple(
        HandedIn(name_with(name, f"frame {frame:0{width}d} of {count}"), lambda: data, frame)
        for frame in range(1, count + 1)
    )

"""Files that programs hand in, taken apart into single radiographs."""

from collections.abc import Iterator

from core.domain.errors import WorkbenchError
from core.imaging.archive import is_archive
from core.imaging.uploads import IncomingFile, frames_in, members_of

_BEGINNING_BYTES = 4


def radiographs_in(file: IncomingFile) -> Iterator[tuple[IncomingFile, WorkbenchError | None]]:
    """Each radiograph in a file, an archive or a file of several frames; one is in memory at a time.

    What cannot be taken apart comes with the reason, and the rest goes on.
    """
    try:
        members = _members(file)
    except WorkbenchError as error:
        yield file, error
        return
    for member in members:
        try:
            frames = frames_in(member.read(), member.name)
        except WorkbenchError as error:
            yield member, error
            continue
        if len(frames) == 1:
            yield member, None
            continue
        for frame in frames:
            yield frame, None


def is_archive_file(file: IncomingFile) -> bool:
    """True for an archive; no more than its beginning is read."""
    with file.opened() as opened:
        return is_archive(opened.read(_BEGINNING_BYTES))


def _members(file: IncomingFile) -> tuple[IncomingFile, ...]:
    if not is_archive_file(file):
        return (file,)
    return members_of(file.opened(), file.name)

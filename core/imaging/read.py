"""The dispatcher: bytes of any supported format in, one `Radiograph` out."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath

import numpy as np

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Polarity, PolarityGround, Radiograph, frame_digest
from core.imaging.decoded import Decoded
from core.imaging.limits import EXPECTED, MAX_FILE_BYTES, check_file_size
from core.imaging.names import told_of
from core.imaging.sniff import FileFormat, check_preamble, describe_foreign, format_by_name, sniff

_OF_SEVERAL = (FileFormat.DICOM, FileFormat.TIFF, FileFormat.NUMPY)


def read_radiograph(
    data: bytes, name: str = "", *, polarity: Polarity = Polarity.UNKNOWN, frame: int | None = None
) -> Radiograph:
    """The radiograph in `data`, at its native depth; safe to call from several threads.

    Args:
        data: the whole file.
        name: as the user knows it; only for messages, and to note that it contradicts the content.
        polarity: used when the file does not say (only DICOM does).
        frame: number of one frame, page or plane in a file of several, from 1; None reads the first, of
            a TIFF the first of the largest pages.

    Raises:
        UnreadableImageError: one line that says what was expected and what came; nothing was kept.
    """
    try:
        check_file_size(len(data))
        file_format = sniff(data)
        if file_format is None:
            raise UnreadableImageError(f"{EXPECTED}, got {describe_foreign(data)}")
        notes = check_preamble(data)
        decoded = _reader(file_format, frame)(data)
        if decoded.pixels.dtype.kind == "f" and not np.isfinite(decoded.pixels).any():
            raise UnreadableImageError(f"{EXPECTED}, got one in which no pixel is a number")
    except UnreadableImageError as error:
        raise UnreadableImageError(told_of(error, name)) from error
    file_sha256 = hashlib.sha256(data).hexdigest()
    unread = decoded.unread + (_others(decoded, file_format.part) if frame is None else ())
    if frame is not None:
        of = f"{file_format.part} {frame} of {decoded.n_frames} of the file with SHA-256 {file_sha256}"
        notes = (of, *notes)
    notes = (*_name_notes(name, file_format), *notes, *unread, *decoded.notes)
    if decoded.polarity is Polarity.UNKNOWN:
        decided = polarity
        ground = PolarityGround.ASSUMED if polarity is Polarity.UNKNOWN else PolarityGround.PERSON
    else:
        decided, ground = decoded.polarity, PolarityGround.FILE
        if polarity not in (Polarity.UNKNOWN, decided):
            notes += (
                f"polarity {decided} is taken from the file ({decoded.polarity_basis}), "
                f"not the {polarity} that was asked for",
            )
    return Radiograph(
        pixels=decoded.pixels,
        bit_depth=decoded.bit_depth,
        polarity=decided,
        pitch=decoded.pitch,
        sha256=file_sha256 if frame is None else frame_digest(file_sha256, frame),
        file_format=file_format.value,
        notes=notes,
        fields=decoded.fields,
        frame=frame,
        file_sha256=file_sha256,
        polarity_ground=ground,
        unread=unread,
    )


def read_radiograph_file(
    path: Path, *, polarity: Polarity = Polarity.UNKNOWN, frame: int | None = None
) -> Radiograph:
    """The radiograph in the file at `path`; see `read_radiograph`.

    Raises:
        UnreadableImageError: also when the file is missing, a folder, or may not be read.
    """
    return read_radiograph(read_file(path), path.name, polarity=polarity, frame=frame)


def read_file(path: Path) -> bytes:
    """The content of a file that should hold radiographs.

    Raises:
        UnreadableImageError: missing, a folder, too large, or may not be read.
    """
    try:
        if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            check_file_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableImageError(f"{EXPECTED}, got {reason.lower()} ({path})") from error


def count_pictures(data: bytes) -> int:
    """Number of pictures in the file, at least one; 1 where only reading it tells what is wrong with it.

    Raises:
        UnreadableImageError: more than a file may hold, or less than it says.
    """
    match sniff(data) if len(data) <= MAX_FILE_BYTES else None:
        case FileFormat.DICOM:
            from core.imaging.dicom import count_frames

            return count_frames(data)
        case FileFormat.TIFF:
            from core.imaging.tiff import count_pages

            return count_pages(data)
        case FileFormat.NUMPY:
            from core.imaging.numpy_array import count_planes

            return count_planes(data)
        case _:
            return 1


def _others(decoded: Decoded, part: str) -> tuple[str, ...]:
    if decoded.n_frames == 1:
        return ()
    which = "first one" if decoded.frame == 1 else f"the largest, {part} {decoded.frame},"
    return (f"{decoded.n_frames} {part}s, {which} read",)


def _reader(file_format: FileFormat, frame: int | None) -> Callable[[bytes], Decoded]:
    """The reader of a format, imported only now: PNG, JPEG and BMP need no tifffile or pydicom."""
    if frame is not None and file_format not in _OF_SEVERAL:
        raise UnreadableImageError(f"expected a file of several pictures, got a {file_format}")
    match file_format:
        case FileFormat.TIFF:
            from core.imaging.tiff import read_tiff

            return partial(read_tiff, frame=frame)
        case FileFormat.DICOM:
            from core.imaging.dicom import read_dicom

            return partial(read_dicom, frame=1 if frame is None else frame)
        case FileFormat.PNG:
            from core.imaging.raster import read_png

            return read_png
        case FileFormat.JPEG:
            from core.imaging.raster import read_jpeg

            return read_jpeg
        case FileFormat.BMP:
            from core.imaging.raster import read_bmp

            return read_bmp
        case FileFormat.PGM:
            from core.imaging.pgm import read_pgm

            return read_pgm
        case FileFormat.NUMPY:
            from core.imaging.numpy_array import read_npy

            return partial(read_npy, frame=1 if frame is None else frame)


def _name_notes(name: str, file_format: FileFormat) -> tuple[str, ...]:
    claimed = format_by_name(name)
    if claimed is None or claimed is file_format:
        return ()
    return (f"named {PurePath(name).suffix} but holds a {file_format}; read as {file_format}",)

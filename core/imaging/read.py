"""The dispatcher: bytes of any supported format in, one `Radiograph` out."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Polarity, PolarityGround, Radiograph, frame_digest
from core.imaging.decoded import Decoded
from core.imaging.limits import MAX_FILE_BYTES, check_file_size
from core.imaging.names import told_of
from core.imaging.sniff import FileFormat, check_preamble, describe_foreign, format_by_name, sniff

_EXPECTED = "expected a PNG, JPEG, BMP, TIFF or DICOM radiograph"


def read_radiograph(
    data: bytes, name: str = "", *, polarity: Polarity = Polarity.UNKNOWN, frame: int | None = None
) -> Radiograph:
    """The radiograph in `data`, at its native depth; safe to call from several threads.

    Args:
        data: the whole file.
        name: as the user knows it; only for messages, and to note that it contradicts the content.
        polarity: used when the file does not say (only DICOM does).
        frame: number of one frame of a multi-frame DICOM file, from 1; None reads the first.

    Raises:
        UnreadableImageError: one line that says what was expected and what came; nothing was kept.
    """
    try:
        check_file_size(len(data))
        file_format = sniff(data)
        if file_format is None:
            raise UnreadableImageError(f"{_EXPECTED}, got {describe_foreign(data)}")
        check_preamble(data)
        decoded = _reader(file_format, frame)(data)
    except UnreadableImageError as error:
        raise UnreadableImageError(told_of(error, name)) from error
    file_sha256 = hashlib.sha256(data).hexdigest()
    notes = _name_notes(name, file_format) + _frame_notes(decoded, frame, file_sha256) + decoded.notes
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
        raise UnreadableImageError(f"{_EXPECTED}, got {reason.lower()} ({path})") from error


def _frame_notes(decoded: Decoded, frame: int | None, file_sha256: str) -> tuple[str, ...]:
    if frame is not None:
        return (f"frame {frame} of {decoded.n_frames} of the file with SHA-256 {file_sha256}",)
    return (f"{decoded.n_frames} frames, first one read",) if decoded.n_frames > 1 else ()


def _reader(file_format: FileFormat, frame: int | None) -> Callable[[bytes], Decoded]:
    """The reader of a format, imported only now: PNG, JPEG and BMP need no tifffile or pydicom."""
    if frame is not None and file_format is not FileFormat.DICOM:
        raise UnreadableImageError(f"expected a DICOM file of several frames, got a {file_format}")
    match file_format:
        case FileFormat.TIFF:
            from core.imaging.tiff import read_tiff

            return read_tiff
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


def _name_notes(name: str, file_format: FileFormat) -> tuple[str, ...]:
    claimed = format_by_name(name)
    if claimed is None or claimed is file_format:
        return ()
    return (f"named {PurePath(name).suffix} but holds a {file_format}; read as {file_format}",)

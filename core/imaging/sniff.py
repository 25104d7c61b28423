"""The kind of a file, by its content; its name is never trusted."""

import re
from enum import StrEnum
from pathlib import PurePath

from core.domain.errors import UnreadableImageError


class FileFormat(StrEnum):
    """The formats that can be read."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"
    TIFF = "TIFF"
    DICOM = "DICOM"
    PGM = "PGM"
    NUMPY = "NumPy"

    @property
    def part(self) -> str:
        """The name that users of the format have for one picture in a file of several."""
        return {"TIFF": "page", "NumPy": "plane"}.get(self.value, "frame")


_SUFFIXES: dict[str, FileFormat] = {
    ".png": FileFormat.PNG,
    ".jpg": FileFormat.JPEG,
    ".jpeg": FileFormat.JPEG,
    ".jpe": FileFormat.JPEG,
    ".jfif": FileFormat.JPEG,
    ".bmp": FileFormat.BMP,
    ".dib": FileFormat.BMP,
    ".tif": FileFormat.TIFF,
    ".tiff": FileFormat.TIFF,
    ".dcm": FileFormat.DICOM,
    ".dicom": FileFormat.DICOM,
    ".dic": FileFormat.DICOM,
    ".pgm": FileFormat.PGM,
    ".npy": FileFormat.NUMPY,
}

_MAGIC: tuple[tuple[bytes, FileFormat], ...] = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"II*\x00", FileFormat.TIFF),
    (b"MM\x00*", FileFormat.TIFF),
    (b"II+\x00", FileFormat.TIFF),
    (b"MM\x00+", FileFormat.TIFF),
    (b"\x93NUMPY", FileFormat.NUMPY),
)
#: Plain and raw PGM; white space or a comment follows.
_PGM = re.compile(rb"P[25][\s#]")

#: Files that people hand in by mistake.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
)
#: Programs of Windows, Linux, macOS and Java, and scripts.
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"#!",
    b"@echo",
)

_PREAMBLE_BYTES = 128
_VR_CODES = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
)
#: An implicit-VR first element of a data set is short: a group length, a date, a UID.
_MAX_FIRST_LENGTH = 1024
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)


def sniff(data: bytes) -> FileFormat | None:
    """The format by magic bytes; None for a file that cannot be read.

    A DICOM file is one whatever its preamble looks like (PS3.10 section 7.1): dual-personality files begin
    like a TIFF.
    """
    if _has_preamble(data):
        return FileFormat.DICOM
    for magic, file_format in _MAGIC:
        if data.startswith(magic):
            return file_format
    if _is_bare_dicom(data):
        return FileFormat.DICOM
    if _PGM.match(data):
        return FileFormat.PGM
    if data[:2] == b"BM" and _is_bmp_header(data):
        return FileFormat.BMP
    return None


def check_preamble(data: bytes) -> tuple[str, ...]:
    """A note on a DICOM file that begins like another picture, too; one that is a program is refused.

    The 128 bytes before its data set are free (PS3.10 section 7.1), so a system may run the same file as a
    program. Slide scanners and archives put the header of a TIFF there, which shows the same pixels.

    Raises:
        UnreadableImageError: the file is also a program.
    """
    if not _has_preamble(data):
        return ()
    if _is_program(data):
        raise UnreadableImageError(
            "expected a file that holds one picture and nothing else, got a DICOM file that is also "
            "a program; save the picture again on its own"
        )
    other = sniff(data[:_PREAMBLE_BYTES])
    return (f"begins like a {other}, too; read as DICOM",) if other else ()


def describe_foreign(data: bytes) -> str:
    """A name for bytes that `sniff` does not know, with its article."""
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, phrase in _FOREIGN:
        if head[: len(magic)].lower() == magic.lower():
            return phrase
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP picture"
    if data[4:8] == b"ftyp":
        return "a video or HEIF picture"
    if _is_program(data):
        return "a program"
    if not any(data[:4096]):
        return "a file of zeros"
    return "a text file" if _is_text(data[:4096]) else "bytes of an unknown kind"


def format_by_name(name: str) -> FileFormat | None:
    """The format that the file's name claims; None when its suffix is not known."""
    return _SUFFIXES.get(PurePath(name).suffix.lower())


def _has_preamble(data: bytes) -> bool:
    return data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM"


def _is_program(data: bytes) -> bool:
    return data[:16].lower().startswith(tuple(magic.lower() for magic in _PROGRAMS))


def _is_bare_dicom(data: bytes) -> bool:
    """True for a data set without preamble: it opens with group 0002 or 0008 (PS3.5 section 7.1)."""
    if len(data) < 16 or data[:2] not in (b"\x02\x00", b"\x08\x00"):
        return False
    return data[4:6] in _VR_CODES or int.from_bytes(data[4:8], "little") <= _MAX_FIRST_LENGTH


def _is_bmp_header(data: bytes) -> bool:
    return len(data) < 18 or int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\r\n\f" for character in text)

"""What a file is, by its content; its name is never trusted."""

from enum import StrEnum
from pathlib import PurePath


class FileFormat(StrEnum):
    """The formats that can be read."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"
    TIFF = "TIFF"
    DICOM = "DICOM"


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
}

_MAGIC: tuple[tuple[bytes, FileFormat], ...] = (
    (b"\x89PNG\r\n\x1a\n", FileFormat.PNG),
    (b"\xff\xd8\xff", FileFormat.JPEG),
    (b"II*\x00", FileFormat.TIFF),
    (b"MM\x00*", FileFormat.TIFF),
    (b"II+\x00", FileFormat.TIFF),
    (b"MM\x00+", FileFormat.TIFF),
)

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a bare JPEG 2000 codestream"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an XZ archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"SIMPLE  =", "a FITS file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"8BPS", "a Photoshop file"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"<svg", "an SVG drawing"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"P5", "a PGM picture"),
    (b"P2", "a PGM picture"),
    (b"SQLite format 3", "an SQLite database"),
)

_PREAMBLE_BYTES = 128
_VR_CODES = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
)
#: An implicit-VR first element of a data set is short: a group length, a date, a UID.
_MAX_FIRST_LENGTH = 1024
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)


def sniff(data: bytes) -> FileFormat | None:
    """The format by magic bytes, or None when it is none that can be read."""
    for magic, file_format in _MAGIC:
        if data.startswith(magic):
            return file_format
    if data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM" or _is_bare_dicom(data):
        return FileFormat.DICOM
    if data[:2] == b"BM" and _is_bmp_header(data):
        return FileFormat.BMP
    return None


def describe_foreign(data: bytes) -> str:
    """What bytes that `sniff` did not know seem to be, as a noun phrase."""
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, phrase in _FOREIGN:
        if head[: len(magic)].lower() == magic.lower():
            return phrase
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP picture"
    if data[4:8] == b"ftyp":
        return "a video or HEIF picture"
    if not any(data[:4096]):
        return "a file of zeros"
    return "a text file" if _is_text(data[:4096]) else "bytes of an unknown kind"


def format_by_name(name: str) -> FileFormat | None:
    """The format that the file's name claims, None when it claims none that is known."""
    return _SUFFIXES.get(PurePath(name).suffix.lower())


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

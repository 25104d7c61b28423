"""One file, one picture: refuses files that are a picture to one program and something else to another.

The rule, the same for every format: what comes after the picture's own end may only be padding (zeros
and line breaks); nowhere may the file also be a ZIP archive, a PDF or a second picture format; and the
128 bytes before a DICOM file, which the standard leaves free (PS3.10 section 7.1), may not begin like a
program, an archive, a document or a picture. TIFF and DICOM have no end of their own, so for them the
second and third part decide.
"""

import struct

from core.domain.errors import UnreadableImageError
from core.imaging.jpeg_markers import outline_jpeg
from core.imaging.sniff import FileFormat, describe_foreign, sniff

_PADDING = b"\0\r\n"
_DICM_AT, _PDF_WITHIN = 128, 1024
_PNG_SIGNATURE_BYTES, _PNG_OVERHEAD = 8, 12
_ZIP_END, _ZIP_ENTRY, _ZIP_END_BYTES = b"PK\x05\x06", b"PK\x01\x02", 22
#: A ZIP ends with this record and a comment of at most 65,535 bytes.
_ZIP_TAIL_BYTES = _ZIP_END_BYTES + 65_535
_CORE_HEADER_BYTES, _V5_HEADER_BYTES = 12, 124
_BMP_UNCOMPRESSED = (0, 3, 6)
_FOREIGN_STARTS = (
    b"#!",
    b"@echo",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
)


def check_one_picture(data: bytes, file_format: FileFormat) -> None:
    """Refuse a file that holds more than the picture it begins with.

    A file whose structure is broken passes: its reader says what is wrong.

    Raises:
        UnreadableImageError: naming what else the file holds.
    """
    if file_format is FileFormat.DICOM:
        _check_preamble(data)
    elif data[_DICM_AT : _DICM_AT + 4] == b"DICM":
        raise _refusal(f"a {file_format} that is also a DICOM file")
    if b"%PDF-" in data[:_PDF_WITHIN]:
        raise _refusal(f"a {file_format} that is also a PDF document")
    end = picture_end(data, file_format)
    if end is not None and (tail := data[end:].strip(_PADDING)):
        what = sniff(tail)
        kind = f"a {what} picture" if what else describe_foreign(tail)
        raise _refusal(f"a {file_format} followed by {len(tail)} further bytes ({kind})")
    if has_zip_end(data):
        raise _refusal(f"a {file_format} that is also a ZIP archive")


def picture_end(data: bytes, file_format: FileFormat) -> int | None:
    """Offset behind the picture's last byte; None when the format has no end or the file is broken."""
    match file_format:
        case FileFormat.PNG:
            return _png_end(data)
        case FileFormat.JPEG:
            outline = outline_jpeg(data)
            return None if outline is None else outline.end
        case FileFormat.BMP:
            return _bmp_end(data)
        case _:
            return None


def has_zip_end(data: bytes) -> bool:
    """True when a program that looks for a ZIP archive from the end of the file would find one."""
    start = max(0, len(data) - _ZIP_TAIL_BYTES)
    at = data.rfind(_ZIP_END, start)
    while at >= 0 and at + _ZIP_END_BYTES <= len(data):
        n_entries, n_bytes, offset = struct.unpack_from("<HII", data, at + 10)
        for entry in (at - n_bytes, offset):
            if n_entries and entry >= 0 and data[entry : entry + 4] == _ZIP_ENTRY:
                return True
        at = data.rfind(_ZIP_END, start, at)
    return False


def _refusal(what: str) -> UnreadableImageError:
    return UnreadableImageError(
        f"expected a file that holds one picture and nothing else, got {what}; "
        "save the picture again on its own"
    )


def _check_preamble(data: bytes) -> None:
    if data[_DICM_AT : _DICM_AT + 4] != b"DICM":
        return
    preamble = data[:_DICM_AT]
    if not preamble.strip(_PADDING):
        return
    if (picture := sniff(preamble)) is not None and picture is not FileFormat.DICOM:
        raise _refusal(f"a DICOM file that is also a {picture}")
    if preamble.lower().startswith(_FOREIGN_STARTS):
        raise _refusal("a DICOM file that is also a program")
    kind = describe_foreign(preamble)
    if kind not in ("a text file", "bytes of an unknown kind", "a file of zeros"):
        raise _refusal(f"a DICOM file that is also {kind}")


def _png_end(data: bytes) -> int | None:
    position = _PNG_SIGNATURE_BYTES
    while position + _PNG_OVERHEAD <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, position = data[position + 4 : position + 8], position + _PNG_OVERHEAD + int(length)
        if kind == b"IEND":
            return position
    return None


def _bmp_end(data: bytes) -> int | None:
    """From the header's own figures: the size that the file states for itself is often wrong."""
    if len(data) < 54:
        return None
    offset, header_bytes = struct.unpack_from("<II", data, 10)
    if header_bytes == _CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return int(offset + _bmp_rows(width, height, bits))
    width, height, _, bits, compression, n_image = struct.unpack_from("<iiHHII", data, 18)
    is_plain = compression in _BMP_UNCOMPRESSED
    if not is_plain and not n_image:
        return None
    end = offset + (_bmp_rows(width, height, bits) if is_plain else n_image)
    if header_bytes == _V5_HEADER_BYTES and len(data) >= 14 + _V5_HEADER_BYTES:
        profile_at, profile_bytes = struct.unpack_from("<II", data, 14 + 112)
        if profile_bytes:
            end = max(end, 14 + profile_at + profile_bytes)
    return int(end)


def _bmp_rows(width: int, height: int, bits: int) -> int:
    """Bytes of all rows, each padded to four."""
    return (abs(width) * bits + 31) // 32 * 4 * abs(height)

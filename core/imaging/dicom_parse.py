"""A DICOM data set from bytes, parsed within bounds.

pydicom unpacks a deflated data set, builds sequences and splits values without any limit of its own.
"""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_partial
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged
from core.imaging.limits import MAX_DICOM_READS, most_unpacked

_DEFLATED, _PLAIN = DeflatedExplicitVRLittleEndian.encode(), ExplicitVRLittleEndian.encode()
_PREAMBLE_BYTES, _MAGIC = 128, b"DICM"
_META_GROUP, _SYNTAX_ELEMENT = 0x0002, 0x0010
_LONG_LENGTH_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_CHARACTER_SET, _PIXEL_DATA = 0x00080005, 0x7FE00010
#: Float, double float and whole-number pixels.
PIXEL_TAGS = (0x7FE00008, 0x7FE00009, _PIXEL_DATA)
_MAX_CHARACTER_SET_BYTES = 256
#: Far more than any element that is looked at; a lookup table of 16 bit takes 128 KiB.
_MAX_VALUE_BYTES = 256 * 2**10
_STEP = 2**20
#: Item Delimitation Item (FFFE,E00D) of length 0 (PS3.5 section 7.5); some converters leave one behind.
_DELIMITER, _MAX_STRAY_DELIMITERS = b"\xfe\xff\x0d\xe0\0\0\0\0", 8


class _CountedFile(BytesIO):
    """Bytes that may be read from only so often: each element, at any depth, takes a read or more.

    Args:
        data: the whole file.
        n_left: reads that may still be made.
    """

    def __init__(self, data: bytes, n_left: int) -> None:
        super().__init__(data)
        self.n_left = n_left

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes; ValueError once the reads are used up."""
        self.n_left -= 1
        if self.n_left < 0:
            raise ValueError("its header holds too many elements")
        return super().read(size)


def parse_dicom(data: bytes, *, has_pixels: bool = True) -> Dataset:
    """The data set up to its pixels, without the values that are too long to matter.

    Its transfer syntax is named, where a file without meta header leaves it to be found (PS3.5 A.4).

    Args:
        data: the whole file.
        has_pixels: False stops in front of the pixels.

    Raises:
        UnreadableImageError: a deflated data set grows beyond the limits, or ends early.
        Exception: whatever pydicom raises on damaged data.
    """
    dataset = _read(_inflated(data), _is_behind_pixels if has_pixels else _is_at_pixels)
    for tag in [t for t in dataset.keys() if t not in PIXEL_TAGS]:  # noqa: SIM118 - keys alone convert nothing
        value = dataset.get_item(tag).value
        if isinstance(value, bytes | str) and len(value) > _MAX_VALUE_BYTES:
            del dataset[tag]
    _name_transfer_syntax(dataset)
    return dataset


def _read(data: bytes, stop: Callable[[Any, str | None, int], bool]) -> Dataset:
    """The data set, past item delimiters that end no item: pydicom would take one for its end."""
    n_left = MAX_DICOM_READS
    for n_stray in range(_MAX_STRAY_DELIMITERS + 1):
        file = _CountedFile(data, n_left)
        dataset = read_partial(file, stop_when=stop, force=True)
        n_left, end = file.n_left, file.tell()
        start = end - len(_DELIMITER)
        is_stray = len(dataset) > 0 and data[max(0, start) : end] == _DELIMITER and end < len(data)
        if not is_stray or n_stray == _MAX_STRAY_DELIMITERS:
            break
        data = data[:start] + data[end:]
    return dataset


def _name_transfer_syntax(dataset: Dataset) -> None:
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if dataset.file_meta.get("TransferSyntaxUID"):
        return
    is_implicit, is_little = dataset.original_encoding
    if is_implicit is False:
        syntax = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
    else:
        syntax = ImplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax


def _is_behind_pixels(tag: Any, vr: str | None, length: int) -> bool:
    if tag == _CHARACTER_SET and length > _MAX_CHARACTER_SET_BYTES:
        raise ValueError(f"a character set of {length} bytes")
    return bool(tag > _PIXEL_DATA)


def _is_at_pixels(tag: Any, vr: str | None, length: int) -> bool:
    return _is_behind_pixels(tag, vr, length) or bool(tag >= min(PIXEL_TAGS))


def _inflated(data: bytes) -> bytes:
    """`data`, or when its data set is deflated (PS3.5 A.5) the same file with it unpacked."""
    if _DEFLATED not in data:
        return data
    syntax, value_at, start = _transfer_syntax(data)
    if syntax.rstrip(b"\0 ") != _DEFLATED:
        if _DEFLATED in syntax:
            raise damaged("DICOM", "its transfer syntax cannot be told")
        return data
    plain = _PLAIN.ljust(len(syntax), b"\0")
    return data[:value_at] + plain + data[value_at + len(syntax) : start] + _inflate(data, start)


def _transfer_syntax(data: bytes) -> tuple[bytes, int, int]:
    """Transfer Syntax UID as stored, where it lies, and where the data set begins (PS3.10 section 7.1)."""
    has_preamble = data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == _MAGIC
    position = _PREAMBLE_BYTES + 4 if has_preamble else 0
    syntax, value_at = b"", 0
    while position + 8 <= len(data):
        group, element, vr, length = struct.unpack_from("<HH2sH", data, position)
        if group != _META_GROUP:
            break
        header_bytes = 8
        if vr in _LONG_LENGTH_VRS:
            (length,) = struct.unpack_from("<I", data, position + 8)
            header_bytes = 12
        if not (b"AA" <= vr <= b"ZZ") or position + header_bytes + length > len(data):
            raise damaged("DICOM", "its file meta information is broken")
        if element == _SYNTAX_ELEMENT:
            value_at = position + header_bytes
            syntax = data[value_at : value_at + length]
        position += header_bytes + length
    return syntax, value_at, position


def _inflate(data: bytes, start: int) -> bytes:
    """The data set from `start` on, unpacked."""
    unpacker, pending, n_most = zlib.decompressobj(-zlib.MAX_WBITS), data[start:], most_unpacked(len(data))
    blocks, n_out = [], 0
    while pending and not unpacker.eof:
        blocks.append(unpacker.decompress(pending, _STEP))
        pending = unpacker.unconsumed_tail
        n_out += len(blocks[-1])
        if n_out > n_most:
            raise UnreadableImageError(
                f"expected a radiograph, got a decompression bomb: {len(data)} bytes that unpack to more "
                f"than {n_most // 2**20} MiB"
            )
    if not unpacker.eof:
        raise damaged("DICOM", "the deflated data set ends early")
    return b"".join(blocks)

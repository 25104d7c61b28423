"""What is checked of DICOM pixel data before a decoder sees them."""

import struct
import zlib

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import RLELossless

from core.domain.errors import UnreadableImageError
from core.imaging.limits import EXPANSION_FLOOR_BYTES, MAX_DECODED_BYTES, MAX_EXPANSION
from core.imaging.quiet import damaged

_DEFLATED_UID = b"1.2.840.10008.1.2.1.99"
_META_START, _GROUP_LENGTH_BYTES = 132, 12
_J2K_START, _CODESTREAM_END = b"\xff\x4f\xff\x51", b"\xff\xd9"
#: Start-of-frame markers of JPEG and JPEG-LS (ITU-T T.81 B.1.1.3, T.87).
_START_OF_FRAME = frozenset(
    (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)
)
_TAIL_BYTES = 4


def n_frames(dataset: Dataset) -> int:
    """Number of Frames (0028,0008), 1 when absent."""
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def check_deflated(data: bytes) -> None:
    """Unpack a deflated data set once with a bound, as pydicom has none (PS3.5 A.5).

    Raises:
        UnreadableImageError: when it grows beyond the limits of `core.imaging.limits` or ends early.
    """
    if _DEFLATED_UID not in data[:2048] or data[128:132] != b"DICM":
        return
    (meta_length,) = struct.unpack_from("<I", data, _META_START + 8)
    start = _META_START + _GROUP_LENGTH_BYTES + meta_length
    unpacker, pending, n_out = zlib.decompressobj(-zlib.MAX_WBITS), data[start:], 0
    n_most = min(MAX_DECODED_BYTES, max(EXPANSION_FLOOR_BYTES, int(MAX_EXPANSION * len(data))))
    while pending and not unpacker.eof:
        n_out += len(unpacker.decompress(pending, 2**20))
        pending = unpacker.unconsumed_tail
        if n_out > n_most:
            raise UnreadableImageError(
                f"expected a radiograph, got a decompression bomb: {len(data)} bytes that unpack to more "
                f"than {n_most // 2**20} MiB"
            )
    if not unpacker.eof:
        raise damaged("DICOM", "the deflated data set ends early")


def check_frame(dataset: Dataset) -> None:
    """Refuse pixel data that are cut off, or whose first frame is not the size that the header says.

    Raises:
        UnreadableImageError: before any pixel is decoded.
    """
    if "PixelData" not in dataset:
        return
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_native(dataset)
        return
    frame = next(generate_frames(dataset.PixelData, number_of_frames=n_frames(dataset)), b"")
    if not frame:
        raise damaged("DICOM", "the pixel data hold no frame")
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        return
    if _CODESTREAM_END not in frame[-_TAIL_BYTES:]:
        raise damaged("DICOM", "the compressed frame is cut off")
    size, expected = codestream_size(frame), (int(dataset.Columns), int(dataset.Rows))
    if size is not None and size != expected:
        raise damaged("DICOM", f"the header says {expected} px, the compressed frame {size}")


def codestream_size(frame: bytes) -> tuple[int, int] | None:
    """(width, height) in px that a JPEG, JPEG-LS or JPEG 2000 codestream states, None when not found."""
    start = frame.find(_J2K_START, 0, 256)
    if start >= 0:
        if len(frame) < start + 24:
            return None
        x1, y1, x0, y0 = struct.unpack_from(">IIII", frame, start + 8)
        return x1 - x0, y1 - y0
    position = 2
    while position + 9 <= len(frame) and frame[position] == 0xFF:
        if frame[position + 1] in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", frame, position + 5)
            return width, height
        position += 2 + int(struct.unpack_from(">H", frame, position + 2)[0])
    return None


def _check_native(dataset: Dataset) -> None:
    n_bits = (
        int(dataset.Rows)
        * int(dataset.Columns)
        * int(dataset.get("SamplesPerPixel") or 1)
        * int(dataset.BitsAllocated)
        * n_frames(dataset)
    )
    n_expected = (n_bits + 7) // 8
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        n_expected = n_expected * 2 // 3
    if len(dataset.PixelData) < n_expected:
        raise damaged("DICOM", f"{len(dataset.PixelData)} of {n_expected} bytes of pixels are there")

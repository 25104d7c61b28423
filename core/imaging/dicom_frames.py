"""Checks of DICOM pixel data before a decoder sees them."""

import struct

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, get_frame
from pydicom.uid import RLELossless

from core.domain.errors import UnreadableImageError
from core.imaging.codestream import Codestream, codestream_of, is_whole
from core.imaging.damage import damaged
from core.imaging.dicom_parse import PIXEL_TAGS
from core.imaging.limits import MAX_FRAGMENTS, check_picture_size

_ITEM_TAG = b"\xfe\xff\x00\xe0"
_MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
_RLE_HEADER_BYTES, _RLE_MAX_SEGMENTS = 64, 15
_RLE_NOTHING = 128
#: Segments may be padded; more than this beyond the picture is no padding.
_RLE_SLACK = 2**16


def n_frames(dataset: Dataset) -> int:
    """Number of Frames (0028,0008), 1 when absent."""
    return max(1, int(dataset.get("NumberOfFrames") or 1))


def check_header(dataset: Dataset, n_file_bytes: int) -> None:
    """Refuse a data set without a radiograph, or with too large a one.

    Raises:
        UnreadableImageError: naming what is missing, or the limit that was passed.
    """
    if len(dataset) == 0:
        raise damaged("DICOM", "no data element could be read to its end")
    if not any(tag in dataset for tag in PIXEL_TAGS):
        what = str(dataset.get("Modality") or "no modality")[:16]
        raise UnreadableImageError(f"expected a DICOM radiograph, got a data set without pixels ({what})")
    for keyword in ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated"):
        if dataset.get(keyword) in (None, ""):
            raise damaged("DICOM", f"{keyword} is missing")
    bits = int(dataset.BitsAllocated)
    samples = int(dataset.get("SamplesPerPixel") or 1)
    check_picture_size(
        int(dataset.Columns),
        int(dataset.Rows),
        bytes_per_px=samples * max(1, bits / 8),
        n_file_bytes=n_file_bytes,
    )
    if samples == 1 and dataset.PhotometricInterpretation not in (*_MONOCHROME, "PALETTE COLOR"):
        raise UnreadableImageError(
            f"expected photometric interpretation MONOCHROME1 or 2, got {dataset.PhotometricInterpretation}"
        )


def check_every_frame(dataset: Dataset) -> None:
    """Refuse pixel data of fewer frames than the header says; no frame is decoded.

    Raises:
        UnreadableImageError: cut off, in too many pieces, or of another number of frames.
    """
    if "PixelData" not in dataset:
        return
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_native(dataset)
        return
    _check_fragments(dataset.PixelData)
    expected = n_frames(dataset)
    try:
        found = sum(bool(frame) for frame in generate_frames(dataset.PixelData, number_of_frames=expected))
    except ValueError as error:
        raise damaged("DICOM", str(error)) from error
    if found != expected:
        raise damaged("DICOM", f"the header says {expected} frames, the pixel data hold {found}")


def _check_fragments(pixels: bytes) -> None:
    if pixels.count(_ITEM_TAG) > MAX_FRAGMENTS + 1:  # the offset table comes first
        raise damaged("DICOM", f"compressed pixel data in more than {MAX_FRAGMENTS} pieces")


def check_frame(dataset: Dataset, index: int) -> Codestream | None:
    """What the codestream of frame `index`, from 0, says of itself; None where the frame is none.

    Pixel data that are cut off are refused, and a frame that is not of the size in the header.

    Raises:
        UnreadableImageError: before any pixel is decoded.
    """
    if "PixelData" not in dataset:
        return None
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_native(dataset)
        return None
    _check_fragments(dataset.PixelData)
    try:
        frame = get_frame(dataset.PixelData, index, number_of_frames=n_frames(dataset))
    except ValueError:
        frame = b""
    if not frame:
        raise damaged("DICOM", "the pixel data hold no frame" if index == 0 else f"no frame {index + 1}")
    samples = int(dataset.get("SamplesPerPixel") or 1)
    width, height = int(dataset.Columns), int(dataset.Rows)
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        _check_rle(frame, width * height)
        return None
    if not is_whole(frame):
        name = dataset.file_meta.TransferSyntaxUID.name
        raise damaged("DICOM", f"the compressed frame is cut off ({name})")
    found = codestream_of(frame)
    if found is None:
        raise damaged("DICOM", "the compressed frame does not say its size")
    if found[:3] != (width, height, samples):
        raise damaged(
            "DICOM",
            f"the header says {width} x {height} px, samples {samples}; "
            f"the compressed frame {found.width} x {found.height} px, samples {found.n_components}",
        )
    return found


def _check_rle(frame: bytes, n_px: int) -> None:
    """Refuse segments that unpack to much more than the picture; the decoder has no bound (PS3.5 G.3)."""
    (n_segments,) = struct.unpack_from("<I", frame)
    if n_segments > _RLE_MAX_SEGMENTS or len(frame) < _RLE_HEADER_BYTES:
        raise damaged("DICOM", f"an RLE frame of {n_segments} segments")
    offsets = (*struct.unpack_from(f"<{n_segments}I", frame, 4), len(frame))
    for start, end in zip(offsets, offsets[1:], strict=False):
        position, n_out = start, 0
        while position < end:
            n = frame[position]
            if n < _RLE_NOTHING:
                n_out, position = n_out + n + 1, position + n + 2
            elif n > _RLE_NOTHING:
                n_out, position = n_out + 257 - n, position + 2
            else:
                position += 1
            if n_out > n_px + _RLE_SLACK:
                raise damaged("DICOM", "an RLE segment unpacks to more than the picture")


def _check_native(dataset: Dataset) -> None:
    """Refuse uncompressed pixels of fewer bytes than all frames take (PS3.5 8.1.1; 4:2:2 colour: 8.2.1)."""
    n_samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel") or 1)
    n_bits = n_samples * int(dataset.BitsAllocated)
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        n_bits = n_bits * 2 // 3
    n_bytes, n_expected = len(dataset.PixelData), (n_bits * n_frames(dataset) + 7) // 8
    if n_bytes < n_expected:
        raise damaged("DICOM", f"{n_bytes} of {n_expected} bytes of pixels are there")

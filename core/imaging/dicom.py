"""DICOM and DICONDE (ASTM E2339): data set by pydicom, compressed pixels by pylibjpeg."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import RLELossless

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Pixels
from core.imaging.damage import clear_errors, damaged
from core.imaging.decoded import Decoded
from core.imaging.dicom_attributes import (
    dicom_pitch,
    dicom_polarity,
    diconde_fields,
    from_functional_groups,
    register_diconde_names,
)
from core.imaging.dicom_frames import check_every_frame, check_frame, check_header, n_frames
from core.imaging.dicom_parse import parse_dicom
from core.imaging.limits import MAX_FRAMES
from core.imaging.pixels import narrow, to_grey

_MAX_BITS, _MIN_BITS = 16, 8
_UINT16_MAX = 65535


def count_frames(data: bytes) -> int:
    """Number of frames in a DICOM file; 1 where the header cannot be read, since reading it says why.

    Raises:
        UnreadableImageError: a file of several frames that is damaged, holds fewer than it says, or too many.
    """
    try:
        with clear_errors("DICOM", BytesLengthException, InvalidDicomError):
            count = n_frames(parse_dicom(data, has_pixels=False))
    except UnreadableImageError:
        return 1
    if count > MAX_FRAMES:
        raise UnreadableImageError(f"expected a DICOM file of at most {MAX_FRAMES} frames, got {count}")
    if count > 1:
        with clear_errors("DICOM", BytesLengthException, InvalidDicomError):
            dataset = parse_dicom(data)
            check_header(dataset, len(data))
            check_every_frame(dataset)
    return count


def read_dicom(data: bytes, frame: int = 1) -> Decoded:
    """One frame of a DICOM file, counted from 1, with or without preamble, rescaled, not windowed.

    Raises:
        UnreadableImageError: truncated, damaged, without pixels, too large, or in a transfer syntax
            that cannot be decoded; or without such a frame.
    """
    register_diconde_names()
    with clear_errors("DICOM", BytesLengthException, InvalidDicomError):
        dataset = parse_dicom(data)
        check_header(dataset, len(data))
        count = n_frames(dataset)
        if not 1 <= frame <= count:
            raise UnreadableImageError(f"expected a frame from 1 to {count}, got {frame}")
        check_frame(dataset, frame - 1)
        from_functional_groups(dataset, frame - 1)
        return replace(_decode(dataset, frame - 1), n_frames=count)


def _decode(dataset: Dataset, index: int) -> Decoded:
    stored = _stored_frame(dataset, index)
    if stored.ndim == 3:
        return _colour(dataset, stored)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return _colour(dataset, apply_color_lut(stored, dataset))
    stored = _significant(stored, dataset)
    stored, padding_notes = _fill_padding(stored, dataset)
    pixels, depth, rescale_notes, slope = _rescale(stored, dataset)
    sign = dataset.get("PixelIntensityRelationshipSign")
    polarity, basis, polarity_notes = dicom_polarity(
        str(dataset.PhotometricInterpretation),
        intensity_sign=sign if isinstance(sign, int) else None,
        is_slope_negative=slope < 0,
    )
    pitch, pitch_notes = dicom_pitch(dataset)
    return Decoded(
        pixels=pixels,
        bit_depth=depth,
        pitch=pitch,
        polarity=polarity,
        polarity_basis=basis,
        notes=padding_notes + rescale_notes + polarity_notes + pitch_notes,
        fields=diconde_fields(dataset),
    )


def _stored_frame(dataset: Dataset, index: int) -> npt.NDArray[Any]:
    """The stored values of frame `index`, from 0."""
    plugin = _plugin(dataset)
    if int(dataset.BitsAllocated) > 1:
        return pixel_array(dataset, index=index, decoding_plugin=plugin)
    # frames of single bits need not begin at a byte (PS3.5 8.1.1), which decoding by index expects
    every = pixel_array(dataset, decoding_plugin=plugin)
    return np.asarray(every[index] if n_frames(dataset) > 1 else every)


def _plugin(dataset: Dataset) -> str:
    """Name of the decoder that pydicom has to use, empty for any.

    RLE goes to pydicom's own: pylibjpeg-rle panics on damaged data, past every Python `except`.
    """
    return "pydicom" if dataset.file_meta.TransferSyntaxUID == RLELossless else ""


def _colour(dataset: Dataset, planes: npt.NDArray[Any]) -> Decoded:
    """RGB planes (pydicom turned YBR into RGB) as grey; nothing is said about the polarity."""
    grey, grey_notes = to_grey(planes)
    pixels, depth, more = narrow(grey, 8 * grey.dtype.itemsize)
    pitch, pitch_notes = dicom_pitch(dataset)
    return Decoded(
        pixels=pixels,
        bit_depth=depth,
        pitch=pitch,
        notes=grey_notes + more + pitch_notes,
        fields=diconde_fields(dataset),
    )


def _significant(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    """Values cut to Bits Stored: old files keep overlays in the bits above and below (PS3.5 8.1.1)."""
    if stored.dtype.kind not in "iu":
        return stored
    allocated, bits = stored.dtype.itemsize * 8, _bits_stored(dataset)
    low_bit = int(dataset.get("HighBit", bits - 1) or 0) - bits + 1
    if low_bit < 0 or low_bit + bits > allocated or (low_bit == 0 and bits == allocated):
        return stored
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if stored.dtype.kind == "i" else (0, (1 << bits) - 1)
    )
    if low_bit == 0 and low <= int(stored.min()) and int(stored.max()) <= high:
        return stored
    # A shift to the top drops the bits above; the shift back brings the sign along.
    return (stored << (allocated - bits - low_bit)) >> (allocated - bits)


def _bits_stored(dataset: Dataset) -> int:
    return int(dataset.get("BitsStored") or dataset.BitsAllocated)


def _fill_padding(stored: npt.NDArray[Any], dataset: Dataset) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Pixel Padding Value (0028,0120) replaced by the nearest value that the picture really has.

    Padding is often far outside the picture's range and would spoil every window on it.
    """
    first = dataset.get("PixelPaddingValue")
    if not isinstance(first, int):
        return stored, ()
    last = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((first, last if isinstance(last, int) else first))
    is_padding = (stored >= low) & (stored <= high)
    n_padding = int(np.count_nonzero(is_padding))
    if n_padding in (0, stored.size):
        return stored, ()
    real = stored[~is_padding]
    floor, ceiling = real.min(), real.max()
    fill = ceiling if low + high > int(floor) + int(ceiling) else floor
    filled = np.where(is_padding, fill, stored)
    return filled, (f"{n_padding} padding pixels set to {fill}, the nearest value of the picture",)


def _rescale(stored: npt.NDArray[Any], dataset: Dataset) -> tuple[Pixels, int, tuple[str, ...], float]:
    """Pixels after the modality transformation (PS3.3 C.11.1), significant bits, notes, the slope.

    Whole values that fit stay integers; others become float32, 32 bit.
    """
    bits = _bits_stored(dataset)
    if dataset.get("ModalityLUTSequence"):
        pixels, depth, notes = narrow(apply_modality_lut(stored, dataset), _MAX_BITS)
        return pixels, depth, ("modality lookup table applied", *notes), 1.0
    slope = float(dataset.get("RescaleSlope") or 1.0)
    intercept = float(dataset.get("RescaleIntercept") or 0.0)
    if not (np.isfinite(slope) and np.isfinite(intercept)):
        raise damaged("DICOM", "rescale slope or intercept is not a number")
    if (slope, intercept) == (1.0, 0.0):
        return *narrow(stored, bits), 1.0
    notes = (f"rescaled by {slope:g} x value {intercept:+g}",)
    ends = [float(v) * slope + intercept for v in (stored.min(), stored.max())]
    is_whole = slope.is_integer() and intercept.is_integer() and stored.dtype.kind in "iu"
    if is_whole and min(ends) >= 0 and max(ends) <= _UINT16_MAX:
        whole = (stored.astype(np.int64) * int(slope) + int(intercept)).astype(np.uint16)
        possible = max(_MIN_BITS, min(_MAX_BITS, _possible_bits(stored, bits, slope, intercept)))
        depth = max(possible, int(max(ends)).bit_length())
        return (whole.astype(np.uint8) if depth == _MIN_BITS else whole), depth, notes, slope
    with np.errstate(over="ignore"):
        floating = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return *narrow(floating, 32)[:2], notes, slope


def _possible_bits(stored: npt.NDArray[Any], bits: int, slope: float, intercept: float) -> int:
    """Bits that the rescaled range of the stored depth needs."""
    low, high = (0, (1 << bits) - 1)
    if stored.dtype.kind == "i":
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return int(max(low * slope + intercept, high * slope + intercept, 1)).bit_length()

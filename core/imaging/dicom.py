"""DICOM and DICONDE (ASTM E2339): data set by pydicom, compressed pixels by pylibjpeg."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from core.domain.errors import UnreadableImageError
from core.imaging.codestream import Codestream
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
from core.imaging.dicom_settle import check_syntax, settle, settle_decimals
from core.imaging.dicom_values import bits_stored, rescale, significant
from core.imaging.limits import MAX_FRAMES
from core.imaging.pixels import narrow, to_grey

_LOSSLESS = (
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
)


def count_frames(data: bytes) -> int:
    """Number of frames in a DICOM file; 1 where the header cannot be read, since reading it says why.

    Raises:
        UnreadableImageError: a file of several frames that is damaged, holds fewer than it says, or too many.
    """
    try:
        with clear_errors("DICOM", BytesLengthException, InvalidDicomError):
            header = parse_dicom(data, has_pixels=False)
            settle(header)
            count = n_frames(header)
    except UnreadableImageError:
        return 1
    if count > MAX_FRAMES:
        raise UnreadableImageError(f"expected a DICOM file of at most {MAX_FRAMES} frames, got {count}")
    if count > 1:
        with clear_errors("DICOM", BytesLengthException, InvalidDicomError):
            dataset = parse_dicom(data)
            settle(dataset)
            check_header(dataset, len(data))
            check_syntax(dataset)
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
        notes = settle(dataset)
        check_header(dataset, len(data))
        check_syntax(dataset)
        count = n_frames(dataset)
        if not 1 <= frame <= count:
            raise UnreadableImageError(f"expected a frame from 1 to {count}, got {frame}")
        stream = check_frame(dataset, frame - 1)
        from_functional_groups(dataset, frame - 1)
        settle_decimals(dataset)
        decoded = _decode(dataset, frame - 1, stream)
        return replace(decoded, notes=notes + decoded.notes, n_frames=count, frame=frame)


def _decode(dataset: Dataset, index: int, stream: Codestream | None) -> Decoded:
    is_sign_known = dataset.get("PixelRepresentation") is not None or "PixelData" not in dataset
    if not is_sign_known:
        dataset.PixelRepresentation = 0
    stored = _stored_frame(dataset, index)
    if not is_sign_known:
        _require_no_sign(stored, dataset)
    if stored.ndim == 3:
        return _colour(dataset, stored)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return _colour(dataset, apply_color_lut(stored, dataset))
    is_aligned = stream is not None and stream.precision <= bits_stored(dataset)
    is_kept = stream is not None and dataset.file_meta.TransferSyntaxUID in _LOSSLESS
    stored, cut_notes = significant(stored, dataset, is_aligned=is_aligned, is_kept=is_kept)
    stored, padding_notes = _fill_padding(stored, dataset)
    pixels, depth, rescale_notes, slope = rescale(stored, dataset)
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
        notes=cut_notes + padding_notes + rescale_notes + polarity_notes + pitch_notes,
        fields=diconde_fields(dataset),
    )


def _stored_frame(dataset: Dataset, index: int) -> npt.NDArray[Any]:
    """The stored values of frame `index`, from 0, with all bits that are allocated unless they are colour."""
    plugin = _plugin(dataset)
    if int(dataset.BitsAllocated) > 1:
        is_colour = int(dataset.SamplesPerPixel) > 1
        return pixel_array(dataset, index=index, decoding_plugin=plugin, correct_unused_bits=is_colour)
    # frames of single bits need not begin at a byte (PS3.5 8.1.1), which decoding by index expects
    every = pixel_array(dataset, decoding_plugin=plugin)
    return np.asarray(every[index] if n_frames(dataset) > 1 else every)


def _require_no_sign(stored: npt.NDArray[Any], dataset: Dataset) -> None:
    """Refuse values that would be negative if signed, where nobody says whether they are."""
    if int(stored.max()) >> (bits_stored(dataset) - 1):
        raise damaged("DICOM", "PixelRepresentation is missing, so its values may be signed or not")


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

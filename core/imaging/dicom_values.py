"""Stored values of a DICOM picture as the values that they stand for: PS3.3 section C.11.1, PS3.5 8.1.1."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from core.domain.radiograph import Pixels
from core.imaging.damage import damaged
from core.imaging.pixels import narrow

_MAX_BITS, _MIN_BITS = 16, 8
_UINT16_MAX = 65535

Values = npt.NDArray[Any]


def significant(
    stored: Values, dataset: Dataset, *, is_aligned: bool, is_kept: bool = False
) -> tuple[Values, tuple[str, ...]]:
    """Values cut to Bits Stored: old files keep overlays in the bits above and below (PS3.5 8.1.1).

    Args:
        stored: as decoded.
        dataset: says where the bits lie.
        is_aligned: True where the values begin at bit 0 whatever High Bit says, as in most codestreams.
        is_kept: True where a codestream kept each bit; it holds no overlays (PS3.5 8.1.2), so all are grey.

    Raises:
        UnreadableImageError: the codestream fills bits below those that the header calls stored.
    """
    if stored.dtype.kind not in "iu":
        return stored, ()
    allocated, bits = stored.dtype.itemsize * 8, bits_stored(dataset)
    low_bit = 0 if is_aligned else int(dataset.get("HighBit", bits - 1) or 0) - bits + 1
    if low_bit < 0 or low_bit + bits > allocated:  # a High Bit that contradicts Bits Stored says nothing
        low_bit = 0
    if low_bit == 0 and bits >= allocated:
        return stored, ()
    if is_kept and low_bit > 0 and (stored & ((1 << low_bit) - 1)).any():
        raise damaged(
            "DICOM",
            f"the header says {bits} bits from bit {low_bit}; the compressed frame fills those below, too",
        )
    is_signed = stored.dtype.kind == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    if low_bit == 0 and low <= int(stored.min()) and int(stored.max()) <= high:
        return stored, ()
    # A shift to the top drops the bits above; the shift back brings the sign along.
    cut = (stored << (allocated - bits - low_bit)) >> (allocated - bits)
    is_cut = low_bit == 0 and not is_signed
    return cut, (
        f"values above {bits} bit, which the file says are stored, were cut to them",
    ) if is_cut else ()


def bits_stored(dataset: Dataset) -> int:
    """Bits Stored (0028,0101), all that are allocated where it is missing."""
    return int(dataset.get("BitsStored") or dataset.BitsAllocated)


def rescale(stored: Values, dataset: Dataset) -> tuple[Pixels, int, tuple[str, ...], float]:
    """Pixels after the modality transformation (PS3.3 C.11.1), significant bits, notes, the slope.

    Whole values that fit stay integers; others become float32, 32 bit.

    Raises:
        UnreadableImageError: slope or intercept is not finite, or a lookup table that is cut off.
    """
    bits = bits_stored(dataset)
    if (table := _modality_table(dataset)) is not None:
        looked_up, depth = _look_up(stored, table, dataset)
        pixels, depth, notes = narrow(looked_up, depth)
        return pixels, depth, ("modality lookup table applied", *notes), 1.0
    stated = dataset.get("RescaleSlope")
    slope, intercept = float(stated or 1.0), float(dataset.get("RescaleIntercept") or 0.0)
    if not (np.isfinite(slope) and np.isfinite(intercept)):
        raise damaged("DICOM", "rescale slope or intercept is not a number")
    if (slope, intercept) == (1.0, 0.0):
        pixels, depth, notes = narrow(stored, bits)
        is_zero = stated is not None and float(stated) == 0.0
        return pixels, depth, (*notes, *(("rescale slope 0 taken as 1",) if is_zero else ())), 1.0
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


def _possible_bits(stored: Values, bits: int, slope: float, intercept: float) -> int:
    """Bits that the rescaled range of the stored depth needs."""
    low, high = (0, (1 << bits) - 1)
    if stored.dtype.kind == "i":
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return int(max(low * slope + intercept, high * slope + intercept, 1)).bit_length()


def _modality_table(dataset: Dataset) -> Dataset | None:
    """The first item of Modality LUT Sequence (0028,3000); None where it is missing or empty."""
    item = next(iter(dataset.get("ModalityLUTSequence") or ()), None)
    is_empty = item is None or item.get("LUTDescriptor") in (None, "") or "LUTData" not in item
    return None if is_empty else item


def _look_up(stored: Values, table: Dataset, dataset: Dataset) -> tuple[Values, int]:
    """The entries of the table, whatever its depth, and their bits (PS3.3 section C.11.1.1.1)."""
    descriptor = [int(value) for value in table.LUTDescriptor]
    if len(descriptor) != 3:
        raise damaged("DICOM", f"a lookup table with a descriptor of {len(descriptor)} values")
    count, first, bits = descriptor[0] or 2**16, descriptor[1], descriptor[2]
    if stored.dtype.kind == "i" and first > _UINT16_MAX // 2:
        first -= 2**16  # the descriptor was written as unsigned
    entries = _entries(
        table, count, bits, is_little=bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)
    )
    index = np.clip(stored.astype(np.int64) - first, 0, count - 1)
    depth = max(_MIN_BITS, min(_MAX_BITS, bits), int(entries.max()).bit_length())
    return entries[index], depth


def _entries(table: Dataset, count: int, bits: int, *, is_little: bool) -> Values:
    """`count` entries: of 16 bit, or where that is what is there, of 8 bit, two packed in each word."""
    value = table["LUTData"].value
    if isinstance(value, bytes):
        raw, order = value, "<" if is_little else ">"
    else:
        words = np.atleast_1d(np.asarray(value, np.int64)) & _UINT16_MAX
        raw, order = words.astype("<u2").tobytes(), "<"
    if len(raw) >= 2 * count:
        return np.frombuffer(raw, f"{order}u2", count).astype(np.uint16)
    if bits <= _MIN_BITS and len(raw) >= count:
        return np.frombuffer(raw, np.uint8, count).astype(np.uint16)
    raise damaged("DICOM", f"a lookup table of {len(raw) // 2} entries, it should hold {count}")

"""What pydicom, tifffile and Pillow read of a file, as grey values to compare with."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import tifffile
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import RLELossless

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Radiograph
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in

Grey = npt.NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])
#: Whole grey values: rounded luma lies within a half of the exact one; the fixed point of 16 bit within two.
LUMA_TOLERANCE = {8: 0.51, 16: 2.0}
#: Share of a value that float32 keeps.
FLOAT_SHARE = 2.0**-22


def ours(data: bytes, name: str = "film") -> list[Radiograph]:
    """Every picture in the file; UnreadableImageError where one is refused."""
    return [read_radiograph(one.read(), one.name, frame=one.frame) for one in frames_in(data, name)]


def refusal(data: bytes, name: str = "film") -> str:
    """Why a picture in the file is refused; empty where all are read."""
    try:
        ours(data, name)
    except UnreadableImageError as error:
        return str(error)
    return ""


def by_pydicom(data: bytes) -> Grey:
    """(N, H, W): every frame after the modality transformation, colour as exact luma."""
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    stored = _stored(dataset)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, dataset)
    elif dataset.SamplesPerPixel == 1:
        stored = np.asarray(apply_modality_lut(stored, dataset))
    is_colour = dataset.SamplesPerPixel > 1 or dataset.PhotometricInterpretation == "PALETTE COLOR"
    grey = stored.astype(np.float64) @ LUMA if is_colour else stored.astype(np.float64)
    return grey.reshape(-1, *grey.shape[-2:])


def _stored(dataset: pydicom.Dataset) -> npt.NDArray[Any]:
    """Stored values; uncompressed ones begin where High Bit says (PS3.5 8.1.1), which pydicom does not do.

    RLE is decoded by pydicom: pylibjpeg-rle panics on damaged data, past every `except`.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    plugin = "pydicom" if syntax == RLELossless else ""
    allocated, bits = int(dataset.BitsAllocated), int(dataset.BitsStored)
    unused = int(dataset.get("HighBit", bits - 1)) - bits + 1
    if unused <= 0 or unused + bits > allocated or syntax.is_compressed or dataset.SamplesPerPixel > 1:
        return np.asarray(pixel_array(dataset, decoding_plugin=plugin))
    stored = pixel_array(dataset, correct_unused_bits=False)
    return (stored << (allocated - unused - bits)) >> (allocated - bits)


def by_tifffile(data: bytes) -> list[npt.NDArray[Any]]:
    """Each page, as (H, W) or (H, W, C)."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        found = []
        for page in tiff.pages:
            planes = page.asarray()
            is_separate = planes.ndim == 3 and int(page.planarconfig or 1) == 2
            found.append(np.moveaxis(planes, 0, -1) if is_separate else planes)
        return found


def by_pillow(data: bytes) -> npt.NDArray[Any]:
    """The first picture, at the depth that Pillow gives it; black and white as 0 and 255."""
    with Image.open(io.BytesIO(data)) as image:
        scale = 255 if image.mode == "1" else 1
        return np.asarray(image.convert("RGB") if image.mode in ("P", "CMYK", "PA") else image) * scale


def luma_of(planes: npt.NDArray[Any]) -> Grey:
    """(H, W) grey of what a reference read; alpha is dropped."""
    values = planes.astype(np.float64)
    if planes.ndim == 2:
        return values
    n_shown = 3 if planes.shape[2] >= 3 else 1
    return values[..., :3] @ LUMA if n_shown == 3 else values[..., 0]


def shifted_back(radiograph: Radiograph) -> Grey:
    """The values as the file has them: signed ones were shifted up to fit."""
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        values = radiograph.pixels.astype(np.float64)
    for note in radiograph.notes:
        if note.startswith("signed pixels shifted up by "):
            values -= int(note.rsplit(" ", 1)[1])
    return values


def difference(radiograph: Radiograph, expected: Grey) -> float:
    """The largest one, in grey values; of large floats what float32 cannot keep does not count."""
    found = shifted_back(radiograph)
    assert found.shape == expected.shape, f"{found.shape}, the reference {expected.shape}"
    both = np.isfinite(found) & np.isfinite(expected)
    assert np.array_equal(np.isfinite(found), np.isfinite(expected))
    off = np.abs(found[both] - expected[both])
    if radiograph.bit_depth > 16:
        off = np.maximum(0, off - FLOAT_SHARE * np.abs(expected[both]))
    return round(float(off.max(initial=0)), 6)

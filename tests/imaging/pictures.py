"""Pictures of every format, written on the fly by the libraries that own the formats."""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, generate_uid


def picture(dtype: Any, shape: tuple[int, int] = (24, 31), bits: int = 16) -> np.ndarray:
    """A ramp with noise that uses the whole depth, (24, 31) unless told."""
    top = 255 if dtype == np.uint8 else (1 << bits) - 1
    ramp = np.linspace(0, 1, shape[0] * shape[1]).reshape(shape)
    noise = np.random.default_rng(3).uniform(-0.03, 0.03, shape)
    return np.clip((ramp + noise) * top, 0, top).astype(dtype)


def pillow_bytes(array: np.ndarray, file_format: str, **options: Any) -> bytes:
    """The file that Pillow writes of an array."""
    stream = BytesIO()
    Image.fromarray(array).save(stream, format=file_format, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with a right CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    """A PNG with exactly this header and these filtered rows."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_dicom(
    pixels: np.ndarray,
    *,
    bits: int | None = None,
    photometric: str = "MONOCHROME2",
    frames: int = 1,
    syntax: str = ExplicitVRLittleEndian,
    compressed: bytes | Sequence[bytes] | None = None,
    has_preamble: bool = True,
    **elements: Any,
) -> bytes:
    """A DICOM file of (H, W) or (frames, H, W) or (H, W, 3) pixels; `elements` by keyword.

    `compressed` is the codestream, or one for each frame.
    """
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["radiograph"])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality = "DX"
    is_colour = pixels.ndim == 3 and frames == 1
    dataset.Rows, dataset.Columns = pixels.shape[:2] if is_colour else pixels.shape[-2:]
    dataset.SamplesPerPixel = 3 if is_colour else 1
    if is_colour:
        dataset.PlanarConfiguration = 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    codestreams = [compressed] if isinstance(compressed, bytes) else list(compressed or ())
    dataset.PixelData = encapsulate(codestreams) if codestreams else pixels.tobytes()
    if compressed is not None:
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax != ExplicitVRLittleEndian:
        if pydicom.uid.UID(syntax).is_encapsulated:
            dataset.compress(syntax, generate_instance_uid=False)
        else:
            dataset.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    if has_preamble:
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    else:
        syntax_uid = dataset.file_meta.TransferSyntaxUID
        del dataset.file_meta
        pydicom.dcmwrite(
            stream,
            dataset,
            enforce_file_format=False,
            implicit_vr=pydicom.uid.UID(syntax_uid).is_implicit_VR,
            little_endian=True,
        )
    return stream.getvalue()


def functional_groups(spacings: Sequence[float], *, shared: float) -> dict[str, list[pydicom.Dataset]]:
    """The elements of an enhanced file whose frames have these pixel spacings, mm, and all have `shared`."""

    def group(spacing: float, slope: float) -> pydicom.Dataset:
        measures, values, item = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        measures.PixelSpacing = [spacing, spacing]
        values.RescaleSlope, values.RescaleIntercept = slope, 0
        item.PixelMeasuresSequence, item.PixelValueTransformationSequence = [measures], [values]
        return item

    own = [group(spacing, number) for number, spacing in enumerate(spacings, 1)]
    return {
        "SharedFunctionalGroupsSequence": [group(shared, 1)],
        "PerFrameFunctionalGroupsSequence": own,
    }

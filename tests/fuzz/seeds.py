"""One small good file of every format, packing and container that can be handed in."""

import functools
import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from tests.imaging import lossless_jpeg
from tests.imaging.pictures import functional_groups, picture, pillow_bytes, write_dicom
from tests.imaging.zips import zip_of

_SHAPE = (40, 50)


@functools.cache
def seeds() -> dict[str, bytes]:
    """File by name; the same bytes in every run."""
    grey, deep = picture(np.uint8, _SHAPE), picture(np.uint16, _SHAPE)
    colour = np.dstack([grey, grey[::-1], grey[:, ::-1]])
    files = {
        "grey.png": pillow_bytes(grey, "PNG"),
        "deep.png": pillow_bytes(deep, "PNG"),
        "colour.png": pillow_bytes(colour, "PNG"),
        "alpha.png": pillow_bytes(np.dstack([grey, grey]), "PNG"),
        "palette.png": _saved(Image.fromarray(colour).quantize(16), "PNG"),
        "animated.png": _animated(grey),
        "grey.jpg": pillow_bytes(grey, "JPEG"),
        "progressive.jpg": pillow_bytes(colour, "JPEG", progressive=True),
        "cmyk.jpg": _saved(Image.fromarray(colour).convert("CMYK"), "JPEG"),
        "exif.jpg": pillow_bytes(grey, "JPEG", exif=_exif(), dpi=(508, 508)),
        "grey.bmp": pillow_bytes(grey, "BMP"),
        "bilevel.bmp": _saved(Image.fromarray(grey > 99), "BMP"),
        "palette.bmp": _saved(Image.fromarray(colour).quantize(16), "BMP"),
        "plain.tif": _tiff(deep),
        "big-endian.tif": _tiff(deep, byteorder=">"),
        "big.tif": _tiff(deep, bigtiff=True),
        "deflated.tif": _tiff(deep, compression="zlib", predictor=True, rowsperstrip=9),
        "tiled.tif": _tiff(deep, tile=(16, 16)),
        "float.tif": _tiff(deep.astype(np.float32)),
        "planes.tif": _tiff(np.stack([grey] * 3), photometric="rgb", planarconfig="separate"),
        "pages.tif": _tiff(np.stack([grey] * 3), photometric="minisblack"),
        "lzw.tif": pillow_bytes(deep, "TIFF", compression="tiff_lzw"),
        "packbits.tif": pillow_bytes(grey, "TIFF", compression="packbits"),
        "jpeg.tif": pillow_bytes(grey, "TIFF", compression="jpeg"),
        "bilevel.tif": _saved(Image.fromarray(grey > 99), "TIFF"),
        "palette.tif": _saved(Image.fromarray(colour).quantize(16), "TIFF"),
        "plain.dcm": write_dicom(deep, bits=12, PixelSpacing=[0.1, 0.1], PatientName="Weld^7"),
        "implicit.dcm": write_dicom(deep, syntax=ImplicitVRLittleEndian),
        "bare.dcm": write_dicom(deep, has_preamble=False),
        "rescaled.dcm": write_dicom(
            deep.astype(np.int16), RescaleSlope="2", RescaleIntercept="-7", PixelPaddingValue=3
        ),
        "colour.dcm": write_dicom(colour, photometric="RGB"),
        "frames.dcm": write_dicom(np.stack([deep] * 2), frames=2),
        "rle.dcm": write_dicom(deep, syntax=RLELossless),
        "lossless.dcm": write_dicom(deep, syntax=JPEGLosslessSV1, compressed=lossless_jpeg.encode(deep, 16)),
        "baseline.dcm": write_dicom(grey, syntax=JPEGBaseline8Bit, compressed=pillow_bytes(grey, "JPEG")),
        "jpeg2000.dcm": write_dicom(deep, syntax=JPEG2000Lossless),
        "frames-rle.dcm": write_dicom(np.stack([deep, deep[::-1], deep]), frames=3, syntax=RLELossless),
        "frames-lossless.dcm": write_dicom(
            np.stack([deep] * 2),
            frames=2,
            syntax=JPEGLosslessSV1,
            compressed=[lossless_jpeg.encode(deep, 16), lossless_jpeg.encode(deep[::-1], 16)],
        ),
        "enhanced.dcm": write_dicom(
            np.stack([grey] * 2), frames=2, **functional_groups([0.2, 0.1], shared=0.3)
        ),
    }
    files |= _newer(grey, deep, colour)
    files["deflated.dcm"] = deflated_dicom(data_set_of(files["plain.dcm"])[1])
    files["big-endian.dcm"] = _big_endian(files["plain.dcm"])
    files["one.zip"] = zip_of(("film.png", files["grey.png"]))
    files["many.zip"] = zip_of(
        ("a/film.dcm", files["plain.dcm"]), ("readme.txt", b"200 kV"), ("b.tif", files["lzw.tif"])
    )
    files["frames.zip"] = zip_of(("panel.dcm", files["frames.dcm"]), ("film.png", files["grey.png"]))
    return files


def _newer(grey: np.ndarray, deep: np.ndarray, colour: np.ndarray) -> dict[str, bytes]:
    """Files of several pictures, and of codecs that imagecodecs has."""
    blurred = np.sort(deep >> 4, axis=1)
    files = {
        f"{packing}.tif": _tiff(deep, compression=packing, rowsperstrip=40)
        for packing in ("zstd", "lzma", "lerc", "jpeg2000")
    }
    return files | {
        "rgb-jpeg.tif": _tiff(colour, photometric="rgb", compression="jpeg"),
        "deep-jpeg.tif": _tiff(
            iter([bytes(imagecodecs.jpeg8_encode(blurred, 98, bitspersample=12))]),
            shape=_SHAPE,
            dtype=np.uint16,
            bitspersample=12,
            compression="jpeg",
            rowsperstrip=_SHAPE[0],
        ),
        "child.tif": _tiff_with_child(deep),
        "imagej.tif": _tiff(np.stack([deep] * 3), imagej=True),
        "ome.tif": _tiff(np.stack([grey] * 2), ome=True, metadata={"axes": "ZYX"}),
        "stack.tif": _tiff(deep, description="ImageJ=1.54f\nimages=2\n", metadata=None, software=False)
        + deep.tobytes(),
        "deep.jpg": bytes(imagecodecs.jpeg8_encode(blurred, 98, bitspersample=12)),
        "raw.pgm": b"P5 # film\n50 40\n65535\n" + deep.astype(">u2").tobytes(),
        "plain.pgm": b"P2 50 40 255 " + " ".join(map(str, grey.ravel())).encode(),
        "film.npy": _npy(deep),
        "stack.npy": _npy(np.stack([grey] * 3)),
        "throughput.dcm": write_dicom(
            deep,
            syntax="1.2.840.10008.1.2.4.201",
            compressed=bytes(imagecodecs.htj2k_encode(deep, reversible=True)),
        ),
        "left.dcm": write_dicom((deep >> 4) << 4, bits=12, HighBit=15),
        "preamble.dcm": b"II*\0\x08\0\0\0" + write_dicom(deep)[8:],
    }


def data_set_of(dicom: bytes) -> tuple[bytes, bytes]:
    """A DICOM file cut behind its file meta information."""
    (length,) = struct.unpack_from("<I", dicom, 140)
    return dicom[: 144 + length], dicom[144 + length :]


def deflated_dicom(data_set: bytes) -> bytes:
    """A DICOM file whose data set is deflated."""
    whole = write_dicom(picture(np.uint8, (2, 2)), syntax=DeflatedExplicitVRLittleEndian)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return data_set_of(whole)[0] + packer.compress(data_set) + packer.flush()


def _big_endian(dicom: bytes) -> bytes:
    """The same file, said to be big endian although its data set is not."""
    return dicom.replace(b"1.2.840.10008.1.2.1\0", ExplicitVRBigEndian.encode() + b"\0")


def _tiff(array: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def _tiff_with_child(deep: np.ndarray) -> bytes:
    """A thumbnail whose SubIFD is the film."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(deep[::4, ::4].copy(), subifds=1, subfiletype=1)
        writer.write(deep, subfiletype=0)
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _saved(image: Image.Image, file_format: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format)
    return stream.getvalue()


def _animated(grey: np.ndarray) -> bytes:
    stream = io.BytesIO()
    frames = [Image.fromarray(grey), Image.fromarray(grey[::-1].copy())]
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:], duration=10)
    return stream.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "weld 7"
    return exif

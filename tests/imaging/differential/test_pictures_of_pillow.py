"""PNG, JPEG, BMP and PGM of every kind that Pillow writes, read here and by Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.imaging.differential.references import by_pillow, difference, luma_of, ours
from tests.imaging.pictures import picture

SHAPE = (37, 53)
DEEP = picture(np.uint16, SHAPE)
COLOUR = Image.fromarray(np.dstack([DEEP >> 8, DEEP[::-1] >> 9, DEEP[:, ::-1] >> 8]).astype(np.uint8))
#: Rounded luma; JPEG is decoded by the same library twice.
TOLERANCE = 0.51


def saved(mode: str, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    if mode == "I;16":
        image = Image.fromarray(DEEP)
    else:
        image = COLOUR.quantize(16) if mode == "P" else COLOUR.convert(mode)
    image.save(stream, file_format, **options)
    return stream.getvalue()


def compare(data: bytes) -> None:
    (radiograph,) = ours(data)
    assert difference(radiograph, luma_of(by_pillow(data))) <= TOLERANCE


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("options", [{}, {"compress_level": 0}, {"optimize": True}])
def test_png(mode, options):
    compare(saved(mode, "PNG", **options))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_colours(bits):
    compare(saved("P", "PNG", bits=4) if bits == 4 else _few(bits))


def _few(bits: int) -> bytes:
    stream = io.BytesIO()
    COLOUR.quantize(2**bits).save(stream, "PNG", bits=bits)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("quality", [30, 75, 100])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True},
        {"subsampling": 0},
        {"subsampling": 2},
        {"restart_marker_rows": 1},
    ],
)
def test_jpeg(mode, quality, options):
    compare(saved(mode, "JPEG", quality=quality, **options))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp(mode):
    compare(saved(mode, "BMP"))


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_pgm(mode):
    compare(saved(mode, "PPM"))

"""TIFFs of every kind that tifffile and Pillow write, read here and by them, grey value by grey value."""

import io
import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.domain.errors import UnreadableImageError
from tests.imaging.differential.references import (
    LUMA_TOLERANCE,
    by_pillow,
    by_tifffile,
    difference,
    luma_of,
    ours,
)
from tests.imaging.pictures import picture

SHAPE = (37, 53)
DTYPES = ("u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8")
PACKINGS = (None, "zlib", "lzw", "packbits", "zstd", "lzma", "lerc", "jpeg2000")
LAYOUTS = ({}, {"rowsperstrip": 5}, {"tile": (16, 32)})
#: Of JPEG, whose inverse transform may be rounded in another way by another build.
JPEG_TOLERANCE = 4.0


def values(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """A picture over the whole range of whole numbers, and both signs of floats."""
    kind = np.dtype(dtype)
    base = np.resize(picture(np.uint16, SHAPE), shape).astype(np.float64) / 65535
    if kind.kind == "f":
        return ((base - 0.25) * 1000).astype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return (low + base * (float(high) - low)).astype(kind)


def written(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def compare(data: bytes, *, tolerance: float = 0.0) -> None:
    """Every page as tifffile reads it."""
    for radiograph, planes in zip(ours(data), by_tifffile(data), strict=True):
        is_luma = "colour converted to grey" in radiograph.notes
        allowed = tolerance + (LUMA_TOLERANCE.get(radiograph.bit_depth, 2.0) if is_luma else 0.0)
        expected = luma_of(planes)
        assert difference(radiograph, expected) <= allowed


def _can(packing: str | None, dtype: str, layout: dict[str, object]) -> bool:
    """What tifffile and the codecs write at all."""
    if packing == "jpeg2000":
        return dtype in ("u1", "u2") and "rowsperstrip" not in layout
    return packing != "lerc" or dtype not in ("f2", "f8")


CASES = [
    (dtype, packing, layout)
    for dtype, packing, layout in itertools.product(DTYPES, PACKINGS, LAYOUTS)
    if _can(packing, dtype, layout)
]


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_packing_and_layout_is_read_as_tifffile_reads_it(dtype, byteorder):
    for index, (_, packing, layout) in enumerate(case for case in CASES if case[0] == dtype):
        if packing == "lerc" and byteorder == ">":  # tifffile does not write it
            continue
        compare(
            written(values(dtype), compression=packing, byteorder=byteorder, bigtiff=index % 2 == 0, **layout)
        )


@pytest.mark.parametrize("packing", ["zlib", "lzw", "zstd", "lzma"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "f2", "f4", "f8"])
def test_predictors_are_undone_as_tifffile_does(dtype, packing):
    for layout, byteorder in itertools.product(LAYOUTS, "<>"):
        compare(written(values(dtype), compression=packing, predictor=True, byteorder=byteorder, **layout))


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("n_channels", [3, 4])
def test_colour_is_read_as_tifffile_reads_it(dtype, planarconfig, n_channels):
    shape = (*SHAPE, n_channels) if planarconfig == "contig" else (n_channels, *SHAPE)
    alpha = {"extrasamples": ["unassalpha"]} if n_channels == 4 else {}
    for packing, layout in itertools.product((None, "zlib"), LAYOUTS):
        compare(
            written(
                values(dtype, shape),
                photometric="rgb",
                planarconfig=planarconfig,
                compression=packing,
                **alpha,
                **layout,
            )
        )


@pytest.mark.parametrize(
    "options", [{}, {"imagej": True}, {"ome": True}, {"bigtiff": True}, {"compression": "zlib"}]
)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_stacks_are_read_page_by_page(dtype, options):
    stack = np.stack([np.roll(values(dtype), n, axis=0) for n in range(3)])
    described = {} if {"imagej", "ome"} & set(options) else {"photometric": "minisblack"}
    data = written(stack, **described, **options)
    np.testing.assert_array_equal([one.pixels for one in ours(data)], stack)


@pytest.mark.parametrize("bits", range(2, 16))
def test_packed_samples_are_read_as_tifffile_reads_them(bits):
    dtype = np.uint8 if bits <= 8 else np.uint16
    pixels = (picture(np.uint16, SHAPE) >> (16 - bits)).astype(dtype)
    try:
        data = written(pixels, bitspersample=bits)
    except Exception as error:  # noqa: BLE001 - tifffile packs by a codec that not every build has
        pytest.skip(f"tifffile does not write {bits} bit: {error}")
    scale = 1.0 if bits >= 8 else 255 / (2**bits - 1)
    (radiograph,) = ours(data)
    assert difference(radiograph, np.rint(by_tifffile(data)[0] * scale)) == 0


PILLOW = [
    ("1", None),
    ("L", None),
    ("L", "packbits"),
    ("L", "tiff_lzw"),
    ("L", "tiff_adobe_deflate"),
    ("L", "jpeg"),
    ("L", "zstd"),
    ("L", "lzma"),
    ("I;16", None),
    ("I;16", "tiff_lzw"),
    ("I;16", "tiff_deflate"),
    ("F", None),
    ("F", "tiff_lzw"),
    ("RGB", None),
    ("RGB", "jpeg"),
    ("RGB", "tiff_lzw"),
    ("RGBA", "tiff_adobe_deflate"),
    ("LA", None),
    ("P", None),
    ("P", "packbits"),
]


def pillow_image(mode: str) -> Image.Image:
    deep = picture(np.uint16, SHAPE)
    if mode == "I;16":
        return Image.fromarray(deep)
    if mode == "F":
        return Image.fromarray(deep.astype(np.float32) / 7)
    colour = np.dstack([deep >> 8, deep[::-1] >> 9, deep[:, ::-1] >> 8]).astype(np.uint8)
    image = Image.fromarray(colour)
    return image.quantize(16) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize(("mode", "compression"), PILLOW)
def test_what_libtiff_writes_is_read_as_pillow_reads_it(mode, compression):
    stream = io.BytesIO()
    try:
        pillow_image(mode).save(
            stream, "TIFF", **({} if compression is None else {"compression": compression})
        )
    except OSError as error:
        pytest.skip(f"this libtiff does not write {compression}: {error}")
    data = stream.getvalue()
    reference = by_pillow(data)
    (radiograph,) = ours(data)
    scale = 257.0 if mode == "P" else 1.0
    tolerance = (
        JPEG_TOLERANCE if compression == "jpeg" else {"P": 200.0, "RGB": 0.51, "RGBA": 0.51}.get(mode, 0.0)
    )
    assert difference(radiograph, luma_of(reference) * scale) <= tolerance


@pytest.mark.parametrize("compression", ["group3", "group4", "webp"])
def test_what_is_packed_in_a_way_that_is_not_kept_is_named(compression):
    stream = io.BytesIO()
    try:
        pillow_image("1" if compression.startswith("group") else "RGB").save(
            stream, "TIFF", compression=compression
        )
    except OSError as error:
        pytest.skip(f"this libtiff does not write {compression}: {error}")
    with pytest.raises(UnreadableImageError, match="not supported: "):
        ours(stream.getvalue())

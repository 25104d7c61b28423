"""TIFF and DICOM headers that hypothesis makes, against tifffile and against the standard's own words."""

import io
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
import pydicom
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.worker import LONGEST_MESSAGE
from tests.imaging.differential.references import LUMA_TOLERANCE, difference, luma_of, ours, refusal
from tests.imaging.pictures import write_dicom

made = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_SIZES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 16: "Q"}


class Entry(NamedTuple):
    tag: int
    kind: int
    values: tuple[int, ...]


def tiff_with(entries: list[Entry], strips: list[bytes], order: str) -> bytes:
    """A classic TIFF of one directory, its strips behind the header."""
    offsets, body = [], b""
    for strip in strips:
        offsets.append(8 + len(body))
        body += strip + b"\0" * (len(strip) % 2)
    entries = sorted([*entries, Entry(273, 4, tuple(offsets)), Entry(279, 4, tuple(map(len, strips)))])
    first = 8 + len(body)
    extra_at, fields, extra = first + 2 + 12 * len(entries) + 4, b"", b""
    for tag, kind, values in entries:
        packed = struct.pack(f"{order}{len(values) * len(_SIZES[kind])}{_SIZES[kind][0]}", *values)
        count = len(values) // len(_SIZES[kind])
        if len(packed) > 4:
            value = struct.pack(f"{order}I", extra_at + len(extra))
            extra += packed + b"\0" * (len(packed) % 2)
        else:
            value = packed.ljust(4, b"\0")
        fields += struct.pack(f"{order}HHI", tag, kind, count) + value
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}I", first)
    return head + body + struct.pack(f"{order}H", len(entries)) + fields + bytes(4) + extra


@st.composite
def tiffs(draw: st.DrawFn) -> bytes:
    """A file that says one thing only, of any size, depth, kind of sample, packing and layout."""
    order = draw(st.sampled_from("<>"))
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    kind = draw(st.sampled_from((1, 2, 3)))
    bits = draw(st.sampled_from({1: (8, 16, 32), 2: (8, 16, 32), 3: (16, 32, 64)}[kind]))
    photometric, samples = draw(st.sampled_from(((0, 1), (1, 1), (2, 3)) if kind == 1 else ((1, 1), (2, 3))))
    planar = draw(st.sampled_from((1, 2))) if samples > 1 else 1
    rows = draw(st.integers(1, height))
    n_row_bytes = width * bits // 8 * (samples if planar == 1 else 1)
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    strips = []
    for _ in range(samples if planar == 2 else 1):
        for top in range(0, height, rows):
            n_rows = min(rows, height - top)
            dtype = np.dtype(f"{order}{'uif'[kind - 1]}{bits // 8}")
            raw = source.integers(0, 200, n_rows * n_row_bytes // dtype.itemsize).astype(dtype).tobytes()
            strips.append(raw)
    compression = draw(st.sampled_from((1, 8)))
    if compression == 8:
        strips = [zlib.compress(strip) for strip in strips]
    entries = [
        Entry(256, 4, (width,)),
        Entry(257, 3, (height,)),
        Entry(258, 3, (bits,) * samples),
        Entry(259, 3, (compression,)),
        Entry(262, 3, (photometric,)),
        Entry(277, 3, (samples,)),
        Entry(278, 3, (rows,)),
        Entry(284, 3, (planar,)),
        Entry(339, 3, (kind,) * samples),
    ]
    return tiff_with(entries, strips, order)


@given(tiffs())
@made
def test_a_tiff_of_any_header_is_read_as_tifffile_reads_it(data):
    (radiograph,) = ours(data)
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        planes = page.asarray()
    planes = np.moveaxis(planes, 0, -1) if planes.ndim == 3 and int(page.planarconfig) == 2 else planes
    expected = luma_of(planes.reshape(page.imagelength, page.imagewidth, -1))
    if int(page.photometric) == 0:
        top = 2.0**radiograph.bit_depth - 1 if radiograph.bit_depth <= 16 else expected.min() + expected.max()
        expected = top - expected
    is_luma = "colour converted to grey" in radiograph.notes
    assert difference(radiograph, expected) <= (
        LUMA_TOLERANCE.get(radiograph.bit_depth, 0.01) if is_luma else 0
    )


_any_entry = st.builds(
    Entry,
    st.sampled_from(
        (254, 255, 256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 317, 320, 322, 323, 330, 338, 339, 347)
    ),
    st.sampled_from((1, 3, 4, 16)),
    st.lists(st.sampled_from((0, 1, 2, 3, 4, 6, 7, 8, 12, 16, 32, 64, 100, 255)), min_size=1, max_size=4).map(
        tuple
    ),
)


@given(
    st.lists(_any_entry, max_size=12),
    st.lists(st.binary(min_size=1, max_size=200), max_size=4),
    st.sampled_from("<>"),
)
@made
def test_a_tiff_of_any_tags_ends_in_pictures_or_one_clear_line(entries, strips, order):
    clear(tiff_with(entries, strips, order))


def clear(data: bytes) -> None:
    """A refusal is one printable line."""
    told = refusal(data)
    assert not told or (told.startswith("expected ") and told.isprintable())
    assert len(told) <= LONGEST_MESSAGE


@st.composite
def dicoms(draw: st.DrawFn) -> tuple[bytes, np.ndarray, dict[str, Any]]:
    """A file, what its words hold, and the elements that say what they mean."""
    allocated = draw(st.sampled_from((8, 16, 32)))
    stored = draw(st.integers(1, allocated))
    about: dict[str, Any] = {
        "BitsAllocated": allocated,
        "BitsStored": stored,
        "HighBit": draw(st.integers(stored - 1, allocated - 1)),
        "PixelRepresentation": draw(st.sampled_from((0, 1))),
        "PhotometricInterpretation": draw(st.sampled_from(("MONOCHROME1", "MONOCHROME2"))),
    }
    if draw(st.booleans()):
        about["RescaleSlope"] = draw(st.sampled_from(("1", "2", "-1", "0.5", "-3", "1e-3", "1,5")))
        about["RescaleIntercept"] = draw(st.sampled_from(("0", "-1024", "7", "0.25")))
    shape = (draw(st.integers(1, 20)), draw(st.integers(1, 20)))
    words = np.frombuffer(
        np.random.default_rng(draw(st.integers(0, 2**32))).bytes(shape[0] * shape[1] * allocated // 8),
        f"<u{allocated // 8}",
    ).reshape(shape)
    written = {
        key: value.replace(",", ".") if isinstance(value, str) else value for key, value in about.items()
    }
    data = write_dicom(words, **written)
    if about.get("RescaleSlope") == "1,5":
        data = data.replace(b"1.5 ", b"1,5 ")
    return data, words, written


@given(dicoms())
@made
def test_a_dicom_file_of_any_header_holds_the_values_of_the_standard(made_file):
    data, words, about = made_file
    (radiograph,) = ours(data)
    stored = about["BitsStored"]
    values = (words.astype(np.int64) >> (about["HighBit"] - stored + 1)) & ((1 << stored) - 1)
    if about["PixelRepresentation"]:
        values = np.where(values >> (stored - 1), values - (1 << stored), values)
    slope, intercept = float(about.get("RescaleSlope", 1)), float(about.get("RescaleIntercept", 0))
    expected = values * slope + intercept
    assert difference(radiograph, expected) <= 2.0**-20 * max(1.0, float(np.abs(expected).max()))
    assert pydicom.dcmread(io.BytesIO(data)).BitsStored == stored


@given(
    st.dictionaries(
        st.sampled_from(
            (
                "SamplesPerPixel",
                "PlanarConfiguration",
                "Rows",
                "Columns",
                "BitsAllocated",
                "BitsStored",
                "HighBit",
            )
        ),
        st.sampled_from((0, 1, 2, 3, 7, 8, 12, 16, 32, 64, 255, 65535)),
        max_size=4,
    ),
    st.sampled_from(("MONOCHROME2", "RGB", "YBR_FULL_422", "YBR_FULL", "PALETTE COLOR", "HSV")),
)
@made
def test_a_dicom_file_of_any_numbers_ends_in_a_picture_or_one_clear_line(numbers, photometric):
    clear(write_dicom(np.arange(240, dtype=np.uint16).reshape(12, 20), photometric=photometric, **numbers))

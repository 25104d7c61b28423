"""What holds for any bytes, any name and any archive."""

import os
import struct
import tracemalloc
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Radiograph
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in, unpack
from tests.fuzz.seeds import seeds
from tests.fuzz.worker import LONGEST_MESSAGE
from tests.imaging.pictures import picture, pillow_bytes, png_chunk, write_dicom
from tests.imaging.zips import zip_of

#: A tenth of the mutated uploads, for each property.
N_EXAMPLES = max(20, int(os.environ.get("RADIKAL_FUZZ_INPUTS", "500")) // 10)
MOST_MIB = 150
often = settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
any_name = st.text(st.characters(codec=None, categories=None), max_size=400)
#: Names that the writer of the archives accepts.
zip_name = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"BM",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0",
    bytes(128) + b"DICM\x02\0",
    b"\x08\0\x05\0CS",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"P2\n9 9\n255\n",
    b"P5\n9 9\n65535\n",
    b"\x93NUMPY\x01\x00v\x00{'descr': '<u2', 'fortran_order': False, 'shape': (",
)
_ENDING = {kind: pillow_bytes(picture(np.uint8, (20, 30)), kind) for kind in ("PNG", "JPEG", "BMP")}


def outcomes(data: bytes, name: str) -> list[Radiograph | str]:
    """What comes of each file in an upload, within the memory that a small file may take."""
    found: list[Radiograph | str] = []
    tracemalloc.start()
    try:
        for file in unpack(data, name):
            try:
                frames = frames_in(file.read(), file.name) if file.frame is None else (file,)
                found += [read_radiograph(one.read(), one.name, frame=one.frame) for one in frames]
            except UnreadableImageError as error:
                found.append(str(error))
    except UnreadableImageError as error:
        found.append(str(error))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MIB * 2**20
    for outcome in found:
        if isinstance(outcome, str):
            assert outcome.startswith(("expected ", "the archive holds "))
            assert outcome.isprintable()
            assert len(outcome) <= LONGEST_MESSAGE
    assert found
    return found


@often
@given(st.binary(max_size=3000), any_name)
def test_any_bytes_under_any_name_are_read_or_refused_in_one_line(data, name):
    outcomes(data, name)


@often
@given(st.sampled_from(_MAGIC), st.binary(max_size=2000))
def test_any_bytes_behind_any_magic_number_are_read_or_refused_in_one_line(magic, body):
    outcomes(magic + body, "film")


@often
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from((1, 2, 4, 8, 16)))
def test_no_size_in_a_header_makes_a_small_file_take_much_memory(width, height, depth):
    assume((width, height) != (50, 40))
    png = bytearray(seeds()["grey.png"])
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    bmp = bytearray(seeds()["grey.bmp"])
    bmp[18:26] = struct.pack("<II", width, height)
    jpeg = bytearray(seeds()["grey.jpg"])
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    dicom = bytearray(seeds()["plain.dcm"])
    at = dicom.index(struct.pack("<HH", 0x28, 0x10)) + 8
    dicom[at : at + 2], dicom[at + 10 : at + 12] = (
        struct.pack("<H", height & 0xFFFF),
        struct.pack("<H", width & 0xFFFF),
    )
    for data in (bytes(png[:8]) + png_chunk(b"IHDR", header) + bytes(png[33:]), bmp, jpeg, dicom):
        outcomes(bytes(data), "film")


@often
@given(st.sampled_from(sorted(_ENDING)), st.binary(max_size=300))
def test_any_bytes_behind_a_picture_change_no_pixel(kind, tail):
    (outcome,) = outcomes(_ENDING[kind] + tail, "film")
    assert isinstance(outcome, Radiograph)
    np.testing.assert_array_equal(outcome.pixels, read_radiograph(_ENDING[kind]).pixels)


@often
@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(
    st.lists(st.tuples(zip_name, st.binary(max_size=200)), max_size=6),
    st.integers(0, 6),
)
def test_whatever_else_an_archive_holds_the_good_file_is_read(files, place):
    others = [file for file in files if unicodedata.normalize("NFKC", file[0]).casefold() != "film.png"]
    good = ("film.png", _ENDING["PNG"])
    found = outcomes(zip_of(*others[:place], good, *others[place:]), "films.zip")
    is_package = len(found) == 1 and isinstance(found[0], str) and "ZIP archive of radiographs" in found[0]
    assert is_package or any(isinstance(outcome, Radiograph) for outcome in found)


@often
@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_radiograph_comes_out_of_an_archive_bit_for_bit(pixels):
    (outcome,) = outcomes(zip_of(("film.png", pillow_bytes(pixels, "PNG"))), "films.zip")
    assert isinstance(outcome, Radiograph)
    np.testing.assert_array_equal(outcome.pixels, pixels)


@often
@given(
    arrays(np.uint16, st.tuples(st.integers(2, 6), st.integers(1, 9), st.integers(1, 9))),
    st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless]),
)
def test_any_frames_come_out_bit_for_bit_and_as_the_same_files_again(frames, syntax):
    data = write_dicom(frames, frames=len(frames), syntax=syntax)
    found = outcomes(data, "panel.dcm")
    assert [type(one) for one in found] == [Radiograph] * len(frames)
    for one, pixels in zip(found, frames, strict=True):
        np.testing.assert_array_equal(one.pixels, pixels)
    assert [one.sha256 for one in outcomes(data, "other.dcm")] == [one.sha256 for one in found]
    assert len({one.sha256 for one in found}) == len(frames)


@often
@given(
    st.integers(2, 2**31 - 1), st.sampled_from(["frames.dcm", "frames-rle.dcm", "enhanced.dcm", "plain.dcm"])
)
def test_no_number_of_frames_makes_a_small_file_take_much_memory(count, seed):
    number = str(count).encode()
    whole = seeds()[seed]
    at = whole.find(struct.pack("<HH2s", 0x28, 0x08, b"IS"))
    if at < 0:
        at = whole.index(struct.pack("<HH2s", 0x28, 0x10, b"US"))
        end = at
    else:
        end = at + 8 + int.from_bytes(whole[at + 6 : at + 8], "little")
    value = number + b" " * (len(number) % 2)
    element = struct.pack("<HH2sH", 0x28, 0x08, b"IS", len(value)) + value
    outcomes(whole[:at] + element + whole[end:], "panel.dcm")

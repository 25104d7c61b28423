"""DICOM files that say less, or say it otherwise, than the standard asks for; and those nothing decodes."""

import io

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import PitchSource
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in
from tests.imaging import lossless_jpeg
from tests.imaging.pictures import picture, pillow_bytes, write_dicom

DEEP, GREY = picture(np.uint16, (24, 31)), picture(np.uint8, (24, 31))
FEW = DEEP >> 4
HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")


def without(keyword: str, data: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    delattr(dataset, keyword)
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data)
    return str(caught.value)


# --- certain, so read ------------------------------------------------------------------------------


def test_a_blank_number_of_frames_is_one():
    data = write_dicom(DEEP, NumberOfFrames="1234").replace(b"1234", b"    ")
    (only,) = frames_in(data, "film.dcm")
    np.testing.assert_array_equal(read_radiograph(only.read()).pixels, DEEP)


@pytest.mark.parametrize("written", [b"Monochrome2", b"monochrome2", b"MonoChrome2"])
def test_the_case_of_the_photometric_interpretation_means_nothing(written):
    radiograph = read_radiograph(write_dicom(DEEP).replace(b"MONOCHROME2", written))
    np.testing.assert_array_equal(radiograph.pixels, DEEP)
    assert radiograph.polarity == "film"


@pytest.mark.parametrize(("photometric", "pixels"), [("MONOCHROME2", GREY), ("RGB", np.dstack([GREY] * 3))])
def test_samples_of_a_pixel_follow_from_the_photometric_interpretation(photometric, pixels):
    data = without("SamplesPerPixel", write_dicom(pixels, photometric=photometric))
    np.testing.assert_array_equal(read_radiograph(data).pixels, GREY)


@pytest.mark.parametrize(("bits", "has_high_bit", "expected"), [(12, True, 12), (16, False, 16)])
def test_missing_bits_stored_are_taken_from_what_is_there_and_noted(bits, has_high_bit, expected):
    data = without("BitsStored", write_dicom(FEW, bits=bits))
    radiograph = read_radiograph(data if has_high_bit else without("HighBit", data))
    np.testing.assert_array_equal(radiograph.pixels, FEW)
    assert radiograph.bit_depth == expected
    assert radiograph.notes == (f"Bits Stored is missing, taken as {expected}",)


def test_a_missing_sign_is_no_matter_where_no_value_would_be_negative():
    data = without("PixelRepresentation", write_dicom(FEW))
    np.testing.assert_array_equal(read_radiograph(data).pixels, FEW)
    assert "may be signed or not" in refusal(without("PixelRepresentation", write_dicom(DEEP)))
    assert "may be signed or not" in refusal(without("PixelRepresentation", write_dicom(FEW, bits=12)))


@pytest.mark.parametrize("slope", ["1,5", "1.5"])
def test_a_decimal_comma_is_a_point(slope):
    data = write_dicom(FEW, RescaleSlope="7.7", RescaleIntercept="0", ImagerPixelSpacing=["0.143", "0.143"])
    data = data.replace(b"7.7 ", slope.encode().ljust(4)).replace(b"0.143\\0.143", b"0,143\\0,143")
    radiograph = read_radiograph(data)
    np.testing.assert_allclose(radiograph.pixels, FEW * 1.5)
    assert radiograph.pitch is not None
    assert (radiograph.pitch.mm_per_px, radiograph.pitch.source) == (0.143, PitchSource.DETECTOR)


@pytest.mark.parametrize("slope", [b"1,024.5", b"1.e 5  ", b"1,2,3  ", b"one    "])
def test_a_decimal_that_is_no_number_is_refused_in_one_line(slope):
    data = write_dicom(FEW, RescaleSlope="7.77777", RescaleIntercept="0").replace(b"7.77777", slope)
    assert "RescaleSlope is no number" in refusal(data)


def test_a_slope_of_zero_is_taken_as_one_and_noted():
    radiograph = read_radiograph(write_dicom(DEEP, RescaleSlope="0", RescaleIntercept="0"))
    np.testing.assert_array_equal(radiograph.pixels, DEEP)
    assert radiograph.notes == ("rescale slope 0 taken as 1",)


@pytest.mark.parametrize("count", [1, 3])
def test_an_item_delimiter_that_ends_no_item_is_passed_over(count):
    data = write_dicom(DEEP)
    at = data.index(b"\x28\x00\x02\x00US")
    stray = data[:at] + b"\xfe\xff\x0d\xe0\0\0\0\0" * count + data[at:]
    (only,) = frames_in(stray, "film.dcm")
    np.testing.assert_array_equal(read_radiograph(only.read()).pixels, DEEP)


def test_a_data_set_of_nothing_but_delimiters_is_refused():
    data = write_dicom(DEEP)
    at = data.index(b"\x28\x00\x02\x00US")
    assert "without pixels" in refusal(data[:at] + b"\xfe\xff\x0d\xe0\0\0\0\0" * 5000 + data[at:])


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_values_that_are_left_aligned_are_shifted_down(syntax):
    options = {} if syntax is None else {"syntax": syntax}
    data = write_dicom(FEW << 4, bits=12, HighBit=15, **options)
    radiograph = read_radiograph(data)
    np.testing.assert_array_equal(radiograph.pixels, FEW)
    assert radiograph.bit_depth == 12


@pytest.mark.parametrize("high_bit", [8, 15])
def test_a_high_bit_that_contradicts_bits_stored_says_nothing(high_bit):
    data = write_dicom(DEEP, bits=12 if high_bit == 8 else 14, HighBit=high_bit, BitsAllocated=16)
    expected = DEEP & 0xFFF if high_bit == 8 else DEEP >> 2
    assert np.array_equal(read_radiograph(data).pixels, expected)


@pytest.mark.parametrize("signed", [True, False])
def test_overlays_in_the_bits_above_and_below_are_dropped(signed):
    values = (FEW >> 2).astype(np.int16) - (512 if signed else 0)
    stored = ((values.astype(np.int32) & 0x3FF) << 3) | 0xE005
    data = write_dicom(stored.astype(np.uint16), bits=10, HighBit=12, PixelRepresentation=int(signed))
    np.testing.assert_array_equal(read_radiograph(data).pixels, FEW >> 2)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (
            JPEG2000Lossless,
            lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", bitspersample=12),
        ),
        (JPEGLosslessSV1, lambda pixels: lossless_jpeg.encode(pixels, 12)),
    ],
)
def test_a_codestream_begins_at_bit_0_whatever_the_high_bit(syntax, encode):
    """Of 12 bit a codestream knows itself; the high bit speaks of the file that it was made from."""
    data = write_dicom(FEW, bits=12, HighBit=15, syntax=syntax, compressed=bytes(encode(FEW)))
    np.testing.assert_array_equal(read_radiograph(data).pixels, FEW)


def test_a_codestream_that_fills_bits_below_those_stored_is_refused():
    """Else a header of 3 bits, left-aligned, would leave 8 greys of a picture of 16 bits."""
    compressed = bytes(imagecodecs.jpeg2k_encode(DEEP, codecformat="j2k"))
    data = write_dicom(DEEP, bits=3, HighBit=15, syntax=JPEG2000Lossless, compressed=compressed)
    assert "3 bits from bit 13; the compressed frame fills those below" in refusal(data)


def test_values_beyond_the_stored_bits_are_cut_and_that_is_noted():
    radiograph = read_radiograph(write_dicom(DEEP, bits=12))
    np.testing.assert_array_equal(radiograph.pixels, DEEP & 0xFFF)
    assert radiograph.notes == ("values above 12 bit, which the file says are stored, were cut to them",)


def table(entries: list[int] | bytes, *, first: int = 0, bits: int = 16, count: int | None = None) -> Dataset:
    item = Dataset()
    is_bytes = isinstance(entries, bytes)
    item.add_new("LUTDescriptor", "US", [(len(entries) if count is None else count) & 0xFFFF, first, bits])
    item.add_new("LUTData", "OW" if is_bytes else "US", entries)
    return item


@pytest.mark.parametrize("item", [Dataset(), None])
def test_an_empty_lookup_table_is_none(item):
    items = [item] if item is not None else []
    radiograph = read_radiograph(
        write_dicom(FEW, ModalityLUTSequence=items, RescaleSlope="2", RescaleIntercept="1")
    )
    np.testing.assert_array_equal(radiograph.pixels, FEW * 2 + 1)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("is_bytes", [True, False])
def test_a_lookup_table_of_any_depth_is_applied(bits, is_bytes):
    entries = [(index * 7) % (1 << bits) for index in range(4096)]
    packed = np.array(entries, "<u2").tobytes() if is_bytes else entries
    radiograph = read_radiograph(
        write_dicom(FEW, bits=12, ModalityLUTSequence=[table(packed, bits=bits, count=4096)])
    )
    np.testing.assert_array_equal(radiograph.pixels, np.array(entries)[FEW])
    assert (radiograph.bit_depth, radiograph.notes) == (bits, ("modality lookup table applied",))


def test_entries_of_8_bit_may_lie_two_in_a_word():
    entries = bytes(index * 3 % 256 for index in range(256))
    radiograph = read_radiograph(write_dicom(GREY, ModalityLUTSequence=[table(entries, bits=8)]))
    np.testing.assert_array_equal(radiograph.pixels, np.frombuffer(entries, np.uint8)[GREY])


def test_values_below_and_above_the_table_take_its_ends():
    data = write_dicom(
        np.array([[0, 5, 6, 7, 900]], np.uint16), ModalityLUTSequence=[table([30, 20, 10], first=5)]
    )
    assert read_radiograph(data).pixels.tolist() == [[30, 30, 20, 10, 10]]


def test_a_table_may_begin_below_zero():
    data = write_dicom(
        np.array([[-3, -2, 4]], np.int16), ModalityLUTSequence=[table([9, 8, 7], first=2**16 - 3)]
    )
    assert read_radiograph(data).pixels.tolist() == [[9, 8, 7]]


def test_a_table_with_too_few_entries_is_refused():
    data = write_dicom(FEW, ModalityLUTSequence=[table([1, 2, 3, 4], count=4096)])
    assert "a lookup table of 4 entries, it should hold 4096" in refusal(data)


# --- codestreams -------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [bytes(7), b"\xd3\x0c\x99\xfa\x00\x01", b"\xff\xd9\x00\x00\x00\x00"])
def test_bytes_behind_a_codestream_are_no_matter(tail):
    codestream = pillow_bytes(GREY, "JPEG", quality=100)
    data = write_dicom(GREY, syntax=JPEGBaseline8Bit, compressed=codestream + tail)
    np.testing.assert_allclose(read_radiograph(data).pixels, GREY, atol=3)


def test_an_end_marker_within_a_thumbnail_does_not_hide_that_the_frame_is_cut_off():
    codestream = pillow_bytes(GREY, "JPEG", quality=100)
    segment = b"\xff\xe1" + (len(codestream) + 2).to_bytes(2, "big") + codestream
    cut = codestream[:2] + segment + codestream[2:-40]
    assert "cut off" in refusal(write_dicom(GREY, syntax=JPEGBaseline8Bit, compressed=cut + b"\0\0"))


@pytest.mark.parametrize("syntax", HTJ2K)
def test_high_throughput_jpeg_2000_is_read(syntax):
    data = write_dicom(DEEP, syntax=syntax, compressed=bytes(imagecodecs.htj2k_encode(DEEP, reversible=True)))
    np.testing.assert_array_equal(read_radiograph(data).pixels, DEEP)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.113619.5.2", "GE private"),
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
        ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1"),
        ("1.2.3.4.5", "unknown"),
    ],
)
@pytest.mark.parametrize("n_frames", [1, 2])
def test_an_intact_file_of_a_codec_that_nothing_decodes_is_named(syntax, name, n_frames):
    pixels = GREY if n_frames == 1 else np.stack([GREY, GREY])
    data = without_syntax(
        write_dicom(pixels, frames=n_frames, compressed=[b"\0\0\1\xb3" * 9] * n_frames), syntax
    )
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(frames_in(data, "film.dcm")[0].read())
    assert f"not supported: {name}" in str(caught.value)
    assert f"({syntax})" in str(caught.value)


def without_syntax(data: bytes, syntax: str) -> bytes:
    """The file with another transfer syntax named in its meta information."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    stream = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(stream, dataset, implicit_vr=False, little_endian=True)
    return stream.getvalue()

"""Multi-frame DICOM files as one radiograph for each frame."""

import hashlib
import struct
import tracemalloc
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from core.domain.errors import UnreadableImageError
from core.imaging import limits
from core.imaging.dicom import count_frames
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in, unpack
from tests.imaging import lossless_jpeg
from tests.imaging.pictures import functional_groups, picture, pillow_bytes, write_dicom
from tests.imaging.zips import zip_of


def stack(dtype=np.uint16, count=3, shape=(48, 70), bits=12) -> np.ndarray:
    """Frames that all differ."""
    return np.stack([np.roll(picture(dtype, shape, bits), 7 * n, axis=1) for n in range(count)])


def frames_of(data: bytes, name: str = "panel.dcm") -> list[np.ndarray]:
    return [read_radiograph(file.read(), file.name, frame=file.frame).pixels for file in unpack(data, name)]


def changed(data: bytes, **elements: object) -> bytes:
    """The file with some elements set, or removed for None."""
    dataset = pydicom.dcmread(BytesIO(data))
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


# --- pixels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 12), (np.uint16, 16), (np.int16, 12)])
@pytest.mark.parametrize("shape", [(48, 70), (25, 31)])
def test_native_frames_come_back_bit_for_bit(dtype, bits, shape):
    shift = 1 << (bits - 1) if dtype == np.int16 else 0
    frames = (stack(np.uint16 if shift else dtype, shape=shape, bits=bits) - shift).astype(dtype)
    found = frames_of(write_dicom(frames, bits=bits, frames=3))
    np.testing.assert_array_equal(found, frames.astype(np.int64) + shift)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless]
)
def test_frames_of_every_transfer_syntax_come_back_bit_for_bit(syntax):
    frames = stack()
    np.testing.assert_array_equal(frames_of(write_dicom(frames, bits=12, frames=3, syntax=syntax)), frames)


def test_big_endian_frames_come_back_bit_for_bit():
    frames = stack()
    dataset = pydicom.dcmread(BytesIO(write_dicom(frames, bits=12, frames=3)))
    dataset.PixelData = frames.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    stream = BytesIO()
    pydicom.dcmwrite(stream, dataset, implicit_vr=False, little_endian=False)
    np.testing.assert_array_equal(frames_of(stream.getvalue()), frames)


def test_frames_of_a_file_without_preamble_come_back_bit_for_bit():
    frames = stack()
    data = write_dicom(frames, bits=12, frames=3, has_preamble=False)
    np.testing.assert_array_equal(frames_of(data), frames)


def test_jpeg_lossless_frames_come_back_bit_for_bit():
    frames = stack(shape=(20, 30))
    codestreams = [lossless_jpeg.encode(frame, 12) for frame in frames]
    data = write_dicom(frames, bits=12, frames=3, syntax=JPEGLosslessSV1, compressed=codestreams)
    np.testing.assert_array_equal(frames_of(data), frames)


@pytest.mark.parametrize("has_table", [True, False])
def test_a_codestream_in_several_pieces_is_one_frame(has_table):
    frames = stack(np.uint8, shape=(40, 48))
    codestreams = [pillow_bytes(frame, "JPEG", quality=100) for frame in frames]
    pixels = encapsulate(codestreams, fragments_per_frame=3, has_bot=has_table)
    template = write_dicom(frames, frames=3, syntax=JPEGBaseline8Bit, compressed=codestreams)
    whole = changed(template, PixelData=pixels)
    for found, frame in zip(frames_of(whole), frames, strict=True):
        np.testing.assert_allclose(found, frame, atol=3)


def test_frames_of_one_bit_begin_within_bytes():
    bits = np.arange(3 * 5 * 7).reshape(3, 35) % 3 == 0
    data = changed(
        write_dicom(stack(np.uint8, shape=(5, 7)), frames=3),
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=np.packbits(bits.ravel(), bitorder="little").tobytes(),
    )
    np.testing.assert_array_equal(frames_of(data), bits.reshape(3, 5, 7))


def test_colour_and_float_frames_have_their_own_size():
    planes = np.dstack([picture(np.uint8, (48, 70))] * 3)
    colour = changed(
        write_dicom(planes, photometric="RGB"),
        NumberOfFrames=2,
        PixelData=planes.tobytes() + bytes(planes.size),
    )
    np.testing.assert_array_equal(frames_of(colour), [planes[..., 0], np.zeros((48, 70))])
    values = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4)
    floats = changed(
        write_dicom(np.zeros((2, 3, 4), np.uint32), frames=2), PixelData=None, FloatPixelData=values.tobytes()
    )
    np.testing.assert_array_equal(frames_of(floats), values)


# --- which picture a frame is ------------------------------------------------------------------


def test_a_frame_is_named_by_its_file_and_number_and_the_file_is_not_rewritten():
    data = write_dicom(stack(), bits=12, frames=3)
    digest = hashlib.sha256(data).hexdigest()
    third = unpack(data, "panel.dcm")[2]
    assert (third.name, third.read(), third.frame) == ("panel frame 3 of 3.dcm", data, 3)
    radiograph = read_radiograph(data, third.name, frame=3)
    assert (radiograph.file_sha256, radiograph.frame) == (digest, 3)
    assert radiograph.sha256 == hashlib.sha256(f"{digest} frame 3".encode()).hexdigest()
    assert radiograph.notes == (f"frame 3 of 3 of the file with SHA-256 {digest}",)


def test_a_file_read_without_a_frame_is_the_file_and_shows_its_first_frame():
    frames = stack()
    data = write_dicom(frames, bits=12, frames=3)
    radiograph = read_radiograph(data)
    np.testing.assert_array_equal(radiograph.pixels, frames[0])
    assert (radiograph.sha256, radiograph.frame) == (hashlib.sha256(data).hexdigest(), None)
    assert radiograph.notes == ("3 frames, first one read",)


@pytest.mark.parametrize("frame", [0, 4])
def test_a_frame_that_the_file_does_not_hold_is_refused(frame):
    with pytest.raises(UnreadableImageError, match=f"expected a frame from 1 to 3, got {frame}"):
        read_radiograph(write_dicom(stack(), bits=12, frames=3), frame=frame)


def test_only_dicom_files_have_frames():
    with pytest.raises(UnreadableImageError, match="expected a file of several pictures, got a PNG"):
        read_radiograph(pillow_bytes(picture(np.uint8), "PNG"), frame=1)


def test_each_frame_has_its_own_spacing_and_rescale_from_the_functional_groups():
    frames = stack(np.uint8)
    data = write_dicom(frames, frames=3, **functional_groups([0.2, 0.1], shared=0.3))
    found = [read_radiograph(data, frame=frame) for frame in (1, 2, 3)]
    assert [one.pitch.mm_per_px for one in found] == [0.2, 0.1, 0.3]
    np.testing.assert_array_equal(found[1].pixels, frames[1].astype(np.uint16) * 2)
    np.testing.assert_array_equal(found[2].pixels, frames[2])
    assert read_radiograph(data).pitch.mm_per_px == 0.2


def test_a_long_name_keeps_its_frame_number():
    data = write_dicom(stack(count=12), bits=12, frames=12)
    names = [file.name for file in frames_in(data, "x" * 300 + ".dicom")]
    assert names[8].endswith("x\u2026 frame 09 of 12.dicom")
    assert {len(name) for name in names} == {255}
    assert frames_in(data, "IM0001")[0].name == "IM0001 frame 01 of 12"


# --- archives and limits -----------------------------------------------------------------------


def test_frames_of_a_file_in_an_archive_are_found_once_it_was_read():
    frames = stack()
    data = write_dicom(frames, bits=12, frames=3)
    (member,) = unpack(zip_of(("day 1/panel.dcm", data)), "films.zip")
    found = frames_in(member.read(), member.name)
    assert [(file.read(), file.frame) for file in found] == [(data, 1), (data, 2), (data, 3)]


def test_a_file_of_one_frame_and_any_other_file_is_handed_on_as_it_is():
    for data in (write_dicom(picture(np.uint8)), pillow_bytes(picture(np.uint8), "PNG"), b"", b"text"):
        (only,) = frames_in(data, "../film.dcm")
        assert (only.name, only.read(), only.frame) == ("film.dcm", data, None)


def test_a_hundred_thousand_declared_frames_are_refused_in_one_line_and_little_memory():
    data = changed(write_dicom(stack(), bits=12, frames=3), NumberOfFrames=100_000)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableImageError) as caught:
            unpack(data, "some/panel.dcm")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert str(caught.value) == "expected a DICOM file of at most 250 frames, got 100000 (panel.dcm)"


@pytest.mark.parametrize("count", [250, 251])
def test_the_most_frames_are_taken_and_one_more_is_refused(count):
    data = write_dicom(np.zeros((count, 4, 5), np.uint8), frames=count)
    if count == limits.MAX_FRAMES:
        assert len(unpack(data, "panel.dcm")) == count
    else:
        with pytest.raises(UnreadableImageError, match="at most 250 frames, got 251"):
            unpack(data, "panel.dcm")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_cut_file_is_one_line_and_no_frames(syntax, share):
    data = write_dicom(stack(), bits=12, frames=3, syntax=syntax)
    with pytest.raises(UnreadableImageError, match=r"DICOM file.*\(panel.dcm\)"):
        frames_of(data[: int(len(data) * share)])


def test_more_frames_than_there_are_pieces_is_refused():
    data = changed(write_dicom(stack(), bits=12, frames=3, syntax=RLELossless), NumberOfFrames=4)
    with pytest.raises(UnreadableImageError, match="the header says 4 frames, the pixel data hold"):
        unpack(data, "panel.dcm")


def test_a_broken_frame_does_not_stop_the_others():
    frames = stack(shape=(20, 30))
    codestreams = [lossless_jpeg.encode(frame, 12) for frame in frames]
    codestreams[1] = codestreams[1][:-30]
    files = unpack(
        write_dicom(frames, bits=12, frames=3, syntax=JPEGLosslessSV1, compressed=codestreams), "p.dcm"
    )
    with pytest.raises(UnreadableImageError, match=r"compressed frame is cut off .*\(p frame 2 of 3.dcm\)"):
        read_radiograph(files[1].read(), files[1].name, frame=2)
    np.testing.assert_array_equal(read_radiograph(files[2].read(), frame=3).pixels, frames[2])


def test_a_file_that_is_also_something_else_is_refused_before_its_frames_are_read():
    data = b"MZ".ljust(128, b"\x01") + write_dicom(stack(), bits=12, frames=3)[128:]
    with pytest.raises(UnreadableImageError, match="a DICOM file that is also a program"):
        unpack(data, "panel.dcm")


def test_what_a_broken_header_says_is_told_without_its_control_characters():
    data = write_dicom(stack(), bits=12, frames=3).replace(b"MONOCHROME2", b"\0\x1bNOCHROME2")
    with pytest.raises(UnreadableImageError) as caught:
        unpack(data, "panel.dcm")
    assert str(caught.value) == (
        "expected photometric interpretation MONOCHROME1 or 2, got NOCHROME2 (panel.dcm)"
    )


def test_a_flood_of_pieces_is_refused():
    data = write_dicom(stack(), bits=12, frames=3, syntax=RLELossless)
    pieces = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 100_002
    with pytest.raises(UnreadableImageError, match="more than 100000 pieces"):
        unpack(changed(data, PixelData=pieces), "panel.dcm")


def test_frames_share_the_bytes_of_their_file():
    data = write_dicom(np.zeros((40, 512, 512), np.uint16), frames=40)
    assert {id(file.read()) for file in unpack(data, "panel.dcm")} == {id(data)}


def test_a_header_that_cannot_be_read_counts_as_one_frame():
    assert count_frames(b"\0" * 128 + b"DICM\x02\0") == 1

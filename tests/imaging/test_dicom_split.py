"""Multi-frame DICOM files as one radiograph for each frame."""

import hashlib
import struct
import tracemalloc
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, itemize_frame
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
from core.imaging import dicom_split, limits
from core.imaging.dicom_fragments import frame_spans
from core.imaging.dicom_split import MultiFrame, count_frames
from core.imaging.handed_in import frames_in, unpack
from core.imaging.read import read_radiograph
from tests.imaging import lossless_jpeg
from tests.imaging.pictures import functional_groups, picture, pillow_bytes, write_dicom
from tests.imaging.zips import zip_of


def stack(dtype=np.uint16, count=3, shape=(48, 70), bits=12) -> np.ndarray:
    """Frames that all differ."""
    return np.stack([np.roll(picture(dtype, shape, bits), 7 * n, axis=1) for n in range(count)])


def frames_of(data: bytes, name: str = "panel.dcm") -> list[np.ndarray]:
    return [read_radiograph(file.read(), file.name).pixels for file in unpack(data, name)]


def parsed(data: bytes, index: int) -> pydicom.Dataset:
    """A frame's file as another program reads it, nothing forced."""
    return pydicom.dcmread(BytesIO(MultiFrame(data).cut(index)))


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


def test_a_file_without_preamble_gives_frames_with_one():
    frames = stack()
    data = write_dicom(frames, bits=12, frames=3, has_preamble=False)
    np.testing.assert_array_equal(frames_of(data), frames)
    assert MultiFrame(data).cut(1)[128:132] == b"DICM"


def test_jpeg_lossless_frames_come_back_bit_for_bit():
    frames = stack(shape=(20, 30))
    codestreams = [lossless_jpeg.encode(frame, 12) for frame in frames]
    data = write_dicom(frames, bits=12, frames=3, syntax=JPEGLosslessSV1, compressed=codestreams)
    np.testing.assert_array_equal(frames_of(data), frames)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_a_compressed_frame_keeps_its_own_codestream_and_transfer_syntax(syntax):
    data = write_dicom(stack(), bits=12, frames=3, syntax=syntax)
    own = list(pydicom.encaps.generate_frames(pydicom.dcmread(BytesIO(data)).PixelData, number_of_frames=3))
    frame = parsed(data, 1)
    assert frame.file_meta.TransferSyntaxUID == syntax
    assert list(pydicom.encaps.generate_frames(frame.PixelData, number_of_frames=1)) == [own[1]]


@pytest.mark.parametrize("has_table", [True, False])
def test_a_codestream_in_several_pieces_is_one_frame(has_table):
    frames = stack(np.uint8, shape=(40, 48))
    codestreams = [pillow_bytes(frame, "JPEG", quality=100) for frame in frames]
    pixels = encapsulate(codestreams, fragments_per_frame=3, has_bot=has_table)
    template = write_dicom(frames, frames=3, syntax=JPEGBaseline8Bit, compressed=codestreams)
    whole = changed(template, PixelData=pixels)
    for found, frame in zip(frames_of(whole), frames, strict=True):
        np.testing.assert_allclose(found, frame, atol=3)


def test_frames_of_one_bit_are_cut_within_bytes():
    bits = np.arange(3 * 5 * 7).reshape(3, 35) % 3 == 0
    data = changed(
        write_dicom(stack(np.uint8, shape=(5, 7)), frames=3),
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=np.packbits(bits.ravel(), bitorder="little").tobytes(),
    )
    for index in range(3):
        packed = np.frombuffer(parsed(data, index).PixelData, np.uint8)
        np.testing.assert_array_equal(np.unpackbits(packed, bitorder="little")[:35], bits[index])


def test_colour_and_float_frames_are_cut_at_their_own_size():
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


# --- what a frame's file says ------------------------------------------------------------------


def test_a_frame_keeps_the_attributes_and_gets_its_own_identity():
    data = write_dicom(stack(), bits=12, frames=3, PatientName="Weld^7", KVP="200", InstanceNumber=9)
    frames = [parsed(data, index) for index in range(3)]
    assert {(str(f.ComponentName), f.KVP, f.Modality, f.NumberOfFrames) for f in frames} == {
        ("Weld^7", 200, "DX", 1)
    }
    assert [f.InstanceNumber for f in frames] == [1, 2, 3]
    assert len({f.SOPInstanceUID for f in frames}) == 3
    assert all(f.SOPInstanceUID == f.file_meta.MediaStorageSOPInstanceUID for f in frames)
    assert all(pydicom.uid.UID(f.SOPInstanceUID).is_valid for f in frames)


def test_a_frame_says_where_it_came_from():
    data = write_dicom(stack(), bits=12, frames=3)
    source = pydicom.dcmread(BytesIO(data)).SOPInstanceUID
    (origin,) = parsed(data, 2).FrameExtractionSequence
    assert (origin.MultiFrameSourceSOPInstanceUID, origin.SimpleFrameList) == (source, 3)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        data = write_dicom(stack(), bits=12, frames=3, syntax=syntax)
        digest = hashlib.sha256(data).hexdigest()
        file = unpack(data, "panel.dcm")[2]
        assert file.name == "panel frame 3 of 3.dcm"
        assert read_radiograph(file.read(), file.name).notes == (
            f"frame 3 of 3 of the file with SHA-256 {digest}",
        )


def test_an_origin_that_this_program_did_not_write_is_no_note():
    item = pydicom.Dataset()
    item.SimpleFrameList = [4]
    data = write_dicom(picture(np.uint8), FrameExtractionSequence=[item])
    assert read_radiograph(data).notes == ()
    block = item.private_block(0x0009, "RADIKAL FRAME", create=True)
    block.add_new(1, "LO", "<b>no digest</b>")
    block.add_new(2, "IS", "9")
    assert read_radiograph(write_dicom(picture(np.uint8), FrameExtractionSequence=[item])).notes == ()


def test_the_same_file_gives_the_same_bytes_whatever_its_name_and_order_of_reading():
    data = write_dicom(stack(), bits=12, frames=3, has_preamble=False)
    first = [file.read() for file in unpack(data, "panel.dcm")]
    again = [file.read() for file in reversed(unpack(data, "other name"))]
    assert first == again[::-1]
    assert hashlib.sha256(first[0]).hexdigest() == (
        "2ff406f878ec0396e9cbe7b9bf7ac4be3e824749d347bd86e94d6b37a5f1757f"
    )


def test_a_frame_of_a_frame_is_itself():
    only = MultiFrame(write_dicom(stack(), bits=12, frames=3)).cut(1)
    (again,) = frames_in(only, "frame.dcm")
    assert again.read() == only


def test_tables_over_several_frames_do_not_come_along():
    data = write_dicom(
        stack(), bits=12, frames=3, FrameTimeVector=[0, 40, 40], FrameIncrementPointer=0x00181065
    )
    frame = parsed(data, 1)
    assert "FrameTimeVector" not in frame
    assert "FrameIncrementPointer" not in frame


def test_each_frame_has_its_own_spacing_and_rescale_from_the_functional_groups():
    frames = stack(np.uint8)
    data = write_dicom(frames, frames=3, **functional_groups([0.2, 0.1], shared=0.3))
    found = [read_radiograph(file.read(), file.name) for file in unpack(data, "panel.dcm")]
    assert [one.pitch.mm_per_px for one in found] == [0.2, 0.1, 0.3]
    np.testing.assert_array_equal(found[1].pixels, frames[1].astype(np.uint16) * 2)
    np.testing.assert_array_equal(found[2].pixels, frames[2])
    assert len(parsed(data, 1).PerFrameFunctionalGroupsSequence) == 1
    assert "PerFrameFunctionalGroupsSequence" not in parsed(data, 2)
    assert read_radiograph(data).pitch.mm_per_px == 0.2


def test_a_long_name_keeps_its_frame_number():
    data = write_dicom(stack(count=12), bits=12, frames=12)
    names = [file.name for file in frames_in(data, "x" * 300 + ".dicom")]
    assert names[8].endswith("x\u2026 frame 09 of 12.dicom")
    assert {len(name) for name in names} == {120}
    assert frames_in(data, "IM0001")[0].name == "IM0001 frame 01 of 12"


# --- archives and limits -----------------------------------------------------------------------


def test_a_multi_frame_file_in_an_archive_is_cut_once_it_was_read():
    frames = stack()
    data = write_dicom(frames, bits=12, frames=3)
    (member,) = unpack(zip_of(("day 1/panel.dcm", data)), "films.zip")
    cut = frames_in(member.read(), member.name)
    assert [file.read() for file in cut] == [file.read() for file in unpack(data, "panel.dcm")]


def test_a_file_of_one_frame_and_any_other_file_is_handed_on_as_it_is():
    for data in (write_dicom(picture(np.uint8)), pillow_bytes(picture(np.uint8), "PNG"), b"", b"text"):
        (only,) = frames_in(data, "../film.dcm")
        assert (only.name, only.read()) == ("film.dcm", data)


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


def test_frames_are_cut_one_at_a_time():
    data = write_dicom(np.zeros((40, 512, 512), np.uint16), frames=40)
    tracemalloc.start()
    try:
        files = unpack(data, "panel.dcm")
        for file in files:
            file.read()
        assert tracemalloc.get_traced_memory()[1] < 1.6 * len(data)
    finally:
        tracemalloc.stop()


def test_a_header_that_would_be_repeated_for_each_frame_is_counted(monkeypatch):
    data = write_dicom(np.zeros((100, 4, 5), np.uint8), frames=100, ImageComments="x" * 10_000)
    assert len(unpack(data, "panel.dcm")) == 100
    monkeypatch.setattr(dicom_split, "MAX_ARCHIVE_BYTES", 2**19)
    with pytest.raises(
        UnreadableImageError, match=r"at most 0 MiB together, got 100 frames .* \(panel.dcm\)"
    ):
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
    with pytest.raises(UnreadableImageError, match=r"compressed frame is cut off \(p frame 2 of 3.dcm\)"):
        read_radiograph(files[1].read(), files[1].name)
    np.testing.assert_array_equal(read_radiograph(files[2].read()).pixels, frames[2])


def test_a_file_that_is_also_something_else_is_refused_before_it_is_cut():
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


def test_a_header_that_cannot_be_read_counts_as_one_frame():
    assert count_frames(b"\0" * 128 + b"DICM\x02\0") == 1


def test_fragments_are_divided_by_their_number_by_the_table_or_by_their_ends():
    ends = [b"ab\xff\xd9", b"cd\xff\xd9"]
    one_each = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + b"".join(b"".join(itemize_frame(e, 1)) for e in ends)
    assert [one_each[s:e] for ((s, e),) in frame_spans(one_each, 2)] == ends
    assert frame_spans(one_each, 2)[0][0][0] == 16
    with pytest.raises(UnreadableImageError, match="the header says 3 frames, the pixel data hold 2"):
        frame_spans(one_each, 3)
    with pytest.raises(UnreadableImageError, match="cut off"):
        frame_spans(one_each[:-1], 2)


def test_a_flood_of_pieces_is_refused():
    pieces = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 100_002
    with pytest.raises(UnreadableImageError, match="more than 100000 pieces"):
        frame_spans(pieces, 2)


def test_what_the_source_was_itself_cut_from_stays_named():
    earlier = pydicom.Dataset()
    earlier.MultiFrameSourceSOPInstanceUID, earlier.SimpleFrameList = "1.2.3", [1, 2, 3]
    data = write_dicom(stack(), bits=12, frames=3, FrameExtractionSequence=[earlier])
    for index in range(3):
        first, own = parsed(data, index).FrameExtractionSequence
        assert (first.MultiFrameSourceSOPInstanceUID, own.SimpleFrameList) == ("1.2.3", index + 1)

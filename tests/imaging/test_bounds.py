"""Files made to cost more than they weigh: each is refused quickly, whatever its headers claim."""

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import tifffile
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from core.domain.errors import UnreadableImageError
from core.imaging import dicom_parse, tiff_directories
from core.imaging.read import read_radiograph
from tests.imaging.pictures import picture, pillow_bytes, write_dicom

PIXELS = picture(np.uint16, (40, 50))


def tiff_bytes(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


@contextmanager
def cheap(mebibytes: float = 32, seconds: float = 5) -> Iterator[None]:
    """What runs inside takes no more Python memory and time than this."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * 2**20
        assert time.perf_counter() - start < seconds
    finally:
        tracemalloc.stop()


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught, cheap():
        read_radiograph(data)
    return str(caught.value)


def chained(n_directories: int, *, is_loop: bool) -> bytes:
    """A readable first page, then directories of no tags, the last one pointing at the second or nowhere."""
    data = tiff_bytes(PIXELS)
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    (n_tags,) = struct.unpack_from(f"{order}H", data, first)
    link, start = first + 2 + 12 * n_tags, len(data)
    blank = b"".join(struct.pack(f"{order}HI", 0, start + 6 * (n + 1)) for n in range(n_directories - 1))
    last = struct.pack(f"{order}HI", 0, start if is_loop else 0)
    return data[:link] + struct.pack(f"{order}I", start) + data[link + 4 :] + blank + last


@pytest.mark.parametrize("n_directories", [1, 150, 5000])
def test_tiff_directories_in_a_circle_are_refused_however_long_it_is(n_directories):
    assert "in a circle" in refusal(chained(n_directories, is_loop=True))


def test_many_pages_are_counted_and_too_many_refused(monkeypatch):
    assert read_radiograph(chained(200, is_loop=False)).notes == ("200 directories without a picture",)
    monkeypatch.setattr(tiff_directories, "MAX_TIFF_PAGES", 200)
    assert "at most 200 pages, got more" in refusal(chained(200, is_loop=False))


def test_a_chain_of_directories_that_leaves_the_file_ends_there_and_that_is_said():
    data = chained(1, is_loop=False)
    broken = data[:-4] + b"\xff\xff\xff\x7f"
    radiograph = read_radiograph(broken)
    np.testing.assert_array_equal(radiograph.pixels, PIXELS)
    assert "the file ends early: a page that it points at is not in it" in radiograph.unread


@pytest.mark.parametrize("is_big", [False, True])
def test_a_tiff_tag_that_lists_millions_of_values_is_refused_unread(is_big):
    data = bytearray(tiff_bytes(PIXELS, bigtiff=is_big, rowsperstrip=1))
    for kind in (3, 4, 16):
        layout = "<HHQ" if is_big else "<HHI"
        at = data.find(struct.pack(layout, 273, kind, 40))
        if at >= 0:
            data[at : at + struct.calcsize(layout)] = struct.pack(layout, 273, kind, 30_000_000)
    assert "tag 273 lists 30000000 values" in refusal(bytes(data))


def with_tags(data: bytes, **values: int) -> bytes:
    """A little-endian TIFF with numbers of its first directory changed, by tag number."""
    changed = bytearray(data)
    for tag, value in ((int(name[1:]), value) for name, value in values.items()):
        at = max(data.find(struct.pack("<HHI", tag, kind, 1)) for kind in (3, 4))
        changed[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(changed)


def test_tiles_far_larger_than_the_page_are_refused_before_they_are_unpacked():
    data = tiff_bytes(PIXELS, tile=(16, 16), compression="zlib", byteorder="<")
    assert "tiles or strips of 16000 x 16000 px" in refusal(with_tags(data, t322=16_000, t323=16_000))


def test_strips_that_all_lie_on_the_same_bytes_are_refused():
    data = bytearray(tiff_bytes(picture(np.uint8, (64, 64)), rowsperstrip=1, byteorder="<"))
    page = tifffile.TiffFile(io.BytesIO(bytes(data))).pages[0]
    at = page.tags["StripByteCounts"].valueoffset
    size = (page.tags["StripByteCounts"].valuebytecount) // 64
    data[at : at + 64 * size] = (4000).to_bytes(size, "little") * 64
    offsets = page.tags["StripOffsets"]
    step = offsets.valuebytecount // 64
    data[offsets.valueoffset : offsets.valueoffset + 64 * step] = (8).to_bytes(step, "little") * 64
    assert "lie over each other" in refusal(bytes(data))


def test_lzw_that_clears_its_table_again_and_again_is_refused_quickly():
    clears = int("100000000" * 400_000, 2).to_bytes(450_000, "big")
    data = tiff_bytes(iter([clears]), shape=(100, 100), dtype=np.uint8, compression="lzw", rowsperstrip=100)
    assert "a strip or tile holds 0 of 10000 bytes" in refusal(data)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits"])
def test_a_strip_is_never_unpacked_beyond_what_the_page_needs(compression):
    bomb = tiff_bytes(np.zeros((20_000, 1000), np.uint8), compression=compression, rowsperstrip=20_000)
    data = with_tags(bomb, t257=10, t278=10)
    with cheap(mebibytes=8):
        if compression == "packbits":
            with pytest.raises(UnreadableImageError, match="damaged"):
                read_radiograph(data)
        else:
            assert read_radiograph(data).pixels.shape == (10, 1000)


def meta_and_rest(data: bytes) -> tuple[bytes, bytes]:
    """A DICOM file cut behind its file meta information."""
    (length,) = struct.unpack_from("<I", data, 140)
    return data[: 144 + length], data[144 + length :]


def deflated(rest: bytes, *, filler: bytes = b"") -> bytes:
    """A deflated DICOM file of this data set, with `filler` among its meta information."""
    meta, _ = meta_and_rest(write_dicom(PIXELS, syntax=DeflatedExplicitVRLittleEndian))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return meta[:144] + filler + meta[144:] + packer.compress(rest) + packer.flush()


def long_element(tag: tuple[int, int], n_bytes: int) -> bytes:
    return struct.pack("<HH2sHI", *tag, b"UN", 0, n_bytes) + bytes(n_bytes)


def test_a_deflated_data_set_is_read():
    _, rest = meta_and_rest(write_dicom(PIXELS))
    np.testing.assert_array_equal(read_radiograph(deflated(rest)).pixels, PIXELS)


@pytest.mark.parametrize("filler", [b"", struct.pack("<HH2sHI", 2, 1, b"OB", 0, 5000) + bytes(5000)])
def test_a_deflated_bomb_is_refused_wherever_its_syntax_is_named(filler):
    bomb = long_element((9, 0x1010), 200 * 2**20)
    with pytest.raises(UnreadableImageError, match="decompression bomb"), cheap(mebibytes=300):
        read_radiograph(deflated(bomb, filler=filler))


def test_a_wrong_group_length_does_not_hide_the_deflated_data():
    data = bytearray(deflated(long_element((9, 0x1010), 200 * 2**20)))
    data[140:144] = struct.pack("<I", 7)
    with pytest.raises(UnreadableImageError, match="decompression bomb"):
        read_radiograph(bytes(data))


def test_a_header_of_a_million_elements_is_refused(monkeypatch):
    monkeypatch.setattr(dicom_parse, "MAX_DICOM_READS", 20_000)
    meta, rest = meta_and_rest(write_dicom(PIXELS))
    flood = b"".join(struct.pack("<HH2sH", 9, n, b"CS", 0) for n in range(0x1000, 0xFFFF))
    assert "too many elements" in refusal(meta + flood + rest)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + flood + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    nested = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + item
    assert "too many elements" in refusal(meta + nested + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + rest)


def test_an_element_that_is_long_without_reason_is_not_looked_at():
    names = "\\".join("a" for _ in range(200_000))
    data = write_dicom(PIXELS, syntax="1.2.840.10008.1.2", PatientName=names)
    with cheap():
        assert "ComponentName" not in read_radiograph(data).fields


def test_a_long_character_set_is_refused():
    assert "a character set of" in refusal(write_dicom(PIXELS, SpecificCharacterSet=["ISO_IR 100"] * 50))


def test_what_follows_the_pixels_is_not_parsed():
    data = write_dicom(PIXELS) + struct.pack("<HH2sHI", 0x7FE1, 0x10, b"SQ", 0, 0xFFFFFFFF) + bytes(10_000)
    np.testing.assert_array_equal(read_radiograph(data).pixels, PIXELS)


def test_a_dicom_without_pixels_says_what_it_is():
    _, rest = meta_and_rest(write_dicom(PIXELS))
    data = write_dicom(PIXELS).replace(rest, rest[: rest.index(struct.pack("<HH", 0x7FE0, 0x10))])
    assert "got a data set without pixels (DX)" in refusal(data)


def test_an_rle_segment_that_unpacks_to_more_than_the_picture_is_refused():
    body = b"\x81\x00" * 100_000
    frame = struct.pack("<16I", 2, 64, 64 + len(body), *([0] * 13)) + body + body
    assert "unpacks to more than the picture" in refusal(
        write_dicom(PIXELS, syntax=RLELossless, compressed=frame)
    )


def jpeg2000() -> bytearray:
    return bytearray(pillow_bytes(picture(np.uint8, (40, 50)), "JPEG2000", no_jp2=True))


def test_a_jpeg2000_frame_of_many_tiles_or_components_is_refused_before_decoding():
    tiny_tiles, many_parts = jpeg2000(), jpeg2000()
    small = picture(np.uint8, (40, 50))
    at = tiny_tiles.index(b"\xff\x4f\xff\x51") + 24
    tiny_tiles[at - 16 : at - 8] = struct.pack(">II", 4000, 4000)
    tiny_tiles[at : at + 8] = struct.pack(">II", 1, 1)
    many_parts[at + 16 : at + 18] = struct.pack(">H", 16_000)
    for codestream, message in ((tiny_tiles, "16000000 tiles"), (many_parts, "samples 16000")):
        data = write_dicom(small, syntax=JPEG2000Lossless, compressed=bytes(codestream))
        assert message in refusal(data)

"""Portable graymaps, plain and raw."""

import io

import numpy as np
import pytest
from PIL import Image

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from core.imaging.uploads import unpack
from tests.imaging.pictures import picture
from tests.imaging.zips import zip_of

DEEP, GREY = picture(np.uint16, (24, 31)), picture(np.uint8, (24, 31))


def raw(pixels: np.ndarray, top: int, comment: bytes = b"") -> bytes:
    body = pixels.astype(np.uint8 if top < 256 else ">u2").tobytes()
    return b"P5\n" + comment + f"{pixels.shape[1]} {pixels.shape[0]}\n{top}\n".encode() + body


def plain(pixels: np.ndarray, top: int) -> bytes:
    rows = "\n".join(" ".join(map(str, row)) for row in pixels.tolist())
    return f"P2 # by hand\n{pixels.shape[1]} {pixels.shape[0]} # size\n{top}\n{rows}\n".encode()


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data, "film.pgm")
    return str(caught.value)


@pytest.mark.parametrize("write", [raw, plain])
@pytest.mark.parametrize(("top", "bits"), [(255, 8), (1023, 10), (4095, 12), (65535, 16)])
def test_both_kinds_come_back_value_for_value_with_their_depth(write, top, bits):
    pixels = (DEEP >> (16 - bits)).astype(np.uint16)
    radiograph = read_radiograph(write(pixels, top), "film.pgm")
    np.testing.assert_array_equal(radiograph.pixels, pixels)
    assert (radiograph.bit_depth, radiograph.file_format, radiograph.notes) == (bits, "PGM", ())


def test_what_pillow_writes_and_reads_is_the_same():
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, "PPM")
    np.testing.assert_array_equal(read_radiograph(stream.getvalue()).pixels, GREY)
    reread = np.asarray(Image.open(io.BytesIO(raw(DEEP, 65535))))
    np.testing.assert_array_equal(read_radiograph(raw(DEEP, 65535)).pixels, reread)


def test_comments_stand_anywhere_in_the_header():
    data = raw(GREY, 255, comment=b"# scanner 7\n#\n")
    np.testing.assert_array_equal(read_radiograph(data).pixels, GREY)


def test_a_second_picture_in_the_file_is_told():
    one = raw(GREY, 255)
    radiograph = read_radiograph(one + one)
    np.testing.assert_array_equal(radiograph.pixels, GREY)
    assert radiograph.unread == (f"{len(one)} bytes behind the picture not read",)
    assert read_radiograph(one + b"\n").unread == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (raw(GREY, 255)[:-1], "743 of 744 bytes of pixels"),
        (raw(DEEP, 65535)[:-1], "1487 of 1488 bytes of pixels"),
        (plain(GREY, 255)[:-5], "values are there"),
        (plain(GREY, 255) + b"7", "745 values, the picture has 744 px"),
        (raw(DEEP, 300), "above its maximum 300"),
        (plain(DEEP, 300), "above its maximum 300"),
        (b"P5\n3 1\n0\nabc", "a highest value of 0"),
        (b"P5\n3 1\n70000\nabc", "a highest value of 70000"),
        (b"P5\n3", "its height is missing"),
        (b"P2\n2 1\n255\n1 x", "no whole number"),
        (b"P2\n2 1\n255\n1 -1", "no whole number"),
        (b"P5\n0 1\n255\n", "at least 1 x 1 px"),
        (b"P5\n900000 900000\n255\n", "at most 200 megapixels"),
    ],
)
def test_a_damaged_graymap_is_refused_with_the_reason(data, reason):
    assert reason in refusal(data)


@pytest.mark.parametrize("data", [b"P6\n1 1\n255\nabc", b"P5x", b"P7\nWIDTH 1\n"])
def test_other_anymaps_are_no_graymaps(data):
    assert "expected a PNG, JPEG, BMP, TIFF, PGM, NumPy or DICOM radiograph" in refusal(data)


def test_a_graymap_in_an_archive_is_a_member_like_any_other():
    (member,) = unpack(zip_of(("film.pgm", raw(GREY, 255))), "films.zip")
    np.testing.assert_array_equal(read_radiograph(member.read(), member.name).pixels, GREY)

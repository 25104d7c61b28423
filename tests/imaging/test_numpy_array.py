"""Arrays that NumPy saved."""

import io

import numpy as np
import pytest

from core.domain.errors import UnreadableImageError
from core.imaging.read import read_radiograph
from core.imaging.uploads import frames_in, unpack
from tests.imaging.pictures import picture
from tests.imaging.zips import zip_of

DEEP = picture(np.uint16, (24, 31))
STACK = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]])


def npy(array: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_radiograph(data, "film.npy")
    return str(caught.value)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f4", "<f8", "<f2", "<i4", "<u8"])
def test_values_of_every_type_come_back(dtype):
    array = (DEEP >> 8).astype(dtype)
    radiograph = read_radiograph(npy(array), "film.npy")
    np.testing.assert_array_equal(radiograph.pixels, DEEP >> 8)
    assert radiograph.file_format == "NumPy"


def test_booleans_are_black_and_white():
    np.testing.assert_array_equal(read_radiograph(npy(DEEP > 99)).pixels, np.where(DEEP > 99, 255, 0))


def test_signed_values_are_shifted_up_with_a_note():
    radiograph = read_radiograph(npy(np.array([[-5, 7]], np.int16)))
    assert radiograph.pixels.tolist() == [[32763, 32775]]
    assert "signed pixels shifted up by 32768" in radiograph.notes


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", ["stack", "one", "trailing"])
def test_planes_come_out_in_either_order(order, shape):
    array = {"stack": STACK, "one": DEEP, "trailing": DEEP[..., None]}[shape]
    files = frames_in(npy(np.asarray(array, order=order)), "panel.npy")
    found = [read_radiograph(one.read(), one.name, frame=one.frame) for one in files]
    np.testing.assert_array_equal([one.pixels for one in found], STACK if shape == "stack" else [DEEP])


def test_planes_are_named_and_counted():
    files = frames_in(npy(STACK), "panel.npy")
    assert [one.name for one in files] == [f"panel plane {n} of 3.npy" for n in (1, 2, 3)]
    assert read_radiograph(npy(STACK)).unread == ("3 planes, first one read",)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_channels", [3, 4])
def test_a_last_axis_of_three_or_four_is_colour(order, n_channels):
    planes = np.dstack([DEEP] * n_channels)
    (only,) = frames_in(npy(np.asarray(planes, order=order)), "film.npy")
    np.testing.assert_array_equal(read_radiograph(only.read()).pixels, DEEP)


def test_bytes_behind_the_array_are_told():
    assert read_radiograph(npy(DEEP) + b"more").unread == ("4 bytes behind the array not read",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (npy(np.array([[None]]), allow_pickle=True), "whole numbers or floats of up to 64 bit, got object"),
        (npy(np.array([["a"]])), "whole numbers or floats"),
        (npy(np.zeros((2, 2), complex)), "whole numbers or floats"),
        (npy(np.zeros((2, 2), [("a", "u1")])), "whole numbers or floats"),
        (npy(np.zeros(4)), "(height, width) or (planes, height, width), got (4,)"),
        (npy(np.zeros((1, 2, 3, 4))), "got (1, 2, 3, 4)"),
        (npy(np.zeros((0, 3))), "got (0, 3)"),
        (npy(DEEP)[:-1], "1487 of 1488 bytes of values"),
        (npy(DEEP)[:50], "truncated or damaged"),
        (npy(DEEP).replace(b"'<u2'", b"'<Z2'"), "truncated or damaged"),
        (npy(DEEP).replace(b")", b"("), "truncated or damaged"),
        (b"\x93NUMPY\x09\x00" + npy(DEEP)[8:], "truncated or damaged"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(data, reason):
    assert reason in refusal(data)


def test_too_many_planes_are_refused_as_a_whole():
    with pytest.raises(UnreadableImageError, match="at most 250 planes, got 251"):
        frames_in(npy(np.zeros((251, 5, 5), np.uint8)), "ct.npy")


def test_a_plane_that_is_not_there_is_refused():
    with pytest.raises(UnreadableImageError, match="a plane from 1 to 3, got 4"):
        read_radiograph(npy(STACK), frame=4)


def test_arrays_in_an_archive_are_members_like_any_other():
    stream = io.BytesIO()
    np.savez(stream, film=DEEP)
    for data in (zip_of(("film.npy", npy(DEEP))), stream.getvalue()):
        (member,) = unpack(data, "films.zip")
        np.testing.assert_array_equal(read_radiograph(member.read(), member.name).pixels, DEEP)

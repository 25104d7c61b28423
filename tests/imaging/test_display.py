"""Window, thumbnail, display PNG and pieces."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from core.domain.errors import BadInputError
from core.domain.radiograph import Polarity, Radiograph
from core.imaging.display import around, auto_window, crop_png, render_8bit, thumbnail_png
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from tests.imaging.pictures import picture


def radiograph_of(pixels: np.ndarray) -> Radiograph:
    return Radiograph(pixels, 16, Polarity.UNKNOWN, None, "0" * 64, "PNG")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_window_maps_linearly_from_black_to_white(dtype):
    pixels = np.array([[0, 50, 100, 150, 200, 250]], dtype)
    assert render_8bit(pixels, 50, 200).tolist() == [[0, 0, 85, 170, 255, 255]]
    assert render_8bit(pixels, 50, 200, invert=True).tolist() == [[255, 255, 170, 85, 0, 0]]


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint16, (5, 6)), st.floats(-100, 70000), st.floats(0.01, 70000))
def test_the_table_for_integers_and_the_formula_for_floats_agree(pixels, lo, width):
    table = render_8bit(pixels, lo, lo + width).astype(int)
    formula = render_8bit(pixels.astype(np.float32), lo, lo + width).astype(int)
    assert abs(table - formula).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_empty_window_is_a_threshold(dtype):
    assert render_8bit(np.array([[9, 10, 11]], dtype), 10, 10).tolist() == [[0, 0, 255]]


def test_values_that_are_not_finite_are_shown_at_the_ends():
    pixels = np.array([[np.nan, -np.inf, np.inf, 1.0]], np.float32)
    assert render_8bit(pixels, 0, 1).tolist() == [[0, 0, 255, 255]]


def test_the_automatic_window_is_the_bulk_of_the_picture():
    pixels = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    assert auto_window(pixels) == pytest.approx((49.995, 9949.005))


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((4, 4), 7, np.uint8),
        np.full((4, 4), -3e9, np.float32),
        np.full((4, 4), np.nan, np.float32),
        np.array([[np.nan, np.inf, 5.0]], np.float32),
        np.eye(100, dtype=np.uint8)[:1] * 9,
    ],
)
def test_the_automatic_window_is_never_empty(pixels):
    lo, hi = auto_window(pixels)
    assert np.isfinite([lo, hi]).all()
    assert hi > lo


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_display_png_is_lossless(dtype):
    pixels = picture(dtype)
    np.testing.assert_array_equal(read_radiograph(encode_png(pixels)).pixels, pixels)


def test_a_display_png_may_be_rgb():
    planes = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encode_png(planes)))), planes)


@pytest.mark.parametrize(
    "pixels", [np.zeros((3, 3), np.float32), np.zeros(3, np.uint8), np.zeros((0, 3), np.uint8)]
)
def test_what_no_png_can_hold_is_refused(pixels):
    with pytest.raises(ValueError, match="expected"):
        encode_png(pixels)


@pytest.mark.parametrize(
    ("shape", "side", "size"),
    [
        ((100, 400), 200, (50, 200)),
        ((400, 100), 256, (256, 64)),
        ((20, 30), 256, (20, 30)),
        ((1, 5000), 64, (1, 64)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_thumbnail_keeps_the_proportions_and_never_enlarges(shape, side, size, dtype):
    data = thumbnail_png(radiograph_of(picture(dtype, shape)), max_side_px=side)
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (shown.dtype, shown.shape) == (np.uint8, size)


def test_a_thumbnail_uses_the_whole_grey_range():
    data = thumbnail_png(radiograph_of(picture(np.uint16, (300, 300)) // 64 + 5000))
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (shown.min(), shown.max()) == (0, 255)


def test_a_thumbnail_of_floats_with_holes_is_drawn():
    pixels = picture(np.float32, (300, 300))
    pixels[:50] = np.nan
    assert thumbnail_png(radiograph_of(pixels)).startswith(b"\x89PNG")


def test_a_thumbnail_needs_at_least_one_pixel():
    with pytest.raises(ValueError, match="at least 1"):
        thumbnail_png(radiograph_of(picture(np.uint8)), max_side_px=0)


# --- pieces


def _opened(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_a_piece_is_cut_out_and_enlarged_without_inventing_detail() -> None:
    picture = np.zeros((50, 80), np.uint8)
    picture[10:20, 30:40] = 200
    piece = _opened(crop_png(picture, (30, 10, 50, 20), side_px=80))
    assert piece.shape == (40, 80)
    assert set(np.unique(piece)) == {0, 200}
    assert (piece[:, :40] == 200).all()


def test_what_lies_outside_is_left_out() -> None:
    assert _opened(crop_png(np.zeros((50, 80), np.uint8), (-20, -20, 20, 20), side_px=40)).shape == (40, 40)
    with pytest.raises(BadInputError, match="no picture"):
        crop_png(np.zeros((50, 80), np.uint8), (90, 0, 100, 10), side_px=40)


@pytest.mark.parametrize(
    ("box", "rectangle"),
    [
        ((100, 100, 110, 110), (57, 57, 153, 153)),
        ((0, 0, 10, 10), (0, 0, 96, 96)),
        ((490, 290, 500, 300), (404, 204, 500, 300)),
        ((100, 100, 300, 120), (0, 0, 440, 300)),
    ],
)
def test_a_place_is_shown_with_what_is_around_it(box: tuple, rectangle: tuple) -> None:
    assert around(box, (500, 300)) == rectangle

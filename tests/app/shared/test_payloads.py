"""What the viewer fetches."""

import gzip

import numpy as np
import pytest

from app.shared.payloads import PREVIEW_SIDE_PX, heat_map_payload, pixel_payload, preview_payload
from core.domain.inspection import HeatMap
from core.domain.radiograph import Polarity, Radiograph


def radiograph(pixels: np.ndarray, bit_depth: int) -> Radiograph:
    return Radiograph(pixels, bit_depth, Polarity.FILM, None, "ab" * 32, "PNG")


def test_a_signed_map_has_its_zero_in_the_middle_and_says_so() -> None:
    values = np.array([[-1.0, 0.0, 0.5, 1.0]], np.float32)
    payload = heat_map_payload(HeatMap(values, 3, 4, 0.7, is_signed=True))
    assert list(gzip.decompress(payload.body)) == [1, 128, 192, 255]
    assert payload.headers["X-Signed"] == "1"


def test_an_empty_map_says_why() -> None:
    payload = heat_map_payload(HeatMap(np.zeros((1, 2), np.float32), 0, 0, 0.0, why_empty="nothing there"))
    assert (payload.headers["X-Empty"], payload.headers["X-Why-Empty"]) == ("1", "nothing there")


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 8), (np.uint16, 16)])
def test_integer_pixels_arrive_unchanged(dtype: type, bits: int) -> None:
    pixels = np.arange(6, dtype=dtype).reshape(2, 3) * 41
    payload = pixel_payload(radiograph(pixels, bits))
    sent = np.frombuffer(gzip.decompress(payload.body), np.dtype(dtype).newbyteorder("<"))
    assert (sent.reshape(2, 3) == pixels).all()
    assert payload.headers["X-Sample-Bits"] == str(bits)
    assert (payload.headers["X-Width"], payload.headers["X-Height"]) == ("3", "2")


def test_float_pixels_are_mapped_back_within_a_step() -> None:
    pixels = np.array([[-1.5, 0.0], [np.nan, 2.5]], np.float32)
    payload = pixel_payload(radiograph(pixels, 32))
    sent = np.frombuffer(gzip.decompress(payload.body), "<u2").reshape(2, 2)
    slope, offset = float(payload.headers["X-Slope"]), float(payload.headers["X-Offset"])
    expected = np.nan_to_num(pixels, nan=-1.5)
    assert np.abs(offset + slope * sent - expected).max() <= slope


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_flat_or_empty_float_pixels_arrive(value: float) -> None:
    payload = pixel_payload(radiograph(np.full((2, 2), value, np.float32), 32))
    assert not np.frombuffer(gzip.decompress(payload.body), "<u2").any()


@pytest.mark.parametrize(("dtype", "wire"), [(np.uint8, "u1"), (np.uint16, "<u2"), (np.float32, "<u2")])
def test_a_preview_is_shrunk_by_averaging_and_keeps_the_depth(dtype: type, wire: str) -> None:
    pixels = np.full((1000, 4 * PREVIEW_SIDE_PX), 100, dtype)
    pixels[:, ::2] = 200
    payload = preview_payload(radiograph(pixels, 8 * np.dtype(dtype).itemsize))
    sent = np.frombuffer(gzip.decompress(payload.body), wire)
    assert (payload.headers["X-Width"], payload.headers["X-Height"]) == (str(PREVIEW_SIDE_PX), "250")
    assert sent.size == PREVIEW_SIDE_PX * 250
    values = float(payload.headers["X-Offset"]) + float(payload.headers["X-Slope"]) * sent
    assert np.unique(values) == pytest.approx([150.0])


def test_a_preview_is_never_larger_than_the_image() -> None:
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3)
    assert preview_payload(radiograph(pixels, 16)) == pixel_payload(radiograph(pixels, 16))


def test_a_preview_of_values_that_are_not_finite_arrives() -> None:
    pixels = np.full((4, 4 * PREVIEW_SIDE_PX), np.nan, np.float32)
    pixels[0] = np.inf
    pixels[1] = 3.0
    sent = np.frombuffer(gzip.decompress(preview_payload(radiograph(pixels, 32)).body), "<u2")
    assert not sent.any()


def test_a_map_keeps_its_place_and_shape() -> None:
    values = np.array([[0.0, 0.5, 1.0]], np.float32)
    payload = heat_map_payload(HeatMap(values, 12, 34, 0.7))
    assert list(gzip.decompress(payload.body)) == [0, 128, 255]
    assert (payload.headers["X-Left"], payload.headers["X-Top"]) == ("12", "34")
    assert (payload.headers["X-Width"], payload.headers["X-Height"], payload.headers["X-Empty"]) == (
        "3",
        "1",
        "0",
    )


def test_an_empty_map_says_so() -> None:
    assert heat_map_payload(HeatMap(np.zeros((1, 1), np.float32), 0, 0, 0.0)).headers["X-Empty"] == "1"

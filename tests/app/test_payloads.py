"""What the viewer fetches."""

import gzip

import numpy as np
import pytest

from app.payloads import heat_map_payload, pixel_payload
from core.domain.inspection import HeatMap
from core.domain.radiograph import Polarity, Radiograph


def radiograph(pixels: np.ndarray, bit_depth: int) -> Radiograph:
    return Radiograph(pixels, bit_depth, Polarity.FILM, None, "ab" * 32, "PNG")


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

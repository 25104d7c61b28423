"""The one normalisation of training and inference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.domain.radiograph import Polarity
from core.imaging.normalise import HEADROOM, is_inverted, normalise
from tests.imaging.pictures import picture

small_pictures = arrays(np.uint16, st.tuples(st.integers(2, 12), st.integers(2, 12)))


def test_the_percentiles_become_0_and_1():
    pixels = np.linspace(1000, 3000, 10_000).reshape(100, 100)
    values = normalise(pixels)
    assert (values.dtype, values.shape) == (np.float32, (100, 100))
    assert values[0, 0] == pytest.approx(-0.001, abs=2e-4)
    assert values[50, 0] == pytest.approx(0.5, abs=1e-3)
    assert values[-1, -1] == pytest.approx(1.001, abs=2e-4)


@settings(max_examples=40, deadline=None)
@given(small_pictures)
def test_brighter_is_never_normalised_to_darker(pixels):
    values = normalise(pixels).ravel()[np.argsort(pixels.ravel(), kind="stable")]
    assert (np.diff(values) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(small_pictures, st.sampled_from([0.125, 0.5, 2.0, 8.0]), st.integers(-500, 500))
def test_detector_gain_and_offset_change_nothing(pixels, gain, offset):
    before = normalise(pixels.astype(np.float64))
    after = normalise(pixels.astype(np.float64) * gain + offset)
    np.testing.assert_allclose(after, before, atol=2e-3)


@pytest.mark.parametrize(("bits", "tolerance"), [(8, 1 / 255), (12, 1 / 4095)])
def test_one_picture_at_any_depth_gives_one_result(bits, tolerance):
    deep = picture(np.uint16, (200, 300))
    shallow = (deep >> (16 - bits)).astype(np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_allclose(normalise(shallow), normalise(deep), atol=2 * tolerance)


def test_12_bit_values_need_not_fill_their_container():
    deep = picture(np.uint16, (50, 60), bits=12)
    np.testing.assert_allclose(normalise(deep << 4), normalise(deep), atol=1e-6)


@pytest.mark.parametrize(
    ("polarity", "model_polarity", "inverted"),
    [
        (Polarity.FILM, Polarity.DIGITAL, True),
        (Polarity.DIGITAL, Polarity.FILM, True),
        (Polarity.FILM, Polarity.FILM, False),
        (Polarity.DIGITAL, Polarity.DIGITAL, False),
        (Polarity.UNKNOWN, Polarity.FILM, False),
        (Polarity.DIGITAL, Polarity.UNKNOWN, False),
        (Polarity.UNKNOWN, Polarity.UNKNOWN, False),
    ],
)
def test_only_known_polarities_that_differ_turn_the_picture_round(polarity, model_polarity, inverted):
    pixels = picture(np.uint8)
    plain = normalise(pixels)
    values = normalise(pixels, polarity=polarity, model_polarity=model_polarity)
    assert is_inverted(polarity, model_polarity) is inverted
    np.testing.assert_allclose(values, 1 - plain if inverted else plain, atol=1e-6)


def test_a_film_and_its_negative_are_one_picture_to_a_model():
    film = picture(np.uint16)
    seen = normalise(film, polarity=Polarity.FILM, model_polarity=Polarity.FILM)
    negative = normalise(65535 - film, polarity=Polarity.DIGITAL, model_polarity=Polarity.FILM)
    np.testing.assert_allclose(negative, seen, atol=1e-4)


@pytest.mark.parametrize("value", [0, 77, 65535])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_constant_picture_is_all_one_half(value, dtype):
    assert (normalise(np.full((5, 7), value, dtype)) == 0.5).all()


def test_one_hot_and_one_dead_pixel_change_nothing_else():
    pixels = picture(np.uint16, (100, 100)) // 4 + 20000
    spoilt = pixels.copy()
    spoilt[3, 3], spoilt[60, 60] = 65535, 0
    clean, values = normalise(pixels), normalise(spoilt)
    untouched = np.ones(pixels.shape, bool)
    untouched[3, 3] = untouched[60, 60] = False
    np.testing.assert_allclose(values[untouched], clean[untouched], atol=0.01)
    assert values[3, 3] == pytest.approx(1 + HEADROOM)
    assert values[60, 60] == pytest.approx(-HEADROOM)


def test_values_that_are_not_finite_do_not_spread():
    pixels = picture(np.float32, (60, 60))
    spoilt = pixels.copy()
    spoilt[0, :3] = (np.nan, np.inf, -np.inf)
    values = normalise(spoilt)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[1:], normalise(pixels)[1:], atol=0.01)
    assert values[0, 1] == pytest.approx(1 + HEADROOM)
    assert values[0, 2] == pytest.approx(-HEADROOM)


def test_a_picture_without_a_finite_value_is_all_one_half():
    assert (normalise(np.full((4, 4), np.nan, np.float32)) == 0.5).all()


def test_the_input_is_left_as_it_was():
    pixels = picture(np.float32)
    before = pixels.copy()
    normalise(pixels, polarity=Polarity.FILM, model_polarity=Polarity.DIGITAL)
    np.testing.assert_array_equal(pixels, before)


def test_a_large_picture_is_sampled_and_agrees_with_the_whole():
    pixels = np.random.default_rng(1).normal(30000, 3000, (1500, 1500)).astype(np.uint16)
    low, high = np.percentile(pixels, (0.1, 99.9))
    expected = np.clip((pixels - low) / (high - low), -HEADROOM, 1 + HEADROOM)
    np.testing.assert_allclose(normalise(pixels), expected, atol=0.02)

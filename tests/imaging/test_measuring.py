"""The oracle that the viewer's measurements are compared with, against values by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.radiograph import PitchSource, PixelPitch
from tests.imaging.measuring import (
    calibrate_scale,
    contrast_to_noise,
    line_profile,
    measure_length,
    region_statistics,
)
from tests.imaging.test_noise import noisy, radiograph

PITCH = PixelPitch(0.04, PitchSource.FILE)


def test_a_length_without_a_scale_stays_in_pixels():
    length = measure_length((0, 0), (30, 40))
    assert (length.length_px, length.length_mm, length.uncertainty_mm) == (50, None, None)


def test_a_known_uncertainty_of_the_scale_adds_in_quadrature():
    length = measure_length((0, 0), (1000, 0), pitch=PITCH, pitch_relative_uncertainty=0.02)
    assert length.length_mm == pytest.approx(40)
    assert length.uncertainty_mm == pytest.approx(math.hypot(2 * math.sqrt(2 / 3) * 0.04, 40 * 0.02))


def test_the_uncertainty_of_the_ends_covers_95_percent_of_what_two_edges_within_1_px_can_do():
    shifts = np.random.default_rng(0).uniform(-1, 1, (100_000, 2)).sum(axis=1)
    within = np.mean(np.abs(shifts) <= measure_length((0, 0), (9, 0)).uncertainty_px)
    assert 0.95 <= within <= 0.98


@given(st.floats(0.001, 1.0), st.floats(5, 5000))
def test_a_calibrated_scale_measures_its_own_length_right(mm_per_px, length_px):
    pitch, relative = calibrate_scale((3, 4), (3 + length_px, 4), length_px * mm_per_px)
    measured = measure_length((0, 0), (0, length_px), pitch=pitch, pitch_relative_uncertainty=relative)
    assert measured.length_mm == pytest.approx(length_px * mm_per_px)
    assert measured.uncertainty_mm == pytest.approx(math.sqrt(2) * measured.uncertainty_px * mm_per_px)


def test_a_region_counts_the_pixels_whose_centres_it_holds():
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    found = region_statistics(radiograph(pixels, bit_depth=8), (0.6, 1.0, 3.4, 3.0))
    assert (found.n_px, found.minimum, found.maximum, found.mean) == (4, 6, 12, 9)
    assert found.standard_deviation == pytest.approx(np.std([6, 7, 11, 12], ddof=1))


def test_a_region_half_outside_is_cut_and_pixels_without_a_value_are_not_counted():
    assert region_statistics(radiograph(noisy()), (-10, -10, 5, 5)).n_px == 25
    pixels = np.array([[1, 2], [np.nan, 6]], np.float32)
    found = region_statistics(radiograph(pixels), (0, 0, 2, 2))
    assert (found.n_px, found.mean) == (3, 3)


def test_the_cnr_is_the_step_over_the_mean_noise():
    pixels = np.hstack([noisy(1000, 10, (200, 100), 1), noisy(1060, 20, (200, 100), 2)])
    found = contrast_to_noise(radiograph(pixels), (0, 0, 100, 200), (100, 0, 200, 200))
    assert found == pytest.approx(60 / 15, rel=0.05)


def test_a_profile_runs_through_the_pixel_centres():
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    positions, values = line_profile(radiograph(pixels), (0.5, 1.5), (3.5, 1.5))
    np.testing.assert_allclose(values, [4, 5, 6, 7])
    np.testing.assert_allclose(positions, [0, 1, 2, 3])


def test_a_profile_is_linear_between_pixels_at_any_angle():
    y, x = np.mgrid[:40, :50]
    image = radiograph((100 + 3.0 * x + 2.0 * y).astype(np.float32))
    _, values = line_profile(image, (5.25, 7.75), (33.1, 21.4), width_px=5)
    at = np.linspace(0, 1, len(values))
    np.testing.assert_allclose(values, 100 + 3 * (4.75 + at * 27.85) + 2 * (7.25 + at * 13.65), atol=1e-3)


def test_a_wider_profile_averages_the_noise():
    image = radiograph(noisy(shape=(200, 400)))
    _, thin = line_profile(image, (10, 100.5), (390, 100.5))
    _, wide = line_profile(image, (10, 100.5), (390, 100.5), width_px=25)
    assert wide.std() == pytest.approx(thin.std() / 5, rel=0.25)


def test_outside_of_the_picture_a_profile_has_no_value():
    _, values = line_profile(radiograph(noisy(shape=(10, 10))), (-3.5, 5.5), (12.5, 5.5))
    assert np.isnan(values[:3]).all()
    assert np.isnan(values[-3:]).all()
    assert np.isfinite(values[4:-3]).all()

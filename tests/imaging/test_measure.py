"""Lengths, regions, profiles, SNR and CNR: hand values and what must never happen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.imaging.line_profile import line_profile
from core.imaging.measure import calibrate_scale, measure_box, measure_length
from core.imaging.noise import contrast_to_noise, signal_to_noise
from core.imaging.region import region_statistics

PITCH = PixelPitch(0.04, PitchSource.FILE)


def radiograph(pixels, *, polarity=Polarity.DIGITAL, pitch=None, bit_depth=16) -> Radiograph:
    return Radiograph(
        pixels=pixels, bit_depth=bit_depth, polarity=polarity, pitch=pitch, sha256="0" * 64, file_format="PNG"
    )


def noisy(mean=1000.0, sd=10.0, shape=(120, 200), seed=0):
    values = np.random.default_rng(seed).normal(mean, sd, shape)
    return np.clip(np.rint(values), 0, 65535).astype(np.uint16)


# --- lengths


def test_a_length_without_a_scale_stays_in_pixels_and_says_so():
    length = measure_length((0, 0), (30, 40))
    assert length.length_px == 50
    assert (length.length_mm, length.uncertainty_mm, length.pitch) == (None, None, None)
    assert length.text == "50.0 ± 1.6 px (no scale)"


def test_a_length_in_mm_names_the_source_of_its_scale_and_what_is_left_out():
    length = measure_length((0, 0), (30, 40), pitch=PITCH)
    assert length.length_mm == pytest.approx(2.0)
    assert length.uncertainty_mm == pytest.approx(2 * math.sqrt(2 / 3) * 0.04)
    assert length.text == (
        "2.00 ± 0.07 mm (k = 2; resolution written in the file; that of the scale unknown, not included)"
    )


def test_a_known_uncertainty_of_the_scale_adds_in_quadrature():
    length = measure_length((0, 0), (1000, 0), pitch=PITCH, pitch_relative_uncertainty=0.02)
    assert length.uncertainty_mm == pytest.approx(math.hypot(2 * math.sqrt(2 / 3) * 0.04, 40 * 0.02))
    assert length.includes_pitch_uncertainty


def test_the_uncertainty_of_the_ends_covers_95_percent_of_what_two_edges_within_1_px_can_do():
    shifts = np.random.default_rng(0).uniform(-1, 1, (100_000, 2)).sum(axis=1)
    within = np.mean(np.abs(shifts) <= measure_length((0, 0), (9, 0)).uncertainty_px)
    assert 0.95 <= within <= 0.98


def test_a_box_gives_its_width_and_height():
    width, height = measure_box((10, 20, 14.5, 50), pitch=PITCH)
    assert (width.length_px, height.length_px) == (4.5, 30)
    assert height.length_mm == pytest.approx(1.2)


@given(st.floats(0.001, 1.0), st.floats(5, 5000))
def test_a_calibrated_scale_measures_its_own_length_right(mm_per_px, length_px):
    scale = calibrate_scale((3, 4), (3 + length_px, 4), length_px * mm_per_px)
    measured = measure_length(
        (0, 0), (0, length_px), pitch=scale.pitch, pitch_relative_uncertainty=scale.relative_uncertainty
    )
    assert scale.pitch.source is PitchSource.USER
    assert measured.length_mm == pytest.approx(length_px * mm_per_px)
    assert measured.uncertainty_mm == pytest.approx(math.sqrt(2) * measured.uncertainty_px * mm_per_px)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: measure_length((0, math.nan), (1, 1)),
        lambda: measure_length((0, 0), (1, 1), end_uncertainty_px=-1),
        lambda: measure_length((0, 0), (1, 1), pitch=PITCH, pitch_relative_uncertainty=-0.1),
        lambda: measure_box((5, 0, 4, 1)),
        lambda: calibrate_scale((0, 0), (1, 0), 10.0),
        lambda: calibrate_scale((0, 0), (100, 0), 0.0),
        lambda: calibrate_scale((0, 0), (100, 0), 10.0, known_uncertainty_mm=-1),
    ],
)
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(ValueError, match="must|apart"):
        wrong()


# --- regions


def test_a_region_counts_the_pixels_whose_centres_it_holds():
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    found = region_statistics(radiograph(pixels, bit_depth=8), (0.6, 1.0, 3.4, 3.0))
    assert (found.n_px, found.minimum, found.maximum) == (4, 6, 12)
    assert (found.mean, found.median) == (9, 9)
    assert found.standard_deviation == pytest.approx(np.std([6, 7, 11, 12], ddof=1))


def test_a_region_half_outside_is_cut_and_one_outside_is_refused():
    image = radiograph(noisy())
    assert region_statistics(image, (-10, -10, 5, 5)).n_px == 25
    with pytest.raises(ValueError, match="no pixel"):
        region_statistics(image, (300, 300, 400, 400))
    with pytest.raises(ValueError, match="xyxy"):
        region_statistics(image, (5, 5, 1, 1))


def test_pixels_without_a_value_are_not_counted():
    pixels = np.array([[1, 2], [np.nan, 6]], np.float32)
    found = region_statistics(radiograph(pixels), (0, 0, 2, 2))
    assert (found.n_px, found.mean) == (3, 3)


# --- profiles


def test_a_profile_runs_through_the_pixel_centres():
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    profile = line_profile(radiograph(pixels, pitch=PITCH), (0.5, 1.5), (3.5, 1.5))
    np.testing.assert_allclose(profile.values, [4, 5, 6, 7])
    np.testing.assert_allclose(profile.positions_px, [0, 1, 2, 3])
    np.testing.assert_allclose(profile.positions_mm, [0, 0.04, 0.08, 0.12])


def test_a_profile_is_linear_between_pixels_at_any_angle():
    y, x = np.mgrid[:40, :50]
    image = radiograph((100 + 3.0 * x + 2.0 * y).astype(np.float32))
    profile = line_profile(image, (5.25, 7.75), (33.1, 21.4), width_px=5, step_px=0.25)
    at = np.linspace(0, 1, len(profile.values))
    want = 100 + 3 * (4.75 + at * 27.85) + 2 * (7.25 + at * 13.65)
    np.testing.assert_allclose(profile.values, want, atol=1e-3)


def test_a_wider_profile_averages_the_noise():
    image = radiograph(noisy(shape=(200, 400)))
    thin = line_profile(image, (10, 100.5), (390, 100.5))
    wide = line_profile(image, (10, 100.5), (390, 100.5), width_px=25)
    assert wide.values.std() == pytest.approx(thin.values.std() / 5, rel=0.25)


def test_outside_of_the_picture_a_profile_has_no_value():
    profile = line_profile(radiograph(noisy(shape=(10, 10))), (-3.5, 5.5), (12.5, 5.5))
    assert np.isnan(profile.values[:3]).all()
    assert np.isnan(profile.values[-3:]).all()
    assert np.isfinite(profile.values[4:-3]).all()


def test_a_profile_of_no_length_is_one_sample_and_senseless_ones_are_refused():
    image = radiograph(noisy())
    assert len(line_profile(image, (5, 5), (5, 5)).values) == 1
    for wrong in ({"width_px": 0}, {"step_px": 0.0}, {"step_px": 1e-6}):
        with pytest.raises(ValueError, match="at least|at most"):
            line_profile(image, (0, 0), (100, 100), **wrong)
    with pytest.raises(ValueError, match="finite"):
        line_profile(image, (0, math.inf), (1, 1))


# --- noise


def test_the_snr_is_the_signal_over_the_noise():
    found = signal_to_noise(radiograph(noisy(1000, 10, (500, 500))), (0, 0, 500, 500))
    assert found.snr == pytest.approx(100, rel=0.01)
    assert found.snr_n is None
    assert found.text == f"SNR {found.snr:.0f}, not normalised: the basic spatial resolution SRb is not known"


def test_the_median_correction_is_that_of_chi_with_19_degrees_of_freedom():
    from scipy.stats import chi2

    from core.imaging.noise import MEDIAN_CORRECTION

    assert pytest.approx(math.sqrt(19 / chi2.median(19)), abs=1e-4) == MEDIAN_CORRECTION


@pytest.mark.parametrize(("srb_um", "factor"), [(88.6, 1.0), (44.3, 2.0), (177.2, 0.5)])
def test_the_snr_is_normalised_to_88_6_um(srb_um, factor):
    found = signal_to_noise(radiograph(noisy()), (0, 0, 200, 120), srb_um=srb_um)
    assert found.snr_n == pytest.approx(found.snr * factor)
    assert found.text == f"SNRn {found.snr_n:.0f} (SRb {srb_um:.0f} um)"


def test_shading_from_row_to_row_is_not_noise():
    flat = noisy(1000, 10, (400, 200))
    shaded = flat + np.linspace(0, 300, 400).astype(np.uint16)[:, None]
    box = (0, 0, 200, 400)
    assert signal_to_noise(radiograph(shaded), box).noise == pytest.approx(
        signal_to_noise(radiograph(flat), box).noise, rel=0.01
    )


def test_a_film_counts_its_signal_from_the_bright_end_and_inverting_both_changes_nothing():
    pixels = noisy(60_000, 30)
    box = (0, 0, 200, 120)
    film = signal_to_noise(radiograph(pixels, polarity=Polarity.FILM), box)
    digital = signal_to_noise(radiograph(65535 - pixels, polarity=Polarity.DIGITAL), box)
    assert film.snr == pytest.approx(digital.snr)
    assert film.signal == pytest.approx(5535, abs=10)
    unknown = signal_to_noise(radiograph(pixels, polarity=Polarity.UNKNOWN), box)
    assert unknown.snr == pytest.approx(film.snr)
    assert "polarity unknown" in unknown.remarks[0]


def test_a_region_smaller_than_the_standard_asks_for_says_so():
    assert "the standard asks for 55" in signal_to_noise(radiograph(noisy()), (0, 0, 20, 40)).remarks[0]
    with pytest.raises(ValueError, match="choose a larger one"):
        signal_to_noise(radiograph(noisy()), (0, 0, 19, 100))


def test_noise_below_one_grey_value_is_not_taken_for_none():
    found = signal_to_noise(radiograph(np.full((60, 60), 100, np.uint8), bit_depth=8), (0, 0, 60, 60))
    assert found.snr == pytest.approx(100 * math.sqrt(12))
    assert "at least this" in found.remarks[0]


def test_float_pixels_have_no_known_density_zero():
    pixels = noisy().astype(np.float32)
    with pytest.raises(ValueError, match="density zero"):
        signal_to_noise(radiograph(pixels, polarity=Polarity.FILM), (0, 0, 100, 100))
    unknown = signal_to_noise(radiograph(pixels, polarity=Polarity.UNKNOWN), (0, 0, 100, 100))
    assert unknown.remarks == ("polarity unknown: grey value 0 taken as dose 0",)
    with pytest.raises(ValueError, match="srb_um"):
        signal_to_noise(radiograph(pixels), (0, 0, 100, 100), srb_um=0)


@settings(max_examples=25, deadline=None)
@given(st.floats(2, 40), st.floats(2, 60), st.integers(0, 1000))
def test_adding_noise_never_raises_the_snr(sd, more, seed):
    rng = np.random.default_rng(seed)
    pixels = noisy(2000, sd, (120, 200), seed)
    worse = np.clip(np.rint(pixels + rng.normal(0, more, pixels.shape)), 0, 65535).astype(np.uint16)
    box = (0, 0, 200, 120)
    before, after = (signal_to_noise(radiograph(p), box).snr for p in (pixels, worse))
    assert after <= before * 1.02


def test_the_cnr_is_the_step_over_the_mean_noise():
    pixels = np.hstack([noisy(1000, 10, (200, 100), 1), noisy(1060, 20, (200, 100), 2)])
    found = contrast_to_noise(radiograph(pixels), (0, 0, 100, 200), (100, 0, 200, 200))
    assert found.cnr == pytest.approx(60 / 15, rel=0.05)
    assert found.difference == pytest.approx(-60, abs=2)


def test_without_any_noise_a_difference_is_infinitely_clear_and_none_is_none():
    pixels = np.repeat(np.array([[1.0] * 20 + [2.0] * 20], np.float32), 10, axis=0)
    left, right = (0, 0, 20, 10), (20, 0, 40, 10)
    assert contrast_to_noise(radiograph(pixels), left, right).cnr == math.inf
    assert contrast_to_noise(radiograph(pixels), left, left).cnr == 0

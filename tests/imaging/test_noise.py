"""SNR and normalised SNR of a region: values by hand and what must never happen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.quality.noise import MEDIAN_CORRECTION, signal_to_noise


def radiograph(pixels, *, polarity=Polarity.DIGITAL, pitch=None, bit_depth=16) -> Radiograph:
    return Radiograph(
        pixels=pixels, bit_depth=bit_depth, polarity=polarity, pitch=pitch, sha256="0" * 64, file_format="PNG"
    )


def noisy(mean=1000.0, sd=10.0, shape=(120, 200), seed=0):
    values = np.random.default_rng(seed).normal(mean, sd, shape)
    return np.clip(np.rint(values), 0, 65535).astype(np.uint16)


def test_the_snr_is_the_signal_over_the_noise():
    found = signal_to_noise(radiograph(noisy(1000, 10, (500, 500))), (0, 0, 500, 500))
    assert found.snr == pytest.approx(100, rel=0.01)
    assert found.snr_n is None
    assert found.text == f"SNR {found.snr:.0f}, not normalised: the basic spatial resolution SRb is not known"


def test_the_median_correction_is_that_of_chi_with_19_degrees_of_freedom():
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


def test_a_box_that_is_none_is_refused():
    for box in ((5, 5, 1, 1), (0, 0, math.inf, 9)):
        with pytest.raises(ValueError, match="finite and xyxy"):
            signal_to_noise(radiograph(noisy()), box)


@settings(max_examples=25, deadline=None)
@given(st.floats(2, 40), st.floats(2, 60), st.integers(0, 1000))
def test_adding_noise_never_raises_the_snr(sd, more, seed):
    rng = np.random.default_rng(seed)
    pixels = noisy(2000, sd, (120, 200), seed)
    worse = np.clip(np.rint(pixels + rng.normal(0, more, pixels.shape)), 0, 65535).astype(np.uint16)
    box = (0, 0, 200, 120)
    before, after = (signal_to_noise(radiograph(p), box).snr for p in (pixels, worse))
    assert after <= before * 1.02

"""Figures of simulated pictures come out as they were put in."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain.drift import BLUR, CNR, CONTRAST, FINENESS, GREY_LEVEL, NOISE
from core.domain.radiograph import Polarity, Radiograph
from core.imaging.quality.physical import physical_figures

NONE = np.zeros((0, 4), np.float32)


def picture(*, noise: float = 40.0, gain: float = 1.0) -> Radiograph:
    """A slope from 1000 to 3000 of 4095 with noise and a darker square of 400 grey values."""
    rng = np.random.default_rng(3)
    pixels = np.tile(np.linspace(1000, 3000, 256), (256, 1))
    pixels[100:120, 100:120] -= 400
    pixels = gain * pixels + rng.normal(0, noise, pixels.shape)
    return Radiograph(pixels.astype(np.uint16), 12, Polarity.FILM, None, "a" * 64, "PNG")


def test_noise_level_and_contrast_are_shares_of_full_scale() -> None:
    found = physical_figures(picture(), NONE)
    assert found[NOISE] == pytest.approx(40 / 4095, rel=0.06)
    assert found[GREY_LEVEL] == pytest.approx(2000 / 4095, rel=0.02)
    assert found[CONTRAST] == pytest.approx(0.9 * 2000 / 4095, rel=0.03)
    assert CNR not in found


def test_more_noise_and_less_contrast_are_told_apart() -> None:
    plain, noisy, flat = (
        physical_figures(one, NONE) for one in (picture(), picture(noise=52), picture(gain=0.8))
    )
    assert noisy[NOISE] / plain[NOISE] == pytest.approx(1.3, rel=0.03)
    assert noisy[CONTRAST] == pytest.approx(plain[CONTRAST], rel=0.03)
    assert flat[CONTRAST] / plain[CONTRAST] == pytest.approx(0.8, rel=0.03)


def test_fineness_tells_noise_of_single_pixels_from_that_of_film() -> None:
    rng = np.random.default_rng(5)
    grain = cv2.GaussianBlur(rng.normal(size=(256, 256)), (0, 0), 1.0)
    film = 2000 + 60 * grain / grain.std()
    more = film + rng.normal(0, 15, film.shape)
    found = [
        physical_figures(replace(picture(), pixels=np.rint(one).astype(np.uint16)), NONE)[FINENESS]
        for one in (film, 2000 + 1.3 * (film - 2000), more)
    ]
    assert physical_figures(picture(), NONE)[FINENESS] == pytest.approx(1, abs=0.06)
    assert found[0] < 0.4
    assert found[1] == pytest.approx(found[0], rel=0.05)
    assert found[2] > 0.8


def test_contrast_to_noise_is_that_of_the_box() -> None:
    box = np.array([[100, 100, 120, 120]], np.float32)
    assert physical_figures(picture(), box)[CNR] == pytest.approx(10, rel=0.15)


def test_what_a_picture_does_not_allow_is_left_out() -> None:
    small = replace(picture(), pixels=np.full((20, 20), 7, np.uint16))
    assert set(physical_figures(small, NONE)) == {GREY_LEVEL, CONTRAST}
    broken = replace(picture(), pixels=np.full((64, 64), np.nan, np.float32))
    assert physical_figures(broken, NONE) == {}
    outside, even = np.array([[900, 900, 950, 950]], np.float32), np.full((64, 64), 7, np.uint16)
    assert not {CNR, BLUR} & set(physical_figures(replace(picture(), pixels=even), outside))

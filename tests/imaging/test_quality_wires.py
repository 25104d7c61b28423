"""Wire indicators: rendered with known wires, and on real films."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.domain.wire_sets import WIRE_DIAMETERS_MM, wires_of_set
from core.imaging.quality.assess import assess
from core.imaging.quality.report import WELD_LIMITS, CheckKind, CheckState
from core.imaging.quality.wires import find_wires
from core.imaging.read import read_radiograph_file
from core.simulate import furniture

MM_PER_PX = 0.05
PITCH = PixelPitch(MM_PER_PX, PitchSource.USER)


def film_with_wires(*, contrast_per_mm=60.0, noise=4.0, n_wires=7, lean=0.02, seed=0, first=10):
    """A film with a soft seam and the wires of a set across it; 8 bit, less metal is darker."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:800, :1600].astype(np.float32)
    pixels = 70 + 50 * np.exp(-(((y - 400) / 120) ** 2)) + 8 * np.sin(x / 500)
    metal = np.zeros_like(pixels)
    for index, number in enumerate(wires_of_set(first)[:n_wires]):
        diameter = WIRE_DIAMETERS_MM[number] / MM_PER_PX
        away = x - (500 + 5.3 / MM_PER_PX * index + lean * (y - 400))
        metal += 2 * np.sqrt(np.clip((diameter / 2) ** 2 - away**2, 0, None)) * MM_PER_PX
    metal[:100] = 0
    metal[700:] = 0
    pixels += contrast_per_mm * cv2.GaussianBlur(metal, (0, 0), 1.2)
    pixels += cv2.GaussianBlur(rng.normal(0, 2.2 * noise, pixels.shape), (0, 0), 0.7)
    values = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return Radiograph(values, 8, Polarity.FILM, PITCH, "0" * 64, "PNG")


def test_all_wires_of_a_clear_indicator_are_found_where_they_are():
    found = find_wires(film_with_wires(contrast_per_mm=150, noise=2))
    assert found is not None
    assert found.n_visible == 7
    assert found.spacing_px == pytest.approx(5.3 / MM_PER_PX, rel=0.01)
    assert found.length_px == pytest.approx(600, abs=120)
    assert not found.is_lying
    assert found.smallest_visible(10) == 16
    assert np.diff(found.positions_px) == pytest.approx(np.full(6, 106), abs=4)


def test_more_noise_never_shows_more_wires():
    counts = [
        0 if (found := find_wires(film_with_wires(noise=noise))) is None else found.n_visible
        for noise in (1, 3, 8, 20)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 7
    assert counts[-1] < 6


@pytest.mark.parametrize("n_wires", [4, 5, 6])
def test_wires_that_are_not_there_are_not_counted(n_wires):
    found = find_wires(film_with_wires(contrast_per_mm=150, noise=2, n_wires=n_wires))
    assert found is not None
    assert found.n_visible == n_wires


@pytest.mark.parametrize("lean", [-0.08, -0.03, 0.0, 0.05, 0.09])
def test_wires_may_lean(lean):
    found = find_wires(film_with_wires(contrast_per_mm=120, noise=3, lean=lean))
    assert found is not None
    assert found.n_visible >= 5


def test_turned_mirrored_negative_and_without_scale_the_same_wires_are_found():
    film = film_with_wires(contrast_per_mm=120, noise=3)
    upright = find_wires(film)
    assert upright is not None
    turned = find_wires(replace(film, pixels=np.ascontiguousarray(film.pixels.T)))
    mirrored = find_wires(replace(film, pixels=np.ascontiguousarray(film.pixels[:, ::-1])))
    negative = find_wires(replace(film, pixels=255 - film.pixels, polarity=Polarity.DIGITAL))
    scaleless = find_wires(replace(film, pitch=None, polarity=Polarity.UNKNOWN))
    for found in (turned, mirrored, negative, scaleless):
        assert found is not None
        assert abs(found.n_visible - upright.n_visible) <= 1
    assert turned.is_lying
    assert negative.positions_px[0] == pytest.approx(upright.positions_px[0], abs=2)
    assert mirrored.positions_px[0] == pytest.approx(1600 - upright.positions_px[0], abs=4)


@pytest.mark.parametrize("seed", range(6))
def test_no_wires_are_found_where_there_are_none(seed):
    film = film_with_wires(n_wires=0, seed=seed)
    assert find_wires(film) is None
    assert find_wires(replace(film, pitch=None, polarity=Polarity.UNKNOWN)) is None


@pytest.mark.parametrize(
    ("wire_set", "required", "state", "text"),
    [
        (None, None, CheckState.NOT_EVALUABLE, "set and required wire are not stated in the setup. 7 wires"),
        (None, 13, CheckState.NOT_EVALUABLE, "the set is not stated"),
        (10, None, CheckState.NOT_EVALUABLE, "W16 (0.1 mm) is the smallest"),
        (10, 13, CheckState.PASSED, "of W10 to W16: W16 (0.1 mm) is the smallest; W13 (0.2 mm) is required"),
        (6, 13, CheckState.FAILED, "W12 (0.25 mm) is the smallest; W13 (0.2 mm) is required"),
    ],
)
def test_the_check_judges_only_what_is_known(wire_set, required, state, text):
    film = film_with_wires(contrast_per_mm=150, noise=2)
    limits = replace(WELD_LIMITS, wire_set=wire_set, required_wire=required)
    check = assess(film, limits=limits).check(CheckKind.WIRES)
    assert check.state is state
    assert text in check.sentence


def test_without_an_indicator_the_check_is_not_evaluable():
    check = assess(film_with_wires(n_wires=0), limits=replace(WELD_LIMITS, wire_set=10, required_wire=13))
    assert check.check(CheckKind.WIRES).state is CheckState.NOT_EVALUABLE
    assert "read it by eye" in check.check(CheckKind.WIRES).sentence


def test_the_diameters_are_those_that_the_simulator_draws():
    assert dict(WIRE_DIAMETERS_MM) == dict(furniture.WIRE_DIAMETERS_MM)
    assert [wires_of_set(first)[0] for first in (1, 6, 10, 13)] == list(furniture.INDICATOR_FIRST_WIRES)
    with pytest.raises(ValueError, match="begins with"):
        wires_of_set(2)


def test_real_films_show_their_indicators(gdxray):
    """Counted by eye on the films: at least so many wires are plain to see."""
    plain = {"0001": 4, "0005": 5, "0010": 5, "0039": 5, "0041": 5}
    for name, count in plain.items():
        path = gdxray / "Welding" / "W0003" / f"W0003_{name}.png"
        image = read_radiograph_file(path, polarity=Polarity.FILM)
        found = find_wires(replace(image, pitch=PixelPitch(0.0403, PitchSource.USER)))
        assert found is not None, name
        assert count <= found.n_visible <= 7, name

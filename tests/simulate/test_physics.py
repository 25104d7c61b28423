"""Attenuation, recording and furniture against values worked out by hand."""

import math

import numpy as np
import pytest

from core.simulate.exposure import Exposure
from core.simulate.furniture import INDICATOR_FIRST_WIRES, WIRE_DIAMETERS_MM, add_wires
from core.simulate.geometry import WeldGeometry, build_geometry
from core.simulate.recorder import Detector, Film
from core.simulate.shapes import ellipsoid, sheet

FILM = Film(
    density_per_dose=2.5, fog=0.3, darkest=3.2, lightest=0.2, granularity=0.02,
    fine_px=1.0, coarse_px=2.0, coarse_share=0.3,
)  # fmt: skip
PANEL = Detector(gain=0.8, offset=0.02, quanta=1e4, fine_px=0.5, coarse_px=1.0, coarse_share=0.1)


def test_a_pore_of_one_millimetre_in_ten_of_steel_gives_beer_lamberts_contrast() -> None:
    dose = Exposure(mu_per_mm=0.12).primary(np.array([10.0, 9.0], np.float32))
    assert dose[0] == pytest.approx(math.exp(-1.2), rel=1e-5)
    assert dose[1] / dose[0] == pytest.approx(math.exp(0.12), rel=1e-5)


def test_hardening_lets_more_through_and_scatter_adds_up() -> None:
    thick = np.full((64, 64), 20.0, np.float32)
    plain = Exposure(mu_per_mm=0.1, unsharpness_mm=0.0)
    hardened = Exposure(mu_per_mm=0.1, hardening_per_mm=0.01, unsharpness_mm=0.0)
    scattered = Exposure(mu_per_mm=0.1, scatter_ratio=0.5, unsharpness_mm=0.0)
    assert hardened.primary(thick)[0, 0] == pytest.approx(math.exp(-2 / 1.2), rel=1e-5)
    assert scattered.dose(plain.primary(thick), 0.05)[3, 3] == pytest.approx(1.5 * math.exp(-2), rel=1e-4)


def test_more_metal_is_brighter_on_film_and_darker_on_a_panel() -> None:
    dose = Exposure(mu_per_mm=0.1).primary(np.array([[5.0, 10.0, 15.0]], np.float32))
    assert (np.diff(FILM.mean_signal(dose)) > 0).all()
    assert (np.diff(PANEL.mean_signal(dose)) < 0).all()


@pytest.mark.parametrize("recorder", [FILM, PANEL], ids=["film", "panel"])
def test_noise_has_the_stated_deviation_and_is_correlated(recorder: Film | Detector) -> None:
    dose = np.full((300, 400), 0.6, np.float32)
    noise = recorder.record(dose, np.random.default_rng(0)) - recorder.mean_signal(dose)
    assert noise.std() == pytest.approx(float(recorder.noise_std(dose).mean()), rel=0.05)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) > 0.2 * noise.var()


def test_the_wires_are_those_of_the_standard() -> None:
    assert len(WIRE_DIAMETERS_MM) == 19
    known = {1: 3.2, 6: 1.0, 10: 0.4, 13: 0.2, 16: 0.1, 19: 0.05}
    assert {number: WIRE_DIAMETERS_MM[number] for number in known} == known
    assert INDICATOR_FIRST_WIRES == (1, 6, 10, 13)


def test_a_wire_adds_its_diameter_at_its_centre_and_its_section_in_all() -> None:
    weld = _flat_weld(plate_mm=10.0)
    before = weld.thickness_mm.copy()
    numbers = add_wires(np.random.default_rng(8), weld.thickness_mm, weld)
    added = weld.thickness_mm - before
    thickest = WIRE_DIAMETERS_MM[numbers[0]]
    assert added.min() >= 0
    assert 0.5 * WIRE_DIAMETERS_MM[numbers[-1]] < added.max() <= thickest + 1e-4


def test_an_ellipsoid_keeps_its_volume_and_height() -> None:
    body = ellipsoid(
        x=30.3, y=20.6, length_mm=2.0, width_mm=1.0, height_mm=0.8, angle=0.4, mm_per_px=0.05
    )  # fmt: skip
    volume = float(body.loss_mm.sum()) * 0.05**2
    assert volume == pytest.approx(math.pi / 6 * 2.0 * 1.0 * 0.8, rel=0.01)
    assert body.loss_mm.max() == pytest.approx(0.8, rel=0.01)


@pytest.mark.parametrize("mm_per_px", [0.04, 0.1])
def test_a_crack_keeps_its_volume_whatever_the_pixel(mm_per_px: float) -> None:
    path = np.stack([np.arange(0, 100, 0.25), np.full(400, 20.0)], axis=1)
    body = sheet(
        path, opening_mm=np.full(400, 0.02), height_mm=2.0, spread_mm=0.2, mm_per_px=mm_per_px,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    length_mm = 100 * mm_per_px
    assert float(body.loss_mm.sum()) * mm_per_px**2 == pytest.approx(0.02 * 2.0 * length_mm, rel=0.01)


def test_the_weld_is_thicker_than_its_plate_and_never_gone() -> None:
    for seed in range(8):
        weld = build_geometry(
            np.random.default_rng(seed), height=300, width=400, mm_per_px=0.08, plate_mm=12.0
        )
        centre = weld.thickness_mm[weld.centre.astype(int), np.arange(400)]
        assert centre.mean() > np.median(weld.thickness_mm[:8])
        assert weld.thickness_mm.min() >= 0.3 * 12.0


def _flat_weld(plate_mm: float) -> WeldGeometry:
    return WeldGeometry(
        np.full((400, 900), plate_mm, np.float32),
        np.full(900, 200.0, np.float32),
        np.full(900, 90.0, np.float32),
        30.0, plate_mm, 0.05,
    )  # fmt: skip

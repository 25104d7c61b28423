"""Whole simulated radiographs."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.errors import ConfigurationError
from core.domain.radiograph import Polarity
from core.simulate.config import SimulationConfig
from core.simulate.kinds import IDENTITY, FlawKind
from core.simulate.render import simulate_weld

SMALL = SimulationConfig(height_px=256, width_px=640, flaw_groups=15.0, min_groups=2)


def test_the_same_seed_gives_the_same_bits() -> None:
    first, again = simulate_weld(5, SMALL), simulate_weld(5, SMALL)
    assert np.array_equal(first.pixels, again.pixels)
    assert [f.bbox for f in first.truth] == [f.bbox for f in again.truth]
    assert not np.array_equal(first.pixels, simulate_weld(6, SMALL).pixels)


@pytest.mark.parametrize("seed", range(8))
def test_every_box_lies_inside_the_picture_and_fits_its_mask(seed: int) -> None:
    radiograph = simulate_weld(seed, SMALL)
    height, width = radiograph.pixels.shape
    for flaw in radiograph.truth:
        x1, y1, x2, y2 = flaw.bbox
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        assert flaw.mask.shape == (y2 - y1, x2 - x1)
        for edge in (flaw.mask[0], flaw.mask[-1], flaw.mask[:, 0], flaw.mask[:, -1]):
            assert edge.any()
        assert min(flaw.size_mm) > 0
        assert flaw.size_mm[0] >= flaw.size_mm[1]
        assert flaw.cnr >= 0
        assert (flaw.flaw_class, flaw.iso6520) == IDENTITY[flaw.kind]


@pytest.mark.parametrize("kind", list(FlawKind))
def test_every_kind_of_flaw_can_be_asked_for_alone(kind: FlawKind) -> None:
    config = replace(SMALL, mix={kind: 1.0}, min_groups=2, width_px=512)
    truth = [flaw for seed in range(2) for flaw in simulate_weld(seed, config).truth]
    assert truth
    assert {flaw.kind for flaw in truth} == {kind}


def test_a_flaw_free_picture_has_no_truth() -> None:
    assert simulate_weld(3, replace(SMALL, flaw_groups=0.0)).truth == ()


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_pixels_fill_their_depth_and_no_more(bits: int) -> None:
    pixels = simulate_weld(2, replace(SMALL, bit_depths=(bits,))).pixels
    assert pixels.dtype == np.uint16
    assert pixels.max() <= 2**bits - 1
    assert pixels.max() > 2 ** (bits - 2)


@pytest.mark.parametrize(
    ("polarity", "sign"), [(Polarity.FILM, 1.0), (Polarity.DIGITAL, -1.0)], ids=["film", "digital"]
)
def test_the_weld_is_bright_on_film_and_dark_on_a_detector(polarity: Polarity, sign: float) -> None:
    plain = replace(SMALL, flaw_groups=0.0, polarities=(polarity,), has_furniture=False, has_wear=False)
    steps = []
    for seed in range(6):
        radiograph = simulate_weld(seed, plain)
        profile = radiograph.pixels.astype(float).mean(axis=1)
        steps.append(profile[80:176].mean() - profile[[0, 1, -2, -1]].mean())
        assert radiograph.polarity is polarity
    assert np.mean(np.array(steps) * sign > 0) > 0.8


def test_flaws_below_the_noise_stay_in_truth_but_are_flagged() -> None:
    truth = [flaw for seed in range(4) for flaw in simulate_weld(seed, SMALL).truth]
    visible = [flaw.cnr for flaw in truth if flaw.visible]
    hidden = [flaw.cnr for flaw in truth if not flaw.visible]
    assert visible
    assert hidden
    assert min(visible) >= 1.0
    assert np.median(hidden) < np.median(visible)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("height_px", 10),
        ("mm_per_px", (0.1, 0.04)),
        ("polarities", (Polarity.UNKNOWN,)),
        ("bit_depths", (7,)),
        ("flaw_groups", -1.0),
        ("mix", {}),
    ],
)
def test_a_setting_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field):
        replace(SMALL, **{field: value})


@pytest.mark.parametrize("seed", range(12))
def test_a_picture_smaller_than_its_lead_letters_is_rendered_too(seed: int) -> None:
    small = simulate_weld(seed, SimulationConfig(height_px=64, width_px=96))
    assert small.pixels.shape == (64, 96)

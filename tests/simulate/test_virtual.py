"""Virtual flaws on film: they are where the truth says, darken the film, and show no seam."""

import numpy as np
import pytest

from core.simulate.config import SimulationConfig
from core.simulate.kinds import DEFAULT_MIX, FlawKind, mix_with
from core.simulate.render import simulate_weld
from core.simulate.seam import find_seam
from core.simulate.virtual import superpose_flaws

SOUND = SimulationConfig(flaw_groups=0, mm_per_px=(0.04, 0.0401), width_px=1600, has_wear=False)


@pytest.fixture(scope="module")
def film():
    radiograph = simulate_weld(21, SOUND)
    return radiograph.pixels.astype(np.float32) / ((1 << radiograph.bit_depth) - 1)


def superpose(film, seed=0, **kinds):
    mix = {FlawKind.GAS_PORE: 1.0} | {FlawKind(name.replace("_", " ")): w for name, w in kinds.items()}
    return superpose_flaws(film, np.random.default_rng(seed), mm_per_px=0.04, mix=mix, flaw_groups=12)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_changed_lies_in_the_boxes_of_the_truth(film, seed):
    made = superpose(film, seed)
    assert made.truth
    change = film - made.grey
    inside = np.zeros(film.shape, bool)
    for entry in made.truth:
        x1, y1, x2, y2 = (int(v) for v in entry.bbox)
        inside[y1:y2, x1:x2] = True
    assert np.abs(change)[~inside].max() < 0.15 * np.abs(change).max()


def test_a_pore_is_darker_and_tungsten_brighter_than_the_film(film):
    change = film - superpose(film).grey
    assert change.max() > 0.005
    assert change.min() > -1e-6
    bright = superpose_flaws(
        film, np.random.default_rng(4), mm_per_px=0.04, mix={FlawKind.TUNGSTEN_INCLUSION: 1.0}, flaw_groups=12
    )
    assert (film - bright.grey).min() < -0.005


def test_the_change_fades_out_so_that_no_seam_shows(film):
    """Neighbouring pixels never differ by more of the peak than the film's unsharpness allows."""
    made = superpose(film, 1, transverse_crack=1.0)
    change = film - made.grey
    kept = (made.grey > 0) & (made.grey < 1)
    step = np.abs(np.diff(change, axis=1))[kept[:, 1:] & kept[:, :-1]]
    assert step.max() < 0.75 * np.abs(change).max()
    assert np.abs(change[:, [0, -1]]).max() < 0.05 * np.abs(change).max()


def test_flaws_stay_in_their_columns(film):
    made = superpose_flaws(
        film, np.random.default_rng(2), mm_per_px=0.04, columns=(500, 1100), flaw_groups=20
    )
    assert made.truth
    assert all(entry.bbox[0] >= 495 and entry.bbox[2] <= 1105 for entry in made.truth)
    np.testing.assert_array_equal(made.grey[:, :500], film[:, :500])
    np.testing.assert_array_equal(made.grey[:, 1100:], film[:, 1100:])


def test_the_same_generator_gives_the_same_flaws_and_leaves_the_film_alone(film):
    before = film.copy()
    first, second = superpose(film, 5), superpose(film, 5)
    np.testing.assert_array_equal(first.grey, second.grey)
    np.testing.assert_array_equal(film, before)
    assert [t.bbox for t in first.truth] == [t.bbox for t in second.truth]


def test_without_a_flaw_the_film_stays_as_it_is(film):
    made = superpose_flaws(film, np.random.default_rng(0), mm_per_px=0.04, flaw_groups=0)
    assert made.truth == ()
    np.testing.assert_array_equal(made.grey, film)


@pytest.mark.parametrize("columns", [(5, 5), (-1, 50), (0, 5000)])
def test_columns_off_the_film_are_refused(film, columns):
    with pytest.raises(ValueError, match="columns"):
        superpose_flaws(film, np.random.default_rng(0), mm_per_px=0.04, columns=columns)


@pytest.mark.parametrize("seed", [3, 8, 15, 21])
def test_the_seam_is_found_where_the_weld_was_simulated(seed):
    from core.simulate import geometry

    radiograph = simulate_weld(seed, SOUND)
    rng = np.random.default_rng(seed)
    rng.uniform(), rng.uniform(), rng.integers(1), rng.choice((12, 14, 16))
    weld = geometry.build_geometry(
        rng, height=700, width=1600, mm_per_px=radiograph.mm_per_px, plate_mm=radiograph.plate_mm
    )
    centre, half = find_seam(radiograph.pixels.astype(np.float32))
    assert np.abs(centre - weld.centre).mean() < 0.6 * weld.half_width.mean()
    assert 0.3 * weld.half_width.mean() < half[0] < 1.6 * weld.half_width.mean()


def test_the_seam_is_a_straight_line_that_letters_do_not_move():
    film = np.full((400, 2000), 0.2, np.float32)
    rows = 200 + 0.01 * np.arange(2000)
    film[np.abs(np.arange(400)[:, None] - rows) < 40] = 0.7
    film[5:60, 600:800] = 1.0
    film[70:120, 1000:1200] = 1.0
    centre, half = find_seam(film)
    assert np.abs(centre - rows).max() < 6
    assert half[0] == pytest.approx(40, abs=5)


def test_a_scrap_of_film_has_no_seam():
    with pytest.raises(ValueError, match="500x64"):
        find_seam(np.zeros((40, 300), np.float32))


def test_a_mix_changes_only_what_it_names():
    mix = mix_with({"undercut": 2})
    assert mix[FlawKind.UNDERCUT] == 2.0
    assert mix[FlawKind.GAS_PORE] == DEFAULT_MIX[FlawKind.GAS_PORE]
    with pytest.raises(ValueError, match="porridge"):
        mix_with({"porridge": 1})

"""The seam and the part are found on drawn pictures; nothing is said where nothing shows."""

import cv2
import numpy as np
import pytest

from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.imaging.zone import ellipse_zone, judged_zone, part_zone, weld_zone


def film(centre, *, half: int = 90, height: int = 700, width: int = 3000) -> np.ndarray:
    """A plate with a brighter seam around y = centre(x), grain, a letter and a scratch of lead."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:height, :width]
    away = np.abs(y - centre(x))
    picture = 60 + 80 / (1 + np.exp((away - half) / 8)) + 15 * x / width + rng.normal(0, 6, (height, width))
    picture[20:90, 300:360] = picture[80:90, 300:420] = 255
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "centre",
    [lambda x: 350 + 0 * x, lambda x: 250 + x / 15, lambda x: 300 + 120 * (x / 1500 - 1) ** 2],
    ids=["straight", "slanted", "curved"],
)
def test_a_seam_is_followed_along_the_film(centre) -> None:
    zone = weld_zone(film(centre), is_weld_bright=True)
    assert zone
    assert zone.is_band
    assert zone.share(3000, 700) < 0.55
    for x in range(5, 3000, 200):
        assert zone.contains(x, centre(x) - 80)
        assert zone.contains(x, centre(x) + 80)
        assert not zone.contains(x, centre(x) - 220)
        assert not zone.contains(x, min(699, centre(x) + 220))


def test_it_is_the_same_upright_in_16_bit_and_on_a_digital_picture() -> None:
    picture = film(lambda x: 350 + 0 * x)
    zone = weld_zone(picture, is_weld_bright=True)
    assert zone
    upright = weld_zone(np.ascontiguousarray(picture.T), is_weld_bright=True)
    digital = weld_zone(65_535 - picture.astype(np.uint16) * 257, is_weld_bright=False)
    assert upright
    assert upright.points == tuple((y, x) for x, y in zone.points)
    assert digital
    assert np.abs(np.array(digital.points) - np.array(zone.points)).max() < 10


@pytest.mark.parametrize(
    "picture",
    [
        np.full((700, 3000), 90, np.uint8),
        np.random.default_rng(1).integers(0, 255, (700, 3000), dtype=np.uint8),
        np.tile(np.linspace(0, 255, 700)[:, None], (1, 3000)).astype(np.uint8),
        np.full((10, 20), 7, np.uint8),
        np.full((64, 640), np.nan, np.float32),
    ],
    ids=["flat", "noise", "slope", "tiny", "no numbers"],
)
def test_without_a_seam_nothing_is_said(picture) -> None:
    assert weld_zone(picture, is_weld_bright=True) is None
    assert ellipse_zone(picture, is_weld_bright=True) is None
    assert part_zone(picture, is_air_bright=True) is None


def test_two_seams_of_the_same_strength_leave_open_which_one_is_meant() -> None:
    picture = np.maximum(film(lambda x: 180 + 0 * x, half=50), film(lambda x: 520 + 0 * x, half=50))
    assert weld_zone(picture, is_weld_bright=True) is None


def ellipse(*, height: int = 1200, width: int = 2100) -> np.ndarray:
    """A tube through two walls: two seams that bend away from each other, dark plate, lead letters beside."""
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:height, :width]
    apart = 60 + 140 * np.sin(np.pi * y / height)
    away = np.minimum(np.abs(x - 1000 - apart), np.abs(x - 1000 + apart))
    picture = 60 + 90 / (1 + np.exp((away - 55) / 8)) + rng.normal(0, 6, (height, width))
    picture[200:300, 300:800] = 230
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_both_seams_of_a_tube_and_what_is_between_them_are_the_zone() -> None:
    picture = ellipse()
    assert weld_zone(picture, is_weld_bright=True) is None
    zone = ellipse_zone(picture, is_weld_bright=True)
    assert zone
    for y in (20, 300, 600, 900, 1180):
        apart = 60 + 140 * np.sin(np.pi * y / 1200)
        for x in (1000 - apart - 45, 1000, 1000 + apart + 45):
            assert zone.contains(x, y)
        assert not zone.contains(1000 - apart - 250, y)
        assert not zone.contains(1000 + apart + 250, y)
    upright = ellipse_zone(np.ascontiguousarray(picture.T), is_weld_bright=True)
    assert upright
    assert upright.points == tuple((y, x) for x, y in zone.points)


def test_the_walls_of_a_tube_and_a_single_seam_are_no_ellipse() -> None:
    walls = np.maximum(film(lambda x: 180 + 0 * x, half=50), film(lambda x: 520 + 0 * x, half=50))
    assert ellipse_zone(walls, is_weld_bright=True) is None
    assert ellipse_zone(film(lambda x: 350 + 0 * x), is_weld_bright=True) is None


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e300, -1e300])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (40, 33), (64, 96)])
def test_values_that_are_no_numbers_or_far_off_are_no_zone_and_no_warning(family, value, shape) -> None:
    picture = np.random.default_rng(0).normal(100, 9, shape)
    picture[::2] = value
    judged_zone(picture, family, Polarity.UNKNOWN)  # warnings are errors here
    assert judged_zone(np.full(shape, value), family, Polarity.UNKNOWN) is None


def test_floating_point_gives_the_zone_of_the_whole_numbers() -> None:
    picture = film(lambda x: 350 + 0 * x)
    whole = judged_zone(picture, Family.WELD, Polarity.FILM)
    broken = picture.astype(np.float32) * 1e30
    broken[5, 7] = np.nan
    found = judged_zone(broken, Family.WELD, Polarity.FILM)
    assert whole
    assert found
    assert np.abs(np.array(found.points) - np.array(whole.points)).max() < 10


def test_the_part_is_told_from_the_air_around_it_and_holes_belong_to_it() -> None:
    picture = np.full((572, 768), 250, np.uint8)
    cv2.circle(picture, (384, 286), 240, 90, -1)
    cv2.circle(picture, (384, 286), 60, 250, -1)
    picture = np.clip(picture + np.random.default_rng(2).normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    zone = part_zone(picture, is_air_bright=True)
    assert zone
    assert zone.contains(384, 286)
    assert zone.contains(384, 60)
    assert not zone.contains(20, 20)
    assert zone.share(768, 572) == pytest.approx(np.pi * 240**2 / (768 * 572), rel=0.05)
    inverted = part_zone(255 - picture, is_air_bright=False)
    assert inverted
    assert inverted.share(768, 572) == pytest.approx(zone.share(768, 572), rel=0.02)

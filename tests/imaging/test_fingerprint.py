"""Copies of an exposure are recognised, other exposures of the same part are not."""

import cv2
import numpy as np
import pytest

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.fingerprint import GRAIN_LIMIT, Fingerprint, find_copy, fingerprint, shortlist
from core.imaging.read import read_radiograph_file
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

HEIGHT, WIDTH = 480, 900


def radiograph(pixels, sha256="new") -> Radiograph:
    return Radiograph(np.ascontiguousarray(pixels), 8, Polarity.UNKNOWN, None, sha256, "PNG")


@pytest.fixture(scope="module")
def part():
    """The dose behind a part, without any noise."""
    made = simulate_weld(6, SimulationConfig(height_px=HEIGHT, width_px=WIDTH, has_wear=False))
    return cv2.GaussianBlur(made.pixels.astype(np.float32), (0, 0), 3) * (200 / 2**made.bit_depth) + 20


def exposed(part, seed):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 6, part.shape), (0, 0), 0.7)
    return np.clip(np.rint(part + noise), 0, 255).astype(np.uint8)


def rounded(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


COPIES = {
    "windowed": lambda p: rounded((p.astype(np.float32) - 40) * 1.4),
    "another gamma": lambda p: rounded(255 * (p / 255.0) ** 0.6),
    "negative": lambda p: 255 - p,
    "shifted by 3 %": lambda p: np.roll(p, (HEIGHT // 33, WIDTH // 33), (0, 1)),
    "cropped by 2 %": lambda p: p[HEIGHT // 50 : -HEIGHT // 50, WIDTH // 50 : -WIDTH // 50],
    "half the size": lambda p: cv2.resize(p, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA),
    "saved as JPEG": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [1, 90])[1], 0),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_recognised(part, how):
    original = exposed(part, 1)
    found = find_copy(radiograph(COPIES[how](original)), [fingerprint(radiograph(original, "old"))])
    assert found is not None
    assert (found.sha256, found.is_same_file) == ("old", False)
    assert found.grain >= GRAIN_LIMIT


def test_another_exposure_of_the_same_part_in_the_same_pose_is_not_a_copy(part):
    assert find_copy(radiograph(exposed(part, 2)), [fingerprint(radiograph(exposed(part, 1), "old"))]) is None


def test_the_same_file_is_found_by_its_hash_alone(part):
    blank = np.zeros((HEIGHT, WIDTH), np.uint8)
    found = find_copy(radiograph(blank, "same"), [fingerprint(radiograph(exposed(part, 1), "same"))])
    assert found is not None
    assert found.is_same_file


def test_among_many_the_right_one_is_named(part):
    pixels = [exposed(part, seed) for seed in range(5)]
    earlier = [fingerprint(radiograph(p, f"s{i}")) for i, p in enumerate(pixels)]
    found = find_copy(radiograph(255 - pixels[3]), earlier)
    assert found is not None
    assert found.sha256 == "s3"


def test_a_negative_has_the_same_view(part):
    pixels = exposed(part, 1)
    first, second = fingerprint(radiograph(pixels)), fingerprint(radiograph(255 - pixels))
    assert shortlist(first.view, second.view[None])[0][1] == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(first.corners, second.corners)


@pytest.mark.parametrize(
    "pixels", [np.zeros((300, 300)), np.zeros((3, 5)), np.tile(np.arange(250), (250, 1))]
)
def test_pictures_without_grain_match_nothing_but_their_own_file(pixels):
    image = radiograph(pixels.astype(np.uint8), "a")
    other = fingerprint(radiograph(pixels.astype(np.uint8), "b"))
    assert find_copy(image, [other]) is None
    assert find_copy(image, []) is None


@pytest.mark.parametrize("scale", [1e3, 1e34])
def test_float_pixels_of_any_size_are_recognised(part, scale):
    values = exposed(part, 1).astype(np.float32) * np.float32(scale)
    large = Radiograph(values, 32, Polarity.UNKNOWN, None, "large", "TIFF")
    found = find_copy(large, [fingerprint(radiograph(exposed(part, 1), "old"))])
    assert found is not None
    assert find_copy(radiograph(exposed(part, 1)), [fingerprint(large)]) is not None


def test_the_shortlist_of_nothing_is_empty():
    view = np.zeros((32, 32), np.int8)
    assert shortlist(view, np.zeros((0, 32, 32), np.int8)) == []
    assert shortlist(view, view[None]) == []


def test_a_fingerprint_of_wrong_shapes_is_refused():
    view, none = np.zeros((32, 32), np.int8), np.zeros((0, 2), np.int32)
    with pytest.raises(ValueError, match="view"):
        Fingerprint("a", 1, 1, view[:5], np.zeros((0, 48, 48), np.int8), none)
    with pytest.raises(ValueError, match="patches"):
        Fingerprint("a", 1, 1, view, np.zeros((2, 48, 48), np.int8), none)


def test_turned_castings_are_not_copies_but_a_windowed_one_is(gdxray):
    paths = sorted((gdxray / "Castings" / "C0009").glob("*.png"))[:8]
    images = [read_radiograph_file(path) for path in paths]
    prints = [fingerprint(image) for image in images]
    for index, image in enumerate(images):
        assert find_copy(image, prints[:index] + prints[index + 1 :]) is None
    windowed = radiograph(rounded((images[0].pixels.astype(np.float32) - 20) * 1.1))
    found = find_copy(windowed, prints)
    assert found is not None
    assert found.sha256 == images[0].sha256

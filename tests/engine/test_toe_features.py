import numpy as np
import pytest

from core.engine.seam_view import Seam
from core.engine.toe_features import TOE_FEATURES, toe_features

RNG = np.random.default_rng(7)
PLATE, WELD = 0.4, 0.7


def weld(height=600, width=1200):
    """A bright weld from row 200 to 400 in a plate, with a brighter inner bead, more metal brighter."""
    row = np.arange(height)
    rows = np.where((row >= 200) & (row < 400), WELD, PLATE)
    rows = np.where((row >= 270) & (row < 330), 0.95, rows).astype(np.float32)
    return np.repeat(rows[:, None], width, axis=1) + RNG.normal(0, 0.004, (height, width)).astype(np.float32)


def toe(image, box, seam=None):
    size = (image.shape[1], image.shape[0])
    values = toe_features(image, np.array([box], np.float32), seam or Seam(None, size))
    assert values.dtype == np.float32
    return dict(zip(TOE_FEATURES, values[0].tolist(), strict=True))


def grooved(first, last, grey):
    image = weld()
    image[first:last, 500:700] = grey
    return image


@pytest.mark.parametrize(("first", "last"), [(180, 200), (400, 420)])
def test_a_groove_along_either_toe_is_darker_than_the_plate_that_lies_beside_it(first, last) -> None:
    found = toe(grooved(first, last, 0.25), (495, first - 3, 705, last + 3))
    assert found["toe_below"] > 0.2
    assert found["toe_rim"] < 0.1
    assert found["toe_outside"] < 0.1
    assert found["toe_inside"] > 0.4
    assert found["toe_away"] < np.log1p(3)


@pytest.mark.parametrize(("first", "last"), [(250, 262), (338, 350)])
def test_a_line_beside_the_inner_bead_has_weld_on_both_sides(first, last) -> None:
    found = toe(grooved(first, last, 0.5), (495, first - 3, 705, last + 3))
    assert found["toe_below"] < 0
    assert found["toe_rim"] > 0.4


def test_a_speck_in_the_plate_has_plate_on_both_sides_and_lies_away_from_the_weld() -> None:
    image = weld()
    image[80:92, 600:612] = 0.2
    speck, groove = toe(image, (598, 78, 614, 94)), toe(grooved(180, 200, 0.25), (495, 177, 705, 203))
    assert speck["toe_below"] > 0.2
    assert speck["toe_inside"] < groove["toe_inside"] / 2
    assert speck["toe_away"] > np.log1p(20)


def test_an_upright_weld_has_the_toes_of_one_that_lies() -> None:
    image = grooved(180, 200, 0.25)
    lying, upright = toe(image, (495, 177, 705, 203)), toe(image.T.copy(), (177, 495, 203, 705))
    for name in TOE_FEATURES:
        assert upright[name] == pytest.approx(lying[name], abs=0.05), name


def test_they_do_not_change_with_the_contrast_of_the_picture() -> None:
    image = grooved(180, 200, 0.25)
    once, again = toe(image, (495, 177, 705, 203)), toe(image * 0.5 + 0.2, (495, 177, 705, 203))
    for name in TOE_FEATURES:
        assert again[name] == pytest.approx(once[name], abs=0.01), name


@pytest.mark.parametrize(
    "box", [(0, 0, 4, 4), (1195, 590, 1200, 600), (0, 0, 1200, 600), (1199, 599, 1200, 600)]
)
def test_a_box_at_the_rim_of_the_picture_has_finite_features(box) -> None:
    assert np.isfinite(list(toe(weld(), box).values())).all()


def test_a_picture_of_one_grey_or_hardly_any_height_says_nothing() -> None:
    flat = toe(np.full((300, 400), 0.5, np.float32), (100, 100, 120, 120))
    assert [flat[name] for name in TOE_FEATURES[:4]] == [0, 0, 0, 0]
    assert list(toe(np.full((20, 400), 0.5, np.float32), (100, 4, 120, 12)).values()) == [0] * len(
        TOE_FEATURES
    )


def test_no_box_has_no_row() -> None:
    none = np.zeros((0, 4), np.float32)
    assert toe_features(weld(), none, Seam(None, (1200, 600))).shape == (0, len(TOE_FEATURES))

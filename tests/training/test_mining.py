import dataclasses

import numpy as np
import pytest

from core.domain.radiograph import Polarity
from core.training.mining import mine, mined_places
from tests.engine.conftest import tiny_network  # noqa: F401  # a fixture
from tests.training.conftest import make_image


@pytest.fixture
def films():
    return [dataclasses.replace(make_image(seed), is_mined=seed != 1) for seed in range(3)]


def test_only_reports_beside_all_boxes_of_images_to_be_mined_are_places(tiny_network, films):  # noqa: F811
    found = mine(films, tiny_network, Polarity.FILM, "cpu")
    assert set(found) == {0, 2}
    for index, places in found.items():
        x1, y1, x2, y2 = films[index].boxes[0]
        meets = (places[:, 0] <= x2) & (places[:, 2] >= x1) & (places[:, 1] <= y2) & (places[:, 3] >= y1)
        assert len(places)
        assert not meets.any()


def test_places_are_looked_for_once(tmp_path, tiny_network, films):  # noqa: F811
    first = mined_places(tmp_path, films, tiny_network, Polarity.FILM, "cpu")
    again = mined_places(tmp_path, [], tiny_network, Polarity.FILM, "cpu")
    assert first.keys() == again.keys()
    for index, places in first.items():
        np.testing.assert_array_equal(again[index], places)

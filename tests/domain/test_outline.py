from dataclasses import replace

import numpy as np
import pytest

from core.domain.outline import Outline

CELLS = np.array([[True, True, False], [False, True, True]])
OUTLINE = Outline(left=10, top=20, cell_px=2, cells=CELLS, length_px=7.25, width_px=3.0, angle_deg=30.0)


def test_the_area_is_that_of_its_cells():
    assert OUTLINE.area_px == 4 * 4


def test_run_lengths_go_down_the_columns_and_begin_with_what_is_not_covered():
    assert OUTLINE.run_lengths() == [0, 1, 1, 2, 1, 1]
    assert replace(OUTLINE, cells=~CELLS).run_lengths() == [1, 1, 2, 1, 1]
    assert replace(OUTLINE, cells=np.ones((2, 2), np.bool_)).run_lengths() == [0, 4]


def test_run_lengths_give_the_cells_again():
    cells = np.random.default_rng(0).random((7, 5)) > 0.5
    runs = replace(OUTLINE, cells=cells).run_lengths()
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    np.testing.assert_array_equal(flat.reshape(5, 7).T, cells)


def test_plain_values_have_millimetres_where_the_scale_is_known():
    plain = OUTLINE.to_dict(None)
    assert plain == {
        "length_px": 7.2,
        "width_px": 3.0,
        "angle_deg": 30.0,
        "area_px": 16,
        "left": 10,
        "top": 20,
        "cell_px": 2,
        "size": [2, 3],
        "counts": [0, 1, 1, 2, 1, 1],
    }
    scaled = OUTLINE.to_dict(0.04)
    assert {name: value for name, value in scaled.items() if name not in plain} == {
        "length_mm": 0.288,  # of the 7.2 px that is said
        "width_mm": 0.12,
        "area_mm2": 0.0256,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"cells": np.zeros((2, 2), np.bool_)},
        {"cells": np.ones(3, np.bool_)},
        {"width_px": 8.0},
        {"width_px": 0.0},
        {"angle_deg": 180.0},
    ],
)
def test_what_is_no_outline_is_refused(change):
    with pytest.raises(ValueError, match="outline|size"):
        replace(OUTLINE, **change)

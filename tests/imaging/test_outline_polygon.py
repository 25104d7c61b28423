"""The polygon of an outline runs along the edges of its cells."""

import cv2
import numpy as np
import pytest

from core.domain.outline import Outline
from core.imaging.outline_polygon import polygons_of


def outline(cells, left=0, top=0):
    return Outline(left, top, 2, cells, 4.0, 2.0, 0.0)


def test_a_block_of_cells_is_a_rectangle():
    (corners,) = polygons_of(outline(np.ones((3, 5), np.bool_), left=40, top=10))
    expected = [(40.0, 10.0), (40.0, 16.0), (50.0, 10.0), (50.0, 16.0)]
    np.testing.assert_allclose(sorted(corners), expected, atol=0.2)


def test_one_cell_is_a_square():
    (corners,) = polygons_of(outline(np.ones((1, 1), np.bool_)))
    assert len(corners) == 4


@pytest.mark.parametrize("seed", range(4))
def test_it_encloses_the_cells_of_a_round_flaw(seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :50]
    radius = 12 + 4 * rng.random()
    cells = np.hypot(rows - 20, (columns - 25) * 0.8) < radius
    corners = np.array(polygons_of(outline(cells))[0])
    drawn = np.zeros((80 * 8, 100 * 8), np.uint8)
    cv2.fillPoly(drawn, [np.rint(corners * 8 - 0.5).astype(np.int32)], 1)
    is_drawn = drawn.reshape(80, 8, 100, 8).mean(axis=(1, 3)) >= 0.5
    is_covered = np.repeat(np.repeat(cells, 2, axis=0), 2, axis=1)
    shared = (is_drawn & is_covered).sum() / (is_drawn | is_covered).sum()
    assert shared > 0.95
    assert len(corners) < 40


def test_each_part_has_its_polygon_the_largest_first():
    cells = np.zeros((10, 20), np.bool_)
    cells[2:8, 1:7], cells[4, 15] = True, True
    large, small = polygons_of(outline(cells))
    assert max(x for x, _ in large) < 15 < 30 < min(x for x, _ in small)

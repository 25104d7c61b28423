import numpy as np
import pytest

from core.domain.detections import View
from core.engine.outline_map import OutlineMap
from core.engine.tiling import views_of


def test_one_view_is_taken_as_it_is_without_its_padding():
    said = np.random.default_rng(0).random((32, 48), dtype=np.float32)
    outlines = OutlineMap(90, 61)
    outlines.add(View(0, 0, 90, 61), said)
    np.testing.assert_array_equal(outlines.probability(), said[:31, :45])


def test_a_view_that_reaches_beyond_a_small_image_is_cut_to_it():
    said = np.random.default_rng(1).random((64, 64), dtype=np.float32)
    outlines = OutlineMap(90, 40)
    outlines.add(View(-18, -44, 110, 84), said)  # 128 x 128 around it
    np.testing.assert_array_equal(outlines.probability(), said[22:42, 9:54])


@pytest.mark.parametrize("size", [(2600, 400), (2601, 1301), (1500, 90)])
def test_tiles_of_a_smooth_surface_give_that_surface(size):
    """Each tile reports the mean position of its own cells, so any misplacement shows."""
    width, height = size
    outlines = OutlineMap(width, height)
    for view in views_of(width, height):
        if view.scale == 1.0:
            columns = view.x0 + 1 + 2 * np.arange(-(-(view.x1 - view.x0) // 2))
            rows = view.y0 + 1 + 2 * np.arange(-(-(view.y1 - view.y0) // 2))
            outlines.add(view, (columns[None] + rows[:, None]).astype(np.float32) / 5000)
    expected = (1 + 2 * np.arange(-(-width // 2))[None] + 1 + 2 * np.arange(-(-height // 2))[:, None]) / 5000
    inner = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(outlines.probability()[inner], expected[inner], atol=5e-5)


def test_the_middle_of_a_view_outweighs_the_edge_of_its_neighbour():
    outlines = OutlineMap(2000, 64)
    outlines.add(View(0, 0, 1024, 64), np.ones((32, 512), np.float32))
    outlines.add(View(976, 0, 2000, 64), np.zeros((32, 512), np.float32))
    seam = outlines.probability()[16, 487:512]
    assert (np.diff(seam) < 0).all()
    assert 0 < seam[-1] < 0.1 < 0.9 < seam[0]


def test_where_no_view_looked_nothing_is():
    outlines = OutlineMap(100, 10)
    outlines.add(View(0, 0, 50, 10), np.ones((5, 25), np.float32))
    assert outlines.probability()[:, 25:].max() == 0

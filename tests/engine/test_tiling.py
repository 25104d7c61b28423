import numpy as np
import pytest

from core.domain.detections import View
from core.engine.tiling import COARSE_SCALE, OVERLAP_PX, TILE_PX, inner_edges, views_of


def test_a_casting_is_one_view():
    assert views_of(768, 572) == [View(0, 0, 768, 572)]


def test_the_view_of_an_image_smaller_than_a_training_crop_reaches_beyond_it_on_all_sides():
    assert views_of(350, 151, 320) == [View(0, -84, 350, 236)]
    assert views_of(200, 140, 320) == [View(-60, -90, 260, 230)]
    assert views_of(768, 572, 320) == [View(0, 0, 768, 572)]


def test_of_a_large_image_the_coarse_view_spans_a_training_crop_too():
    coarse = [v for v in views_of(5000, 700, 256) if v.scale == COARSE_SCALE]
    assert coarse == [View(0, -162, 5000, 862, COARSE_SCALE)]
    assert all((v.y0, v.y1) == (0, 700) for v in views_of(5000, 700, 256) if v.scale == 1.0)


@pytest.mark.parametrize(("width", "height"), [(5000, 1300), (1281, 300), (300, 4000), (2900, 2900)])
def test_tiles_cover_every_pixel_and_overlap(width, height):
    views = [v for v in views_of(width, height) if v.scale == 1.0]
    covered = np.zeros((height, width), np.int32)
    for v in views:
        covered[v.y0 : v.y1, v.x0 : v.x1] += 1
        assert v.x1 - v.x0 <= 1280
        assert v.y1 - v.y0 <= 1280
    assert covered.min() >= 1
    starts = sorted({(v.x0, v.x1) for v in views})
    for (_, end), (start, _) in zip(starts, starts[1:], strict=False):
        assert end - start >= OVERLAP_PX


def test_a_film_gets_a_coarse_pass():
    coarse = [v for v in views_of(5000, 1300) if v.scale == COARSE_SCALE]
    assert coarse == [View(0, 0, 5000, 1300, COARSE_SCALE)]
    assert TILE_PX < 5000


def test_only_inner_edges_cut():
    view = View(0, 0, 1024, 500)
    boxes = np.array([[0, 10, 50, 20], [1000, 10, 1024, 20], [500, 480, 520, 500]], np.float32)
    cut = inner_edges(boxes, view, width=2000, height=500)
    assert cut.tolist() == [[False] * 4, [False, False, True, False], [False] * 4]


def test_the_edge_of_the_image_does_not_cut_where_the_view_reaches_beyond_it():
    (view,) = views_of(200, 140, 320)
    boxes = np.array([[0, 0, 10, 10], [190, 130, 200, 140]], np.float32)
    assert not inner_edges(boxes, view, width=200, height=140).any()

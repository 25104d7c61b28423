from itertools import pairwise

import numpy as np
import pytest

from core.domain.detections import View
from core.engine.tiling import COARSE_SCALE, OVERLAP_PX, TILE_AREA_PX, TILE_PX, inner_edges, views_of


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


def test_a_film_lower_than_a_tile_and_a_half_is_one_row_of_bands():
    bands = [v for v in views_of(5000, 1300, is_banded=True) if v.scale == 1.0]
    assert [(v.x0, v.x1) for v in bands] == [(0, 1760), (1620, 3380), (3240, 5000)]
    assert {(v.y0, v.y1) for v in bands} == {(0, 1300)}


@pytest.mark.parametrize(
    ("width", "height"),
    [(5000, 1300), (1281, 300), (300, 4000), (2900, 2900), (12000, 3000), (20000, 400), (1281, 1281)],
)
def test_bands_cover_every_pixel_overlap_and_read_no_more_than_squares(width, height):
    bands, squares = (
        [v for v in views_of(width, height, is_banded=banded) if v.scale == 1.0] for banded in (True, False)
    )
    covered = np.zeros((height, width), np.int32)
    for v in bands:
        covered[v.y0 : v.y1, v.x0 : v.x1] += 1
        assert (v.x1 - v.x0) * (v.y1 - v.y0) <= TILE_AREA_PX
    assert covered.min() >= 1
    for edges in ({(v.x0, v.x1) for v in bands}, {(v.y0, v.y1) for v in bands}):
        for (_, end), (start, _) in pairwise(sorted(edges)):
            assert end - start >= OVERLAP_PX
    assert _area(bands) <= _area(squares)


def _area(views):
    return sum((v.x1 - v.x0) * (v.y1 - v.y0) for v in views)


@pytest.mark.parametrize("size", [(768, 572), (1280, 1280), (350, 151)])
def test_an_image_that_is_seen_whole_is_never_cut_into_bands(size):
    assert views_of(*size, 320, is_banded=True) == views_of(*size, 320)


def test_a_low_strip_of_bands_reaches_beyond_the_image_as_far_as_the_crops_did():
    full = [v for v in views_of(9000, 100, 256, is_banded=True) if v.scale == 1.0]
    assert {(v.y0, v.y1) for v in full} == {(-78, 178)}


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

import numpy as np
import pytest

from core.domain.detections import View
from core.engine.merging import RawBoxes, mark_cut, merge
from core.engine.tiling import views_of

WIDTH, HEIGHT = 5000, 700


def raw_boxes(views, rows, size=(WIDTH, HEIGHT)):
    """Rows of (view number, x1, y1, x2, y2, score)."""
    rows = np.array(rows, np.float32).reshape(-1, 6)
    index, boxes = rows[:, 0].astype(np.int64), rows[:, 1:5]
    cut = [mark_cut(b[None], views[v], *size)[0] for v, b in zip(index, boxes, strict=True)]
    n = len(rows)
    return RawBoxes(
        boxes,
        rows[:, 5],
        np.array(cut, np.bool_).reshape(n, 4),
        index,
        np.stack([np.zeros(n), np.arange(n), np.arange(n)], axis=1).astype(np.int64),
        np.eye(6, dtype=np.float32)[np.zeros(n, np.int64)],
    )


def test_nothing_in_gives_nothing_out():
    assert len(merge(raw_boxes([View(0, 0, 10, 10)], []), [View(0, 0, 10, 10)]).scores) == 0


def test_the_higher_score_of_two_overlapping_boxes_stays():
    views = [View(0, 0, 500, 500)]
    merged = merge(raw_boxes(views, [(0, 10, 10, 30, 30, 0.4), (0, 11, 11, 31, 31, 0.9)], (500, 500)), views)
    assert merged.scores.tolist() == pytest.approx([0.9])


ONE_VIEW = [View(0, 0, 500, 500)]


def merged_in_one_view(*rows):
    return merge(raw_boxes(ONE_VIEW, [(0, *row) for row in rows], (500, 500)), ONE_VIEW)


def test_a_box_is_the_mean_of_what_it_stands_for_weighted_by_the_squared_scores():
    found = merged_in_one_view((100, 100, 120, 120, 0.8), (104, 100, 124, 120, 0.4))
    assert found.scores.tolist() == pytest.approx([0.8])
    np.testing.assert_allclose(found.boxes[0], (100.8, 100, 120.8, 120), atol=1e-4)


def test_what_has_less_than_half_of_a_box_s_score_does_not_move_it():
    found = merged_in_one_view((100, 100, 120, 120, 0.8), (104, 100, 124, 120, 0.39))
    np.testing.assert_allclose(found.boxes[0], (100, 100, 120, 120))


def test_a_candidate_between_two_boxes_counts_for_the_stronger_one():
    rows = ((100, 100, 120, 120, 0.9), (112, 100, 132, 120, 0.6), (106, 100, 126, 120, 0.5))
    strong, weak = merged_in_one_view(*rows).boxes
    assert strong[0] > 100
    np.testing.assert_allclose(weak, (112, 100, 132, 120))


def test_a_side_that_the_view_cuts_stays_where_it_is():
    views = [View(0, 0, 200, 200), View(150, 0, 500, 200)]
    rows = [(0, 180, 50, 200, 60, 0.8), (0, 176, 50, 196, 60, 0.7)]
    (box,) = merge(raw_boxes(views, rows, (500, 200)), views).boxes
    assert box[2] == 200
    assert 176 < box[0] < 180


def test_a_faint_box_of_the_neighbouring_view_does_not_hide_a_cut_one():
    """A crack that ends at the edge of a tile must not go because something faint covers it."""
    views = [View(0, 0, 200, 200), View(150, 0, 500, 200)]
    cut = (0, 160, 50, 200, 60, 0.8)
    scores = [
        merge(raw_boxes(views, [cut, (1, 155, 40, 300, 90, other)], (500, 200)), views).scores
        for other in (0.1, 0.7)
    ]
    assert 0.8 in [round(float(s), 3) for s in scores[0]]
    assert 0.8 not in [round(float(s), 3) for s in scores[1]]


def test_boxes_hardly_change_when_what_is_below_half_of_the_lowest_shown_is_left_out():
    rng = np.random.default_rng(3)
    corner, size = rng.uniform(0, 460, (400, 2)), rng.uniform(8, 40, (400, 2))
    rows = np.concatenate((np.zeros((400, 1)), corner, corner + size, rng.uniform(0.02, 1, (400, 1))), axis=1)
    whole, part = (
        raw_boxes(ONE_VIEW, rows, (500, 500)),
        raw_boxes(ONE_VIEW, rows[rows[:, 5] >= 0.1], (500, 500)),
    )
    shown = [m.take(m.scores >= 0.2).boxes for m in (merge(whole, ONE_VIEW), merge(part, ONE_VIEW))]
    same = {tuple(b) for b in shown[0].tolist()} & {tuple(b) for b in shown[1].tolist()}
    assert len(same) >= 0.97 * len(shown[0])


def test_a_2000_px_line_across_tiles_gives_one_box():
    views = views_of(WIDTH, HEIGHT)
    fine = [i for i, v in enumerate(views) if v.scale == 1.0]
    rows = []
    for i in fine:
        left, right = max(views[i].x0, 1000), min(views[i].x1, 3000)
        if right > left:
            rows.append((i, left, 300, right, 320, 0.6))
    assert len(rows) >= 3
    merged = merge(raw_boxes(views, rows), views)
    assert merged.boxes.tolist() == [[1000, 300, 3000, 320]]


def test_a_line_seen_whole_by_the_coarse_pass_swallows_its_pieces():
    views = views_of(WIDTH, HEIGHT)
    coarse = next(i for i, v in enumerate(views) if v.scale < 1)
    rows = [
        (coarse, 1000, 298, 3000, 322, 0.7),
        (1, 1200, 300, 1500, 320, 0.8),
        (1, 1550, 300, 1700, 318, 0.5),
    ]
    assert len(merge(raw_boxes(views, rows), views).scores) == 1


def test_a_pore_on_a_seam_gives_one_box():
    views = views_of(WIDTH, HEIGHT)
    seam = views[0].x1
    rows = [(0, seam - 10, 300, seam, 320, 0.8), (1, seam - 10, 300, seam + 12, 320, 0.7)]
    merged = merge(raw_boxes(views, rows), views)
    assert merged.boxes.tolist() == [[seam - 10, 300, seam + 12, 320]]


def test_pores_beside_a_long_line_are_kept():
    views = views_of(WIDTH, HEIGHT)
    coarse = next(i for i, v in enumerate(views) if v.scale < 1)
    rows = [
        (coarse, 1000, 290, 3000, 330, 0.7),
        (1, 1200, 300, 1220, 320, 0.8),
        (1, 1300, 300, 1322, 320, 0.8),
    ]
    assert len(merge(raw_boxes(views, rows), views).scores) == 3


def test_the_coarse_pass_reports_nothing_short():
    views = views_of(WIDTH, HEIGHT)
    coarse = next(i for i, v in enumerate(views) if v.scale < 1)
    assert len(merge(raw_boxes(views, [(coarse, 100, 100, 180, 140, 0.9)]), views).scores) == 0


def test_of_two_nested_boxes_of_similar_size_the_stronger_stays():
    views = [View(0, 0, 500, 500)]
    rows = [(0, 10, 10, 40, 40, 0.9), (0, 12, 12, 30, 34, 0.5)]
    assert merge(raw_boxes(views, rows, (500, 500)), views).scores.tolist() == pytest.approx([0.9])


def test_a_pore_inside_a_much_larger_box_is_kept():
    views = [View(0, 0, 500, 500)]
    rows = [(0, 10, 10, 110, 110, 0.9), (0, 20, 20, 36, 36, 0.5)]
    assert len(merge(raw_boxes(views, rows, (500, 500)), views).scores) == 2


def test_overlapping_stretches_of_one_line_are_one_box():
    views = [View(0, 0, 1200, 500)]
    rows = [(0, 100 + 150 * i, 300 - i, 320 + 150 * i, 320 - i, 0.6) for i in range(5)]
    merged = merge(raw_boxes(views, rows, (1200, 500)), views)
    assert merged.boxes.tolist() == [[100, 296, 920, 320]]


def test_a_broken_line_stays_in_its_pieces():
    views = [View(0, 0, 1200, 500)]
    rows = [(0, 100, 300, 300, 320, 0.6), (0, 340, 300, 600, 320, 0.6)]
    assert len(merge(raw_boxes(views, rows, (1200, 500)), views).scores) == 2


def test_a_line_is_not_joined_with_a_parallel_one_or_with_noise():
    views = [View(0, 0, 1200, 500)]
    rows = [(0, 100, 300, 300, 320, 0.6), (0, 200, 330, 500, 350, 0.6), (0, 280, 300, 700, 322, 0.05)]
    merged = merge(raw_boxes(views, rows, (1200, 500)), views)
    assert [100, 300, 300, 320] in merged.boxes.tolist()
    assert [200, 330, 500, 350] in merged.boxes.tolist()

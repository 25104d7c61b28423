"""The scatter of recorded boxes, by hand values."""

import numpy as np
import pytest

from benchmarks.label_scatter import linked, reachable, scatter


def test_boxes_are_one_flaw_where_each_is_the_others_nearest() -> None:
    before = np.array([[0, 0, 10, 10], [100, 0, 110, 10]], np.float32)
    after = np.array([[104, 0, 116, 10], [4, 2, 14, 14], [300, 0, 310, 10]], np.float32)
    assert linked(before, after) == [(0, 1), (1, 0)]


def test_a_box_that_moved_further_than_its_side_is_not_linked() -> None:
    before, after = np.array([[0, 0, 10, 10]], np.float32), np.array([[11, 0, 21, 10]], np.float32)
    assert linked(before, after) == []


@pytest.mark.parametrize("shape", [(0, 4), (1, 4)])
def test_a_view_without_boxes_links_none(shape: tuple[int, int]) -> None:
    assert linked(np.zeros(shape, np.float32), np.zeros((0, 4), np.float32)) == []


def test_the_scatter_of_a_record_is_that_of_the_ratio_over_the_root_of_two() -> None:
    random = np.random.default_rng(0)
    logs = random.normal(0, (0.2, 0.1), (20_000, 2))
    assert scatter(logs[1:] - logs[:-1]) == pytest.approx([0.2, 0.1], rel=0.03)


def test_records_without_scatter_are_all_met_and_wild_ones_are_not() -> None:
    random = np.random.default_rng(0)
    assert reachable(np.zeros(2), random) == [1.0, 1.0]
    half, more = reachable(np.array([0.4, 0.4]), random)
    assert more < half < 0.9

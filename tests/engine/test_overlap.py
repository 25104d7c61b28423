"""Sweeps beside the plain comparison of each box with each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.overlap import both_ways, groups_of_pairs, meeting_pairs, shared_area, strongest_of_pairs


@st.composite
def some_boxes(draw):
    """Up to 40 boxes on a coarse grid, so that many touch, coincide or are long."""
    n = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low = rng.integers(0, 30, (n, 2))
    size = rng.integers(1, draw(st.sampled_from([3, 10, 40])), (n, 2))
    return np.concatenate((low, low + size), axis=1).astype(np.float32)


def plain_pairs(boxes):
    return {
        (i, j)
        for i in range(len(boxes))
        for j in range(i + 1, len(boxes))
        if (boxes[i, :2] <= boxes[j, 2:]).all() and (boxes[j, :2] <= boxes[i, 2:]).all()
    }


@given(some_boxes())
def test_every_pair_that_meets_comes_once(boxes):
    i, j = meeting_pairs(boxes)
    found = list(zip(i.tolist(), j.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == plain_pairs(boxes)


@given(some_boxes())
def test_the_strongest_of_pairs_are_those_of_the_plain_loop(boxes):
    i, j = meeting_pairs(boxes)
    kept: list[int] = []
    pairs = set(zip(i.tolist(), j.tolist(), strict=True))
    for box in range(len(boxes)):
        if not any((other, box) in pairs for other in kept):
            kept.append(box)
    assert strongest_of_pairs(len(boxes), i, j).tolist() == kept


@given(some_boxes())
def test_groups_are_what_can_be_reached(boxes):
    i, j = meeting_pairs(boxes)
    beside: dict[int, set[int]] = {box: {box} for box in range(len(boxes))}
    for a, b in zip(*both_ways((i, j)), strict=True):
        beside[int(a)].add(int(b))
    lowest = []
    for box in range(len(boxes)):
        reached, new = {box}, {box}
        while new:
            new = set().union(*(beside[b] for b in new)) - reached
            reached |= new
        lowest.append(min(reached))
    assert groups_of_pairs(len(boxes), i, j).tolist() == lowest


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((2, 2, 6, 6), 4.0),
        ((0, 0, 4, 4), 16.0),
        ((4, 0, 8, 4), 0.0),
        ((9, 9, 10, 10), 0.0),
        ((1, 1, 2, 3), 2.0),
    ],
)
def test_the_shared_area_by_hand(other, expected):
    boxes = np.array([(0, 0, 4, 4), other], np.float32)
    assert shared_area(boxes, np.array([0]), np.array([1])).tolist() == [expected]

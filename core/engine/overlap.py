"""Overlapping boxes without comparing every pair: a film holds thousands."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray

#: Numbers of boxes.
IndexArray = npt.NDArray[np.intp]


def meeting_pairs(boxes: FloatArray) -> tuple[IndexArray, IndexArray]:
    """Each pair of boxes that overlap or touch, once: (P,) lower and (P,) higher indices.

    A sweep along x: every box is compared only with those that begin before it ends.

    Args:
        boxes: (N, 4) xyxy.
    """
    order = np.argsort(boxes[:, 0], kind="stable")
    begin, end = boxes[order, 0], boxes[order, 2]
    after = np.arange(1, len(boxes) + 1)
    count = np.searchsorted(begin, end, side="right") - after
    first = np.repeat(np.arange(len(boxes)), count)
    second = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count) + after[first]
    i, j = order[first], order[second]
    is_met = (boxes[i, 1] <= boxes[j, 3]) & (boxes[j, 1] <= boxes[i, 3])
    i, j = i[is_met], j[is_met]
    return np.minimum(i, j), np.maximum(i, j)


def both_ways(pairs: tuple[IndexArray, IndexArray]) -> tuple[IndexArray, IndexArray]:
    """The pairs (i, j) and, after them, the same as (j, i)."""
    return np.concatenate(pairs), np.concatenate(pairs[::-1])


def shared_area(boxes: FloatArray, i: IndexArray, j: IndexArray) -> FloatArray:
    """(P,) px², how much of box i[p] lies in box j[p]."""
    low = np.maximum(boxes[i, :2], boxes[j, :2])
    high = np.minimum(boxes[i, 2:], boxes[j, 2:])
    result: FloatArray = (high - low).clip(min=0).prod(axis=1)
    return result


def strongest_of_pairs(n: int, i: IndexArray, j: IndexArray) -> IndexArray:
    """Survivors among n boxes, strongest first, when only one of each pair (i, j), i < j, may stay.

    Greedy as in non-maximum suppression: a box that stays removes those it is paired with.
    """
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    is_kept = np.ones(n, np.bool_)
    edges = np.append(np.flatnonzero(np.diff(i, prepend=-1)), len(i))
    for start, end in pairwise(edges.tolist()):
        if is_kept[i[start]]:
            is_kept[j[start:end]] = False
    return np.flatnonzero(is_kept)


def groups_of_pairs(n: int, i: IndexArray, j: IndexArray) -> IndexArray:
    """(n,) for each box the lowest index among those that pairs connect it with, itself included."""
    label = np.arange(n)
    while True:
        low = np.minimum(label[i], label[j])
        larger = label.copy()
        np.minimum.at(larger, i, low)
        np.minimum.at(larger, j, low)
        if (larger == label).all():
            return label
        label = larger[larger]

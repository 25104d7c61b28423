"""Differences between two versions on the same images, box by box."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from core.evaluate.outcome_table import Bools, Ints, OutcomeTable

#: Two boxes of the two versions are the same call from this overlap on.
SAME_CALL_IOU = 0.5
#: Boxes of the two versions on one recorded indication that overlap less differ in extent.
SAME_EXTENT_IOU = 0.7
#: A probability that differs by this much has moved.
MOVED_BY = 0.2


class DifferenceKind(StrEnum):
    """Kind of difference between the versions at one place."""

    FOUND_FIRST = "found_first"
    FOUND_SECOND = "found_second"
    FALSE_FIRST = "false_first"
    FALSE_SECOND = "false_second"
    CLASS = "class"
    EXTENT = "extent"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places of one kind, K of them.

    Attributes:
        image: (K,) index of the image.
        first, second, truth: (K,) index of the box of each version and of the recorded one, -1 for none.
        amount: (K,) how large the difference is, for sorting: the probability of what only one version
            reports, the change of the probability, or one less the overlap.
    """

    image: Ints
    first: Ints
    second: Ints
    truth: Ints
    amount: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.image)

    def chosen(self, rows: npt.NDArray[Any]) -> "Places":
        """The places at `rows`, (K,) bool or indices, in their order."""
        return Places(
            self.image[rows], self.first[rows], self.second[rows], self.truth[rows], self.amount[rows]
        )


def version_differences(
    first: OutcomeTable, second: OutcomeTable, probability: float | None = None
) -> dict[DifferenceKind, Places]:
    """All places where two versions differ at an operating probability; None takes each version's own.

    A recorded indication that both found counts under class, extent and moved probability, each apart.
    False calls differ where the other version reports nothing with an overlap of at least 0.5.

    Args:
        first: outcomes of the first version.
        second: those of the second one on the same images in the same order.
        probability: at least so much is reported.

    Raises:
        ValueError: the tables are of different images.
    """
    if first.digests != second.digests or len(first.truth) != len(second.truth):
        raise ValueError("the two tables are of different images")
    a, b = first.box_of_truth(probability), second.box_of_truth(probability)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    moved = second.probabilities[b[both]] - first.probabilities[a[both]]
    overlap = _paired_iou(first.boxes[a[both]], second.boxes[b[both]])
    is_other = _names(first, a[both]) != _names(second, b[both])
    only_first, only_second = np.flatnonzero((a >= 0) & (b < 0)), np.flatnonzero((b >= 0) & (a < 0))
    found = {
        DifferenceKind.FOUND_FIRST: _of_truth(first, a, b, only_first, first.probabilities[a[only_first]]),
        DifferenceKind.FOUND_SECOND: _of_truth(
            first, a, b, only_second, second.probabilities[b[only_second]]
        ),
        DifferenceKind.CLASS: _of_truth(first, a, b, both[is_other], np.abs(moved[is_other])),
        DifferenceKind.EXTENT: _chosen(first, a, b, both, 1 - overlap, overlap < SAME_EXTENT_IOU),
        DifferenceKind.MOVED: _chosen(first, a, b, both, np.abs(moved), np.abs(moved) >= MOVED_BY),
    }
    return found | {
        DifferenceKind.FALSE_FIRST: _false_calls(first, second, probability, is_first=True),
        DifferenceKind.FALSE_SECOND: _false_calls(second, first, probability, is_first=False),
    }


def _chosen(table: OutcomeTable, a: Ints, b: Ints, truths: Any, amount: Any, is_chosen: Bools) -> Places:
    return _of_truth(table, a, b, truths[is_chosen], amount[is_chosen])


def _of_truth(table: OutcomeTable, a: Ints, b: Ints, truths: Any, amount: Any) -> Places:
    order = np.argsort(-amount, kind="stable")
    chosen = truths[order].astype(np.int32)
    return Places(table.truth_image[chosen], a[chosen], b[chosen], chosen, amount[order])


def _false_calls(
    own: OutcomeTable, other: OutcomeTable, probability: float | None, *, is_first: bool
) -> Places:
    """Unmatched boxes of one version at places where the other one reports nothing."""
    boxes = np.flatnonzero(own.is_reported(probability) & (own.matched < 0))
    reported = np.flatnonzero(other.is_reported(probability))
    here, there = _pairs_within_images(own.box_image[boxes], other.box_image[reported], own.n_images)
    is_same = _paired_iou(own.boxes[boxes[here]], other.boxes[reported[there]]) >= SAME_CALL_IOU
    is_alone = np.ones(len(boxes), np.bool_)
    is_alone[here[is_same]] = False
    alone = boxes[is_alone]
    order = alone[np.argsort(-own.probabilities[alone], kind="stable")].astype(np.int32)
    none = np.full(len(order), -1, np.int32)
    images, certainty = own.box_image[order], own.probabilities[order]
    if is_first:
        return Places(images, order, none, none, certainty)
    return Places(images, none, order, none, certainty)


def _pairs_within_images(
    first: npt.NDArray[Any], second: npt.NDArray[Any], n_images: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Every pair of equal numbers in two sorted lists of images: positions in the one and in the other."""
    starts = np.searchsorted(second, np.arange(n_images + 1))
    n_partners = np.diff(starts)[first]
    here = np.repeat(np.arange(len(first)), n_partners)
    ends = np.cumsum(n_partners)
    within = np.arange(len(here)) - np.repeat(ends - n_partners, n_partners)
    return here, starts[first[here]] + within


def _paired_iou(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(K,) overlap of each pair of (K, 4) boxes."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared
    overlap: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def _names(table: OutcomeTable, boxes: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    return np.array(table.classes, np.str_)[table.box_class[boxes]] if len(boxes) else np.zeros(0, np.str_)

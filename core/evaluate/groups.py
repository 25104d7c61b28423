"""Boxes by class and by size, so that a difference can be traced to where it comes from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from core.evaluate.average_precision import RankedDetections
from core.evaluate.calibration_groups import SIZE_EDGES_MM, SIZE_EDGES_PX
from core.evaluate.matching import IOU_THRESHOLD, match
from core.evaluate.outcome_table import Bools, Floats, OutcomeTable


class GroupKind(StrEnum):
    """Property that groups boxes."""

    CLASS = "class"
    SIZE_PX = "px"
    SIZE_MM = "mm"


@dataclass(frozen=True, slots=True)
class Group:
    """Boxes of one class or size.

    Attributes:
        kind: what they are grouped by.
        name: the class, or the size in words.
        low, high: of the longer side in px or mm, `low` belonging to it; unused for classes.
    """

    kind: GroupKind
    name: str
    low: float = 0.0
    high: float = math.inf

    @property
    def key(self) -> str:
        """The same in every set: what figures of the group are stored under."""
        return f"{self.kind}:{self.name}"


def groups_of(table: OutcomeTable) -> tuple[Group, ...]:
    """The recorded classes where they are the version's, then sizes: in mm where known, else in px."""
    recorded = sorted({table.classes[index] for index in np.unique(table.truth_class)})
    classes = tuple(Group(GroupKind.CLASS, name) for name in recorded) if table.is_class_aware else ()
    is_scaled = len(table.names) > 0 and not np.isnan(table.mm_per_px).any()
    kind, edges = (GroupKind.SIZE_MM, SIZE_EDGES_MM) if is_scaled else (GroupKind.SIZE_PX, SIZE_EDGES_PX)
    return classes + size_groups(kind, edges)


def size_groups(kind: GroupKind, edges: Sequence[float]) -> tuple[Group, ...]:
    """The bins between these edges, in px or mm."""
    return tuple(Group(kind, _words(low, high, kind), low, high) for low, high in pairwise(edges))


def truth_in(table: OutcomeTable, group: Group) -> Bools:
    """(G,) the recorded boxes of the group."""
    if group.kind is GroupKind.CLASS:
        is_class: Bools = table.truth_class == _class_index(table, group)
        return is_class
    return _is_between(_sides(table.truth, table.mm_per_px[table.truth_image], group), group)


def boxes_in(table: OutcomeTable, group: Group) -> Bools:
    """(D,) the reported boxes of the group."""
    if group.kind is GroupKind.CLASS:
        is_class: Bools = table.box_class == _class_index(table, group)
        return is_class
    return _is_between(_sides(table.boxes, table.mm_per_px[table.box_image], group), group)


def ranked_class_group(table: OutcomeTable, group: Group) -> RankedDetections:
    """The detections of one class, matched with the recorded boxes of that class alone, by falling score."""
    is_box, is_truth = boxes_in(table, group), truth_in(table, group)
    boxes, truths = np.flatnonzero(is_box), np.flatnonzero(is_truth)
    is_true = np.zeros(len(boxes), np.bool_)
    images = np.arange(table.n_images + 1)
    box_starts = np.searchsorted(table.box_image[boxes], images)
    truth_starts = np.searchsorted(table.truth_image[truths], images)
    for image in np.unique(table.truth_image[truths]):
        own = boxes[box_starts[image] : box_starts[image + 1]]
        recorded = truths[truth_starts[image] : truth_starts[image + 1]]
        found = match(table.boxes[own], table.scores[own], table.truth[recorded], IOU_THRESHOLD).is_true
        is_true[box_starts[image] : box_starts[image + 1]] = found
    order = np.argsort(-table.scores[boxes], kind="stable")
    counts = table.per_image(table.truth_image, is_truth).astype(np.intp)
    return RankedDetections(is_true[order], table.box_image[boxes][order].astype(np.intp), counts)


def ranked_size_group(table: OutcomeTable, group: Group) -> RankedDetections:
    """The detections that count for the average precision of one size.

    COCO's rule for areas: recorded boxes of other sizes are ignored, and so are detections that are matched
    with them or with none and are of another size. Deviation: the match is the one of all sizes, where COCO
    would let a detection prefer a recorded box of the size asked for.
    """
    is_truth = truth_in(table, group)
    is_true = table.matched >= 0
    of_truth = np.zeros(len(table.matched), np.bool_)
    of_truth[is_true] = is_truth[table.matched[is_true]]
    counts = np.where(is_true, of_truth, boxes_in(table, group))
    return ranked_of(table, counts, is_truth)


def ranked_of(table: OutcomeTable, chosen: Bools, is_truth: Bools) -> RankedDetections:
    """The chosen boxes by falling score, with the recorded boxes that count."""
    kept = np.flatnonzero(chosen)
    order = kept[np.argsort(-table.scores[kept], kind="stable")]
    return RankedDetections(
        table.matched[order] >= 0,
        table.box_image[order].astype(np.intp),
        table.per_image(table.truth_image, is_truth).astype(np.intp),
    )


def _class_index(table: OutcomeTable, group: Group) -> int:
    """-1, which no box has, where the table knows no such class."""
    return table.classes.index(group.name) if group.name in table.classes else -1


def _sides(boxes: np.ndarray, scales: Floats, group: Group) -> Floats:
    sides: Floats = np.ptp(boxes.reshape(-1, 2, 2).astype(np.float64), axis=1).max(axis=1, initial=0.0)
    return sides * scales if group.kind is GroupKind.SIZE_MM else sides


def _is_between(sides: Floats, group: Group) -> Bools:
    between: Bools = (sides >= group.low) & (sides < group.high)
    return between


def _words(low: float, high: float, unit: str) -> str:
    if low == 0:
        return f"below {high:g} {unit}"
    return f"{low:g} {unit} and more" if math.isinf(high) else f"{low:g} to {high:g} {unit}"

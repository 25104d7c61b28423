"""From the raw boxes of all views to one box an indication."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import box_iou, nms

from core.domain.detections import FloatArray, View
from core.engine.overlap import (
    IndexArray,
    both_ways,
    groups_of_pairs,
    meeting_pairs,
    shared_area,
    strongest_of_pairs,
)
from core.engine.tiling import inner_edges

#: Boxes that overlap more than this are the same indication; the higher score stays.
NMS_IOU = 0.5
#: A box that moves another one's extent, or takes its place, has at least this share of its score. So
#: candidates below half of the lowest score that is shown may be left out: what is shown hardly ever changes.
SUPPORT_SHARE = 0.5
#: A box is the mean of itself and the candidates it stands for, those that overlap it at least so much and no
#: stronger box, each weighted by the square of its score.
VOTE_IOU, VOTE_POWER = 0.4, 2
#: A box is elongated from this ratio of its sides on.
ELONGATED = 3.0
#: The coarse pass reports only what is at least this long, px of the image.
MIN_COARSE_PX = 192.0
#: A stretch joins a line when it has this score, this share of the line's best score, and at most so many
#: times the best stretch's thickness, counted as at least so many px.
JOIN_SCORE, JOIN_SCORE_SHARE, JOIN_WIDTH_RATIO, JOIN_WIDTH_PX = 0.1, SUPPORT_SHARE, 2.5, 6.0
#: Of two boxes of similar size (areas within this ratio) that share so much of the smaller one, which
#: their IoU alone would let pass, the higher score stays.
NESTED_RATIO, NESTED_SHARE = 3.0, 0.6
#: A box that lies in another to this share belongs to it, when a rule lets it.
CONTAINED = 0.7
#: A class needs at least this share of the softmax, else the box stays unclassified.
CLASS_EVIDENCE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class RawBoxes:
    """Boxes of all views before merging.

    Attributes:
        boxes: (N, 4) float32 xyxy, absolute px.
        scores: (N,) float32.
        is_cut: (N, 4) bool, see `inner_edges`.
        view_index: (N,) int64.
        cell: (N, 3) int64, level, row and column.
        class_shares: (N, K) float32, the softmax over `HEAD_CLASSES`.
    """

    boxes: FloatArray
    scores: FloatArray
    is_cut: npt.NDArray[np.bool_]
    view_index: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]
    class_shares: FloatArray

    @property
    def class_id(self) -> npt.NDArray[np.int64]:
        """(N,) index into `HEAD_CLASSES`, -1 for no evidence."""
        best = self.class_shares.argmax(axis=1)
        result: npt.NDArray[np.int64] = np.where(
            self.class_shares.max(axis=1, initial=0.0) >= CLASS_EVIDENCE, best, -1
        )
        return result

    @property
    def area(self) -> FloatArray:
        """(N,) px²."""
        result: FloatArray = (self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1)
        return result

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "RawBoxes":
        """The boxes at `index`."""
        return RawBoxes(
            self.boxes[index], self.scores[index], self.is_cut[index],
            self.view_index[index], self.cell[index], self.class_shares[index],
        )  # fmt: skip


def mark_cut(boxes: FloatArray, view: View, width: int, height: int) -> npt.NDArray[np.bool_]:
    """(N, 4) bool: sides of each box that an inner edge of its view cuts."""
    return inner_edges(boxes, view, width, height)


def merge(raw: RawBoxes, views: list[View]) -> RawBoxes:
    """One box an indication, highest score first.

    In this order: the same indication seen twice in one view keeps its higher score, and all that saw it have
    a say in its extent; the coarse pass keeps only long boxes; a cut box that a whole one covers goes;
    collinear cut boxes of neighbouring views are joined, and so are stretches of one line; pieces of a long
    box go; then one last suppression over all, of nested boxes too.
    """
    scale = np.array([v.scale for v in views], np.float32)[raw.view_index]
    is_long = (raw.boxes[:, 2:] - raw.boxes[:, :2]).max(axis=1, initial=0) >= MIN_COARSE_PX
    raw = raw.take((scale == 1.0) | is_long)
    if len(raw.scores) == 0:
        return raw
    raw = concatenate(
        [_suppress_by_vote(raw.take(np.flatnonzero(raw.view_index == v))) for v in np.unique(raw.view_index)]
    )
    if len(views) > 1:
        raw = _drop_covered(raw)
        raw = _join_collinear(raw)
    raw = _join_stretches(raw)
    raw = _drop_pieces(raw)
    return _drop_nested(_suppress(raw))


def concatenate(parts: Sequence[RawBoxes]) -> RawBoxes:
    """The boxes of all parts in their order; at least one part."""
    names = ("boxes", "scores", "is_cut", "view_index", "cell", "class_shares")
    return RawBoxes(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _suppress(raw: RawBoxes) -> RawBoxes:
    """Boxes that survive class-agnostic non-maximum suppression, highest score first."""
    kept = nms(torch.from_numpy(raw.boxes), torch.from_numpy(raw.scores), NMS_IOU)
    return raw.take(np.asarray(kept.numpy(), np.intp))


def _suppress_by_vote(raw: RawBoxes) -> RawBoxes:
    """As `_suppress`, each box moved to the mean of those that it stands for, except where its view cuts it.

    Box voting after Gidaris and Komodakis 2015 (arXiv 1505.01749), with every candidate counted once, for the
    strongest box that it overlaps.
    """
    won = _suppress(raw)
    boxes, winners = torch.from_numpy(raw.boxes), torch.from_numpy(won.boxes)
    scores, best = torch.from_numpy(raw.scores), torch.from_numpy(won.scores)
    is_near = box_iou(boxes, winners) >= VOTE_IOU
    winner = is_near.int().argmax(dim=1)  # the first, and so the strongest, of those that are near
    says = is_near.any(dim=1) & (scores >= SUPPORT_SHARE * best[winner])
    weight = scores[says].double() ** VOTE_POWER
    total = torch.zeros(len(winners), dtype=torch.float64).index_add_(0, winner[says], weight)
    votes = weight[:, None] * boxes[says].double()
    mean = torch.zeros_like(winners, dtype=torch.float64).index_add_(0, winner[says], votes)
    has_votes = total > 0  # a box near a stronger one may have given even its own to that
    moved = torch.where(has_votes[:, None], mean / total.clamp(min=1e-12)[:, None], winners.double())
    return replace(won, boxes=np.where(won.is_cut, won.boxes, moved.numpy().astype(np.float32)))


def _drop_covered(raw: RawBoxes) -> RawBoxes:
    """Without the cut boxes that lie in a larger box of another view: the neighbour saw more of it."""
    is_cut: npt.NDArray[np.bool_] = np.any(raw.is_cut, axis=1)
    if not is_cut.any():
        return raw
    area = raw.area
    i, j = both_ways(meeting_pairs(raw.boxes))
    is_asked = is_cut[i] & (raw.view_index[i] != raw.view_index[j]) & (area[i] < area[j])
    is_asked &= raw.scores[j] >= SUPPORT_SHARE * raw.scores[i]
    i, j = i[is_asked], j[is_asked]
    keep = np.ones(len(is_cut), np.bool_)
    keep[i[shared_area(raw.boxes, i, j) / area[i].clip(min=1e-6) >= CONTAINED]] = False
    return raw.take(keep)


def _join_collinear(raw: RawBoxes) -> RawBoxes:
    """With chains of cut boxes that continue each other across tile edges as one box each.

    The joined box takes score, class and origin of its best member.
    """
    for axis in (0, 1):
        raw = _join_along(raw, axis)
    return raw


def _join_along(raw: RawBoxes, axis: int) -> RawBoxes:
    """Join along x (axis 0) or y (axis 1)."""
    is_open = raw.is_cut[:, axis] | raw.is_cut[:, axis + 2]
    candidates = np.flatnonzero(is_open)
    boxes, is_cut, view = raw.boxes[candidates], raw.is_cut[candidates], raw.view_index[candidates]
    i, j = both_ways(meeting_pairs(boxes))
    is_next = (
        (view[i] != view[j])
        & is_cut[i, axis + 2]
        & is_cut[j, axis]
        & (boxes[i, axis] <= boxes[j, axis])
        & _share_width(boxes, i, j, axis, 0.4)
    )
    return _join_groups(raw, candidates, groups_of_pairs(len(candidates), i[is_next], j[is_next]))


def _share_width(
    boxes: FloatArray, i: IndexArray, j: IndexArray, axis: int, share: float
) -> npt.NDArray[np.bool_]:
    """(P,) boxes i[p] and j[p] share so much of the thinner one's width, across `axis`."""
    low, high = 1 - axis, 3 - axis
    shared = np.minimum(boxes[i, high], boxes[j, high]) - np.maximum(boxes[i, low], boxes[j, low])
    width = boxes[:, high] - boxes[:, low]
    result: npt.NDArray[np.bool_] = shared >= share * np.minimum(width[i], width[j])
    return result


def _join_stretches(raw: RawBoxes) -> RawBoxes:
    """With elongated boxes that touch and run on along the same line as one box each.

    The network sees about 300 px of a line at a time and reports it in overlapping stretches. Lines grow
    from their best stretch, which gives the joined box its score, class and origin.
    """
    for axis in (0, 1):
        size = raw.boxes[:, 2:] - raw.boxes[:, :2]
        is_line = (size[:, axis] >= ELONGATED * size[:, 1 - axis]) & (raw.scores >= JOIN_SCORE)
        lines = np.flatnonzero(is_line)
        lines = lines[np.argsort(-raw.scores[lines], kind="stable")]
        boxes = raw.boxes[lines]
        i, j = both_ways(meeting_pairs(boxes))
        is_beside = _share_width(boxes, i, j, axis, 0.5)
        label = _grow_lines(i[is_beside], j[is_beside], raw.scores[lines], size[lines, 1 - axis])
        raw = _join_groups(raw, lines, label)
    return raw


def _grow_lines(i: IndexArray, j: IndexArray, score: FloatArray, width: FloatArray) -> IndexArray:
    """(N,) for each stretch, ordered by score, the index of the best stretch of its line.

    Args:
        i: (P,) one of two stretches that run on along each other, each pair both ways.
        j: (P,) the other.
        score: (N,) falling.
        width: (N,) px.
    """
    order = np.argsort(i, kind="stable")
    ends = np.searchsorted(i[order], np.arange(len(score) + 1)).tolist()
    beside: list[int] = j[order].tolist()
    widest = (JOIN_WIDTH_RATIO * np.maximum(width, JOIN_WIDTH_PX)).tolist()
    lowest, scores, widths = (JOIN_SCORE_SHARE * score).tolist(), score.tolist(), width.tolist()
    label = [-1] * len(score)
    for best in range(len(score)):
        if label[best] >= 0:
            continue
        label[best] = best
        grown = [best]
        while grown:
            last = grown.pop()
            for other in beside[ends[last] : ends[last + 1]]:
                if label[other] < 0 and scores[other] >= lowest[best] and widths[other] <= widest[best]:
                    label[other] = best
                    grown.append(other)
    return np.array(label, np.intp)


def _join_groups(raw: RawBoxes, members: npt.NDArray[np.intp], label: npt.NDArray[np.intp]) -> RawBoxes:
    """With each group of `members` that bears the same label as one box, the best one's, over all of them."""
    boxes, is_cut, keep = raw.boxes.copy(), raw.is_cut.copy(), np.ones(len(raw.scores), np.bool_)
    labels, counts = np.unique(label, return_counts=True)
    for one in labels[counts > 1]:
        group = members[label == one]
        best = group[np.argmax(raw.scores[group])]
        boxes[best, :2] = raw.boxes[group, :2].min(axis=0)
        boxes[best, 2:] = raw.boxes[group, 2:].max(axis=0)
        is_cut[best] = False
        keep[group[group != best]] = False
    return replace(raw, boxes=boxes, is_cut=is_cut).take(keep)


def _drop_pieces(raw: RawBoxes) -> RawBoxes:
    """Without the elongated boxes that are stretches of a longer one along the same line."""
    size = raw.boxes[:, 2:] - raw.boxes[:, :2]
    is_elongated = size.max(axis=1, initial=0) >= ELONGATED * size.min(axis=1, initial=np.inf).clip(min=1e-6)
    lines = np.flatnonzero(is_elongated)
    if len(lines) < 2:
        return raw
    size, boxes, score = size[lines], raw.boxes[lines], raw.scores[lines]
    axis = np.argmax(size, axis=1)
    length, width = size.max(axis=1), size.min(axis=1).clip(min=1e-6)
    area = size.prod(axis=1).clip(min=1e-6)
    i, j = both_ways(meeting_pairs(boxes))
    is_piece = (
        (shared_area(boxes, i, j) / area[i] >= CONTAINED)
        & (axis[i] == axis[j])
        & (length[j] >= 1.5 * length[i])
        & (width[j] <= 4 * width[i])
        & (score[j] >= 0.5 * score[i])
    )
    keep = np.ones(len(raw.scores), np.bool_)
    keep[lines[i[is_piece]]] = False
    return raw.take(keep)


def _drop_nested(raw: RawBoxes) -> RawBoxes:
    """Without the boxes that repeat a stronger one of similar size around the same thing.

    `raw` is ordered by score. A pore inside of a much larger cluster box stays.
    """
    area = raw.area
    i, j = meeting_pairs(raw.boxes)
    smaller, larger = np.minimum(area[i], area[j]), np.maximum(area[i], area[j])
    shared = shared_area(raw.boxes, i, j)
    is_repeated = (shared >= NESTED_SHARE * smaller) & (larger <= NESTED_RATIO * smaller)
    return raw.take(strongest_of_pairs(len(area), i[is_repeated], j[is_repeated]))

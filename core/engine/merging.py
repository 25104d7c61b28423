"""From the raw boxes of all views to one box an indication."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from core.domain.detections import FloatArray, View
from core.engine.tiling import inner_edges

#: Boxes that overlap more than this are the same indication; the higher score stays.
NMS_IOU = 0.5
#: A box is elongated from this ratio of its sides on.
ELONGATED = 3.0
#: The coarse pass reports only what is at least this long, px of the image.
MIN_COARSE_PX = 192.0
#: A stretch joins a line when it has this score, this share of the line's best score, and at most so many
#: times the best stretch's thickness, counted as at least so many px.
JOIN_SCORE, JOIN_SCORE_SHARE, JOIN_WIDTH_RATIO, JOIN_WIDTH_PX = 0.1, 0.5, 2.5, 6.0
#: Of two boxes of similar size (areas within this ratio) that share so much of the smaller one, which
#: their IoU alone would let pass, the higher score stays.
NESTED_RATIO, NESTED_SHARE = 3.0, 0.6
#: A box that lies in another to this share belongs to it, when a rule lets it.
CONTAINED = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class RawBoxes:
    """Boxes of all views before merging.

    Attributes:
        boxes: (N, 4) float32 xyxy, absolute px.
        scores: (N,) float32.
        is_cut: (N, 4) bool, see `inner_edges`.
        view_index: (N,) int64.
        cell: (N, 3) int64, level, row and column.
        class_id: (N,) int64, index into `HEAD_CLASSES`, -1 for no evidence.
    """

    boxes: FloatArray
    scores: FloatArray
    is_cut: npt.NDArray[np.bool_]
    view_index: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]
    class_id: npt.NDArray[np.int64]

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "RawBoxes":
        """The boxes at `index`."""
        return RawBoxes(
            self.boxes[index], self.scores[index], self.is_cut[index],
            self.view_index[index], self.cell[index], self.class_id[index],
        )  # fmt: skip


def mark_cut(boxes: FloatArray, view: View, width: int, height: int) -> npt.NDArray[np.bool_]:
    """(N, 4) bool: sides of each box that an inner edge of its view cuts."""
    return inner_edges(boxes, view, width, height)


def merge(raw: RawBoxes, views: list[View]) -> RawBoxes:
    """One box an indication, highest score first.

    In this order: the same indication seen twice in one view keeps its higher score; the coarse
    pass keeps only long boxes; a cut box that a whole one covers goes; collinear cut boxes of
    neighbouring views are joined, and so are stretches of one line; pieces of a long box go; then one
    last suppression over all, of nested boxes too.
    """
    scale = np.array([v.scale for v in views], np.float32)[raw.view_index]
    is_long = (raw.boxes[:, 2:] - raw.boxes[:, :2]).max(axis=1, initial=0) >= MIN_COARSE_PX
    raw = raw.take((scale == 1.0) | is_long)
    if len(raw.scores) == 0:
        return raw
    kept = [raw.take(np.flatnonzero(raw.view_index == v)) for v in np.unique(raw.view_index)]
    raw = _concatenate([part.take(_suppress(part.boxes, part.scores)) for part in kept])
    if len(views) > 1:
        raw = _drop_covered(raw)
        raw = _join_collinear(raw)
    raw = _join_stretches(raw)
    raw = _drop_pieces(raw)
    return _drop_nested(raw.take(_suppress(raw.boxes, raw.scores)))


def _concatenate(parts: list[RawBoxes]) -> RawBoxes:
    names = ("boxes", "scores", "is_cut", "view_index", "cell", "class_id")
    return RawBoxes(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _suppress(boxes: FloatArray, scores: FloatArray) -> npt.NDArray[np.intp]:
    """Indices that survive class-agnostic non-maximum suppression, highest score first."""
    kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), NMS_IOU)
    return np.asarray(kept.numpy(), np.intp)


def _contained_share(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """(N, M): the share of box i's area that lies in other j."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    overlap = (high - low).clip(min=0).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).clip(min=1e-6)
    result: FloatArray = overlap / area[:, None]
    return result


def _drop_covered(raw: RawBoxes) -> RawBoxes:
    """Without the cut boxes that lie in a larger box of another view: the neighbour saw more of it."""
    is_cut: npt.NDArray[np.bool_] = np.any(raw.is_cut, axis=1)
    if not is_cut.any():
        return raw
    area = (raw.boxes[:, 2:] - raw.boxes[:, :2]).prod(axis=1)
    is_covered = (
        (_contained_share(raw.boxes[is_cut], raw.boxes) >= CONTAINED)
        & (raw.view_index[is_cut][:, None] != raw.view_index[None])
        & (area[is_cut][:, None] < area[None])
    ).any(axis=1)
    keep = np.ones(len(is_cut), np.bool_)
    keep[np.flatnonzero(is_cut)[is_covered]] = False
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
    across = 1 - axis
    is_open = raw.is_cut[:, axis] | raw.is_cut[:, axis + 2]
    candidates = np.flatnonzero(is_open)
    group = {int(i): int(i) for i in candidates}

    def root(i: int) -> int:
        while group[i] != i:
            i = group[i]
        return i

    for i in candidates:
        for j in candidates:
            a, b = raw.boxes[i], raw.boxes[j]
            if raw.view_index[i] == raw.view_index[j] or not (
                raw.is_cut[i, axis + 2] and raw.is_cut[j, axis]
            ):
                continue
            shared = min(a[across + 2], b[across + 2]) - max(a[across], b[across])
            thinner = min(a[across + 2] - a[across], b[across + 2] - b[across])
            if a[axis + 2] >= b[axis] and a[axis] <= b[axis] and shared >= 0.4 * thinner:
                group[root(int(j))] = root(int(i))
    label = np.array([root(int(i)) for i in candidates], np.intp)
    return _join_groups(raw, candidates, label)


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
        width = size[lines, 1 - axis]
        label = _grow_lines(_touching(raw.boxes[lines], axis), raw.scores[lines], width)
        raw = _join_groups(raw, lines, label)
    return raw


def _touching(boxes: FloatArray, axis: int) -> npt.NDArray[np.bool_]:
    """(N, N) bool: the boxes meet along `axis`, and share half of the thinner one across it."""
    shared = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    width = boxes[:, 3 - axis] - boxes[:, 1 - axis]
    thinner = np.minimum(width[:, None], width[None])
    result: npt.NDArray[np.bool_] = (shared[..., axis] >= 0) & (shared[..., 1 - axis] >= 0.5 * thinner)
    return result


def _grow_lines(touches: npt.NDArray[np.bool_], score: FloatArray, width: FloatArray) -> npt.NDArray[np.intp]:
    """(N,) for each stretch, ordered by score, the index of the best stretch of its line."""
    label = np.full(len(score), -1, np.intp)
    for best in range(len(score)):
        if label[best] >= 0:
            continue
        may_join = (
            (label < 0)
            & (score >= JOIN_SCORE_SHARE * score[best])
            & (width <= JOIN_WIDTH_RATIO * max(width[best], JOIN_WIDTH_PX))
        )
        grown = np.zeros(len(score), np.bool_)
        grown[best] = True
        while True:
            larger = grown | (may_join & touches[grown].any(axis=0))
            if (larger == grown).all():
                break
            grown = larger
        label[grown] = best
    return label


def _join_groups(raw: RawBoxes, members: npt.NDArray[np.intp], label: npt.NDArray[np.intp]) -> RawBoxes:
    """With each group of `members` that bears the same label as one box, the best one's, over all of them."""
    boxes, is_cut, keep = raw.boxes.copy(), raw.is_cut.copy(), np.ones(len(raw.scores), np.bool_)
    for one in np.unique(label):
        group = members[label == one]
        if len(group) == 1:
            continue
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
    is_piece = (
        (_contained_share(boxes, boxes) >= CONTAINED)
        & (axis[:, None] == axis[None])
        & (length[None] >= 1.5 * length[:, None])
        & (width[None] <= 4 * width[:, None])
        & (score[None] >= 0.5 * score[:, None])
    )
    keep = np.ones(len(raw.scores), np.bool_)
    keep[lines[is_piece.any(axis=1)]] = False
    return raw.take(keep)


def _drop_nested(raw: RawBoxes) -> RawBoxes:
    """Without the boxes that repeat a stronger one of similar size around the same thing.

    `raw` is ordered by score. A pore inside of a much larger cluster box stays.
    """
    area = (raw.boxes[:, 2:] - raw.boxes[:, :2]).prod(axis=1)
    kept: list[int] = []
    for i in range(len(area)):
        low = np.maximum(raw.boxes[i, :2], raw.boxes[kept, :2])
        high = np.minimum(raw.boxes[i, 2:], raw.boxes[kept, 2:])
        shared = (high - low).clip(min=0).prod(axis=1)
        smaller, larger = np.minimum(area[i], area[kept]), np.maximum(area[i], area[kept])
        if not ((shared >= NESTED_SHARE * smaller) & (larger <= NESTED_RATIO * smaller)).any():
            kept.append(i)
    return raw.take(np.array(kept, np.intp))

"""Boxes of the detection head and pieces of the mask head as one list of indications.

Each piece is paired with at most one box. A box keeps its extent, except where its piece is long: there the
head for boxes sees only stretches, which go. One of three logistic models gives the score, by what saw the
indication.
"""

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import box_iou, nms

from core.domain.detections import FloatArray
from core.domain.errors import ModelArtefactError
from core.engine.mask_head import MASK_STRIDE
from core.engine.merging import CONTAINED, ELONGATED, NESTED_RATIO, NESTED_SHARE, NMS_IOU
from core.engine.overlap import IndexArray, meeting_pairs, shared_area, strongest_of_pairs
from core.engine.pieces import Pieces

#: A box and a piece that overlap so much are the same indication.
PAIR_IOU = 0.4
#: A piece alone meets a box from this overlap on, or when the box is a stretch of it.
MEETING_IOU = 0.1
#: Scores and probabilities are kept this far from 0 and 1 before a logarithm is taken.
_SMALLEST = 0.005
#: Of a model: the log-odds of the box's score and of the piece's, and the logarithms of the longer side and
#: of the ratio of the sides.
N_FEATURES = 4


class Seen(IntEnum):
    """The heads that saw an indication."""

    BY_BOTH = 0
    AS_BOX = 1
    AS_PIECE = 2


@dataclass(frozen=True, slots=True)
class Fusion:
    """The weights of the three models, each of `N_FEATURES` and an intercept.

    Attributes:
        by_both, as_box, as_piece: of what both heads saw, or one alone.
    """

    by_both: tuple[float, ...]
    as_box: tuple[float, ...]
    as_piece: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, weights in asdict(self).items():
            if len(weights) != N_FEATURES + 1 or not np.isfinite(weights).all():
                raise ValueError(f"{name} must be {N_FEATURES + 1} finite numbers, got {weights}")

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The fusion in `text`.

        Raises:
            ModelArtefactError: when `text` is not such a fusion.
        """
        try:
            return cls(
                **{name: tuple(float(w) for w in weights) for name, weights in json.loads(text).items()}
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelArtefactError(f"not the weights of a fusion: {text[:80]!r}") from error

    def scores(self, candidates: "Candidates") -> FloatArray:
        """(N,) float32 in 0..1."""
        weights = np.array([self.by_both, self.as_box, self.as_piece])[candidates.seen]
        odds = (weights[:, :-1] * candidates.features).sum(axis=1) + weights[:, -1]
        result: FloatArray = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Indications before they are scored.

    Attributes:
        boxes: (N, 4) float32 xyxy px.
        seen: (N,) int64, `Seen`.
        features: (N, N_FEATURES) float64.
        box_index: (N,) int64, number of the box, of a piece alone the strongest that it meets; -1 for none.
        piece_index: (N,) int64, number of the piece, -1 for none.
    """

    boxes: FloatArray
    seen: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]
    box_index: npt.NDArray[np.int64]
    piece_index: npt.NDArray[np.int64]

    def take(self, index: IndexArray) -> "Candidates":
        """The candidates at `index`."""
        return Candidates(
            self.boxes[index],
            self.seen[index],
            self.features[index],
            self.box_index[index],
            self.piece_index[index],
        )


def pair_up(boxes: FloatArray, scores: FloatArray, pieces: Pieces, probability: FloatArray) -> Candidates:
    """The candidates of one image: pairs first, then boxes alone, then pieces alone.

    Args:
        boxes: (D, 4) xyxy px, merged.
        scores: (D,) in 0..1.
        pieces: of the same image.
        probability: that the pieces were found in; says how much of a piece there is in a box without one.
    """
    overlap = box_iou(torch.from_numpy(boxes), torch.from_numpy(pieces.boxes)).numpy()
    box, piece = _pairs(overlap)
    is_stretch = _is_stretch(boxes, pieces)
    lone_box = np.setdiff1d(np.flatnonzero(~is_stretch.any(axis=1)), box)
    lone_piece = np.setdiff1d(np.arange(len(pieces)), piece)
    met = _best_met(((overlap >= MEETING_IOU) | is_stretch)[:, lone_piece], scores)
    extent = np.where(pieces.is_long[piece][:, None], pieces.boxes[piece], boxes[box])
    evidence = np.concatenate(
        (
            np.stack((scores[box], pieces.scores[piece]), axis=1),
            np.stack((scores[lone_box], _mean_within(probability, boxes[lone_box])), axis=1),
            np.stack((np.append(scores, np.float32(0))[met], pieces.scores[lone_piece]), axis=1),
        )
    )
    found = np.concatenate((extent, boxes[lone_box], pieces.boxes[lone_piece])).astype(np.float32)
    counts = [len(box), len(lone_box), len(lone_piece)]
    return Candidates(
        boxes=found,
        seen=np.repeat(np.array([Seen.BY_BOTH, Seen.AS_BOX, Seen.AS_PIECE], np.int64), counts),
        features=_features(evidence, found),
        box_index=np.concatenate((box, lone_box, met)).astype(np.int64),
        piece_index=np.concatenate((piece, np.full(counts[1], -1), lone_piece)).astype(np.int64),
    )


def suppress(boxes: FloatArray, scores: FloatArray) -> IndexArray:
    """Numbers of the candidates that stay, strongest first.

    Non-maximum suppression, then the rule for nested boxes of `core.engine.merging`.

    Args:
        boxes: (N, 4) float32 xyxy px.
        scores: (N,) float32.
    """
    kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), NMS_IOU).numpy()
    boxes = boxes[kept]
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    i, j = meeting_pairs(boxes)
    smaller, larger = np.minimum(area[i], area[j]), np.maximum(area[i], area[j])
    is_repeated = (shared_area(boxes, i, j) >= NESTED_SHARE * smaller) & (larger <= NESTED_RATIO * smaller)
    return np.asarray(kept[strongest_of_pairs(len(area), i[is_repeated], j[is_repeated])], np.intp)


def _pairs(overlap: FloatArray) -> tuple[IndexArray, IndexArray]:
    """Numbers of the boxes and pieces that belong together, the closest pair first; each occurs once.

    Args:
        overlap: (D, P) intersection over union.
    """
    box, piece = np.nonzero(overlap >= PAIR_IOU)
    pairs: list[tuple[int, int]] = []
    taken_boxes, taken_pieces = set[int](), set[int]()
    for number in np.argsort(-overlap[box, piece], kind="stable"):
        b, p = int(box[number]), int(piece[number])
        if b not in taken_boxes and p not in taken_pieces:
            pairs.append((b, p))
            taken_boxes.add(b)
            taken_pieces.add(p)
    paired = np.array(pairs, np.intp).reshape(-1, 2)
    return paired[:, 0], paired[:, 1]


def _is_stretch(boxes: FloatArray, pieces: Pieces) -> npt.NDArray[np.bool_]:
    """(D, P) whether a box is an elongated part of a long piece."""
    size, lines = boxes[:, 2:] - boxes[:, :2], pieces.boxes
    is_elongated = size.max(axis=1, initial=0) >= ELONGATED * size.min(axis=1, initial=np.inf)
    shared = (
        (
            np.minimum(boxes[:, None, 2:], lines[None, :, 2:])
            - np.maximum(boxes[:, None, :2], lines[None, :, :2])
        )
        .clip(min=0)
        .prod(axis=2)
    )
    is_inside = shared >= CONTAINED * size.prod(axis=1)[:, None]
    result: npt.NDArray[np.bool_] = is_elongated[:, None] & is_inside & pieces.is_long[None]
    return result


def _mean_within(probability: FloatArray, boxes: FloatArray) -> FloatArray:
    """(D,) mean of the probability in each box."""
    height, width = probability.shape
    table = np.zeros((height + 1, width + 1))
    table[1:, 1:] = probability.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    cells = boxes / MASK_STRIDE
    x1, y1 = (np.floor(cells[:, k]).astype(np.intp).clip(0, n - 1) for k, n in ((0, width), (1, height)))
    x2, y2 = (np.ceil(cells[:, k]).astype(np.intp).clip(1, n) for k, n in ((2, width), (3, height)))
    x2, y2 = np.maximum(x2, x1 + 1), np.maximum(y2, y1 + 1)
    total = table[y2, x2] - table[y1, x2] - table[y2, x1] + table[y1, x1]
    result: FloatArray = (total / ((x2 - x1) * (y2 - y1))).astype(np.float32)
    return result


def _best_met(is_met: npt.NDArray[np.bool_], scores: FloatArray) -> npt.NDArray[np.int64]:
    """(P,) number of the strongest of the boxes that each piece meets by (D, P), -1 for none."""
    if not len(scores):
        return np.full(is_met.shape[1], -1, np.int64)
    best = np.where(is_met, scores[:, None], -1.0).argmax(axis=0)
    return np.where(is_met.any(axis=0), best, -1).astype(np.int64)


def _features(evidence: npt.NDArray[np.floating[Any]], boxes: FloatArray) -> npt.NDArray[np.float64]:
    share = evidence.astype(np.float64).clip(_SMALLEST, 1 - _SMALLEST)
    size = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64).clip(min=1.0)
    long, short = size.max(axis=1), size.min(axis=1)
    return np.column_stack((np.log(share / (1 - share)), np.log(long), np.log(long / short)))

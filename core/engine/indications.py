"""Turns the output of the network's heads for an image into its detections."""

from dataclasses import dataclass

import numpy as np

from core.domain.detections import CellOrigin, Detections, FloatArray, View
from core.domain.indication import IndicationClass
from core.engine.fusion import Candidates, Fusion, pair_up, suppress
from core.engine.merging import RawBoxes
from core.engine.network import HEAD_CLASSES, STRIDES
from core.engine.pieces import Pieces, find_pieces, outline_within

#: (1, K) class shares of a piece that meets no box.
_NO_EVIDENCE = np.full((1, len(HEAD_CLASSES)), 1 / len(HEAD_CLASSES), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """The output of both heads for one image.

    Attributes:
        size: width and height of the image, px.
        boxes: merged, highest score first.
        views: that were looked at.
        probability: (ceil(H/2), ceil(W/2)) float32, of an indication there; None without a mask head.
    """

    size: tuple[int, int]
    boxes: RawBoxes
    views: list[View]
    probability: FloatArray | None


def from_boxes(sighting: Sighting) -> Detections:
    """The boxes as they are; where a mask head drew something within one, with its outline."""
    raw, probability = sighting.boxes, sighting.probability
    outlines = None if probability is None else tuple(outline_within(probability, box) for box in raw.boxes)
    return Detections(
        raw.boxes,
        raw.scores,
        _classes(raw),
        _origins(raw, sighting.views),
        outlines=outlines,
        class_shares=raw.class_shares,
    )


def paired(sighting: Sighting) -> tuple[Candidates, Pieces]:
    """The candidates of a sighting with a probability, and the pieces that they come from."""
    raw, probability = sighting.boxes, sighting.probability
    assert probability is not None
    pieces = find_pieces(probability, *sighting.size)
    return pair_up(raw.boxes, raw.scores, pieces, probability), pieces


def from_both_heads(sighting: Sighting, fusion: Fusion, score_floor: float) -> Detections:
    """Boxes and pieces fused, those with a score of at least the floor, highest first.

    A piece alone takes class and origin of the strongest box that it meets. Where there is none,
    it is unclassified and comes from the cell of the finest level at its middle.

    Args:
        sighting: with a probability.
        fusion: of the network.
        score_floor: of the score after the fusion.
    """
    raw, (candidates, pieces) = sighting.boxes, paired(sighting)
    scores = fusion.scores(candidates)
    kept = suppress(candidates.boxes, scores)
    kept = kept[scores[kept] >= score_floor]
    found, scores = candidates.take(kept), scores[kept]
    classes, origins = _classes(raw), _origins(raw, sighting.views)
    numbers = found.box_index.tolist()
    return Detections(
        found.boxes,
        scores,
        tuple(classes[n] if n >= 0 else IndicationClass.UNCLASSIFIED for n in numbers),
        tuple(
            origins[n] if n >= 0 else _finest_cell(box, sighting.views)
            for n, box in zip(numbers, found.boxes, strict=True)
        ),
        outlines=tuple(pieces.outlines[n] if n >= 0 else None for n in found.piece_index.tolist()),
        class_shares=np.concatenate((raw.class_shares, _NO_EVIDENCE))[found.box_index],
    )


def _classes(raw: RawBoxes) -> tuple[IndicationClass, ...]:
    return tuple(HEAD_CLASSES[i] if i >= 0 else IndicationClass.UNCLASSIFIED for i in raw.class_id)


def _origins(raw: RawBoxes, views: list[View]) -> tuple[CellOrigin, ...]:
    return tuple(
        CellOrigin(views[v], int(level), int(row), int(col))
        for v, (level, row, col) in zip(raw.view_index, raw.cell, strict=True)
    )


def _finest_cell(box: FloatArray, views: list[View]) -> CellOrigin:
    """The cell of the finest level at a box's middle, in the full-scale view that shows most around it."""
    x, y = (float(v) for v in (box[:2] + box[2:]) / 2)
    margins = [min(x - v.x0, v.x1 - x, y - v.y0, v.y1 - y) if v.scale == 1.0 else -np.inf for v in views]
    view = views[int(np.argmax(margins))]
    return CellOrigin(view, 0, int((y - view.y0) // STRIDES[0]), int((x - view.x0) // STRIDES[0]))

"""Turns the output of the network into raw boxes in px of the image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.domain.detections import FloatArray, View
from core.engine.merging import RawBoxes, mark_cut
from core.engine.network import STRIDES, LevelOutput
from core.engine.tiling import TILE_PX, WHOLE_PX

#: Candidates a view may pass on to merging; views larger than a whole image ever is, so many for each
#: `TILE_PX` squared of them.
MAX_PER_VIEW = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The cells of one view whose score reaches the floor, highest score first, equal ones in cell order.

    Attributes:
        scores: (N,) float32.
        distances: (N, 4) float32, px of the view as the network saw it, see `LevelOutput`.
        cell: (N, 3) int64, level, row and column.
        class_shares: (N, K) float32, the softmax over `HEAD_CLASSES`.
    """

    scores: FloatArray
    distances: FloatArray
    cell: npt.NDArray[np.int64]
    class_shares: FloatArray


def candidates_of(outputs: Sequence[LevelOutput], score_floors: Sequence[float]) -> list[Candidates]:
    """The candidates of each of the B views of a batch, at most `MAX_PER_VIEW` for each.

    Everywhere only the scores become float32; distances and classes are gathered in the network's own
    format. All levels and views are decoded together, so that a GPU is waited for once.

    Args:
        outputs: of the network, one a level.
        score_floors: the lowest score of each view.
    """
    scores = torch.cat([level.score_logit.flatten(1) for level in outputs], dim=1).float().sigmoid()
    floors = torch.tensor(score_floors, dtype=torch.float32, device=scores.device)
    item, place = torch.nonzero(scores >= floors[:, None], as_tuple=True)
    distances = _by_cell([level.distances for level in outputs])[item, place].float()
    logits = _by_cell([level.class_logits for level in outputs])[item, place].float()
    arrays = [_array(part) for part in (scores[item, place], distances, logits, place)]
    shapes = [(level.score_logit.shape[2], level.score_logit.shape[3]) for level in outputs]
    ends = np.searchsorted(_array(item), np.arange(1, len(score_floors)))
    views = zip(*(np.split(array, ends) for array in arrays), strict=True)
    return [_strongest(*view, shapes=shapes) for view in views]


def raw_boxes(candidates: Candidates, view: View, number: int, size: tuple[int, int]) -> RawBoxes:
    """The candidates of one view as boxes in px of the image, clipped to it; those without area are left out.

    Args:
        candidates: of that view.
        view: what the network saw.
        number: of the view.
        size: width and height of the image, px.
    """
    stride = np.array(STRIDES, np.float32)[candidates.cell[:, :1]]
    centre = (candidates.cell[:, :0:-1].astype(np.float32) + np.float32(0.5)) * stride
    distances = candidates.distances
    sides = np.concatenate((centre - distances[:, :2], centre + distances[:, 2:]), axis=1)
    corner = np.array([view.x0, view.y0] * 2, np.float32)
    boxes: FloatArray = (sides / np.float32(view.scale) + corner).astype(np.float32, copy=False)
    # what lies in the padding is clipped away, then boxes without area go
    boxes[:, 0::2] = boxes[:, 0::2].clip(max(view.x0, 0), min(view.x1, size[0]))
    boxes[:, 1::2] = boxes[:, 1::2].clip(max(view.y0, 0), min(view.y1, size[1]))
    raw = RawBoxes(
        boxes=boxes,
        scores=candidates.scores,
        is_cut=mark_cut(boxes, view, *size),
        view_index=np.full(len(boxes), number, np.int64),
        cell=candidates.cell,
        class_shares=candidates.class_shares,
    )
    return raw.take((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))


def _strongest(
    scores: FloatArray,
    distances: FloatArray,
    logits: FloatArray,
    place: npt.NDArray[np.int64],
    *,
    shapes: Sequence[tuple[int, int]],
) -> Candidates:
    """The strongest cells of one view. `place` counts through the levels of these (rows, columns)."""
    order = np.argsort(-scores, kind="stable")[: _most(shapes[0])]
    place = place[order]
    starts = np.cumsum([0, *(rows * cols for rows, cols in shapes)])
    level = np.searchsorted(starts, place, side="right") - 1
    columns = np.array([cols for _, cols in shapes], np.int64)[level]
    row, col = np.divmod(place - starts[level], columns)
    cell = np.stack((level, row, col), axis=1)
    return Candidates(scores[order], distances[order], cell, _softmax(logits[order]))


def _most(finest: tuple[int, int]) -> int:
    """Candidates that a view may pass on, by the (rows, columns) of its finest level."""
    area_px = finest[0] * finest[1] * STRIDES[0] ** 2
    return MAX_PER_VIEW if area_px <= WHOLE_PX**2 else MAX_PER_VIEW * area_px // TILE_PX**2


def _softmax(logits: FloatArray) -> FloatArray:
    """(N, K) of (N, K) logits."""
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: FloatArray = grown / grown.sum(axis=1, keepdims=True)
    return result


def _by_cell(maps: Sequence[Tensor]) -> Tensor:
    """(B, cells of all levels, C) of (B, C, h, w) each; no transposition when they are channels_last."""
    return torch.cat([one.permute(0, 2, 3, 1).flatten(1, 2) for one in maps], dim=1)


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.cpu().numpy()
    return array

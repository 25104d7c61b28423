"""Assignment of boxes to the cells of the pyramid that learn them."""

from dataclasses import dataclass

import torch
from torch import Tensor

#: A box goes to the first level whose limit is at least its longer side in px of the view.
LEVEL_LIMITS_PX = (48.0, 96.0, 192.0, float("inf"))
#: Cells within this many strides of the box's centre learn it.
CENTRE_RADIUS = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Flattened over levels, rows and columns, for one image; L cells in all.

    Attributes:
        box_index: (L,) int64, the box a cell learns, -1 for background, -2 for ignored.
        centres: (L, 2) float32, x and y of each cell's centre, px of the view.
    """

    box_index: Tensor
    centres: Tensor


def cell_centres(
    sizes: list[tuple[int, int]], strides: tuple[int, ...], device: torch.device
) -> list[Tensor]:
    """For each level with (rows, cols), the centres of its cells: (rows * cols, 2), x then y, px."""
    result = []
    for (rows, cols), stride in zip(sizes, strides, strict=True):
        y = (torch.arange(rows, device=device, dtype=torch.float32) + 0.5) * stride
        x = (torch.arange(cols, device=device, dtype=torch.float32) + 0.5) * stride
        result.append(torch.stack((x.repeat(rows), y.repeat_interleave(cols)), dim=1))
    return result


def assign(
    boxes: Tensor, is_ignored: Tensor, level_centres: list[Tensor], strides: tuple[int, ...]
) -> Targets:
    """Targets of one image by centre sampling (FCOS, with one level for each box).

    Every box gets at least one cell, however thin it is: the sampling window never shrinks below
    half a stride. Where windows overlap the smaller box wins.

    Args:
        boxes: (N, 4) xyxy in px of the view.
        is_ignored: (N,) bool; cells inside such a box learn nothing.
        level_centres: see `cell_centres`.
        strides: of the levels.
    """
    centres = torch.cat(level_centres)
    index = torch.full((len(centres),), -1, dtype=torch.int64, device=centres.device)
    if len(boxes) == 0:
        return Targets(index, centres)
    inside = (
        (centres[:, None, 0] >= boxes[None, :, 0])
        & (centres[:, None, 0] <= boxes[None, :, 2])
        & (centres[:, None, 1] >= boxes[None, :, 1])
        & (centres[:, None, 1] <= boxes[None, :, 3])
    )
    index[(inside & is_ignored[None]).any(dim=1)] = -2
    candidate = _is_candidate(boxes, level_centres, strides) & ~is_ignored[None]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    cost = torch.where(candidate, areas[None], torch.inf)
    best, best_box = cost.min(dim=1)
    is_positive = best < torch.inf
    index[is_positive] = best_box[is_positive]
    return Targets(index, centres)


def _is_candidate(boxes: Tensor, level_centres: list[Tensor], strides: tuple[int, ...]) -> Tensor:
    """(L, N) bool: the cell lies in the sampling window of a box of its level."""
    size = boxes[:, 2:] - boxes[:, :2]
    middle = (boxes[:, 2:] + boxes[:, :2]) / 2
    longest = size.max(dim=1).values
    parts = []
    lower = 0.0
    for centres, stride, upper in zip(level_centres, strides, LEVEL_LIMITS_PX, strict=True):
        reach = (size / 2).clamp(min=0.5 * stride, max=CENTRE_RADIUS * stride)
        offset = (centres[:, None] - middle[None]).abs()
        is_level = (longest > lower) & (longest <= upper) if lower else longest <= upper
        parts.append((offset <= reach[None]).all(dim=2) & is_level[None])
        lower = upper
    return torch.cat(parts)

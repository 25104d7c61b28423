"""Placing a map of pyramid cells in the image."""

import numpy as np
import torch
from torch.nn import functional

from core.domain.detections import CellOrigin, FloatArray, View
from core.domain.inspection import HeatMap

#: A map covers the box and this share of its longer side around it, at least `MIN_MARGIN_PX`.
MARGIN_SHARE, MIN_MARGIN_PX = 0.5, 16.0


def place(
    cells: FloatArray,
    *,
    first_row: int,
    first_col: int,
    origin: CellOrigin,
    stride: int,
    box: FloatArray,
    image_shape: tuple[int, ...],
) -> HeatMap:
    """Cells of one level as a heat map in px of the image.

    A cell covers stride / view.scale px; values between cell centres are bilinear. The map covers the
    box with its margin and every positive cell, clipped to the image, so no attribution is cut off
    but what lay in the padding.

    Args:
        cells: (h, w) not negative, attribution of the cells from (first_row, first_col).
        first_row: of `cells` in the level's map.
        first_col: of `cells` in the level's map.
        origin: the view, level and cell of the detection.
        stride: of the level, px of the view as the network saw it.
        box: (4,) xyxy px of the image.
        image_shape: (H, W).
    """
    px_per_cell = round(stride / origin.view.scale)
    patch = _enlarge(np.pad(cells, 1), px_per_cell)
    patch_x = origin.view.x0 + (first_col - 1) * px_per_cell
    patch_y = origin.view.y0 + (first_row - 1) * px_per_cell
    x0, y0, x1, y1 = _region(box, image_shape)
    if cells.any():
        x0, y0 = min(x0, max(patch_x, 0)), min(y0, max(patch_y, 0))
        x1 = max(x1, min(patch_x + patch.shape[1], image_shape[1]))
        y1 = max(y1, min(patch_y + patch.shape[0], image_shape[0]))
    values = np.zeros((y1 - y0, x1 - x0), np.float32)
    into_x, from_x = _shared(x0, x1, patch_x, patch.shape[1])
    into_y, from_y = _shared(y0, y1, patch_y, patch.shape[0])
    values[into_y, into_x] = patch[from_y, from_x]
    return scaled(values, x0, y0)


def scaled(values: FloatArray, x0: int, y0: int, *, is_signed: bool = False) -> HeatMap:
    """The map scaled by its own maximum, a signed one by its largest magnitude; empty when that is zero."""
    peak = max(float((np.abs(values) if is_signed else values).max(initial=0.0)), 0.0)
    fitted = values / np.float32(peak) if peak > 0 else np.zeros_like(values)
    return HeatMap(fitted.astype(np.float32), x0, y0, peak, is_signed)


def place_view(
    values: FloatArray,
    view: View,
    part: tuple[slice, slice],
    image_shape: tuple[int, ...],
    *,
    is_signed: bool,
) -> HeatMap:
    """A part of a map in px of a view as a heat map in px of the image, clipped to it.

    Args:
        values: (h, w) of the whole view as the network saw it; enlarging keeps its sum.
        view: its corner and scale.
        part: rows and columns of the view.
        image_shape: (H, W).
        is_signed: negative values are kept, else dropped.
    """
    factor = round(1 / view.scale)
    cut = values[part] if is_signed else values[part].clip(min=0)
    enlarged = np.repeat(np.repeat(cut, factor, axis=0), factor, axis=1) / np.float32(factor**2)
    y0, x0 = view.y0 + part[0].start * factor, view.x0 + part[1].start * factor
    top, left = max(0, -y0), max(0, -x0)
    inside = enlarged[top : image_shape[0] - y0, left : image_shape[1] - x0]
    if not inside.size:
        inside = np.zeros((1, 1), np.float32)
    return scaled(inside.astype(np.float32), max(x0, 0), max(y0, 0), is_signed=is_signed)


def _enlarge(cells: FloatArray, factor: int) -> FloatArray:
    """Bilinear, every cell `factor` px wide with its value at its centre."""
    enlarged = functional.interpolate(
        torch.from_numpy(cells)[None, None], scale_factor=factor, mode="bilinear", align_corners=False
    )
    result: FloatArray = enlarged[0, 0].numpy()
    return result


def _region(box: FloatArray, image_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box with its margin as whole px within the image: x0, y0, x1, y1, at least one px wide."""
    margin = max(MIN_MARGIN_PX, MARGIN_SHARE * float((box[2:] - box[:2]).max()))
    height, width = image_shape
    x0 = min(max(int(np.floor(box[0] - margin)), 0), width - 1)
    y0 = min(max(int(np.floor(box[1] - margin)), 0), height - 1)
    x1 = max(min(int(np.ceil(box[2] + margin)), width), x0 + 1)
    y1 = max(min(int(np.ceil(box[3] + margin)), height), y0 + 1)
    return x0, y0, x1, y1


def _shared(start: int, end: int, patch_start: int, patch_length: int) -> tuple[slice, slice]:
    """Overlap of the region [start, end) and the patch: the slice of the region, and that of the patch."""
    low, high = max(start, patch_start), min(end, patch_start + patch_length)
    high = max(low, high)
    return slice(low - start, high - start), slice(low - patch_start, high - patch_start)

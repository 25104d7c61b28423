"""Tiles: the rectangles of an image that the network sees, and their scale."""

import numpy as np
import numpy.typing as npt

from core.domain.detections import View

#: An image up to this size in both directions is looked at as one view.
WHOLE_PX = 1280
#: Side of a tile of a larger image.
TILE_PX = 1024
#: Neighbouring tiles share at least this many px.
OVERLAP_PX = 128
#: Entry of a weights file's header that says how large images are cut, and its only value. Weights without it
#: were calibrated on square tiles.
TILES, BANDS = "tiles", "bands"
#: Tiles that are not square have at most so many px: the memory that the network takes grows with them.
TILE_AREA_PX = 1536 * 1536
#: Scale of the extra pass over a large image.
COARSE_SCALE = 0.25


def views_of(width: int, height: int, least_px: int = 0, *, is_banded: bool = False) -> list[View]:
    """The views of an image of that size in px: one, or overlapping tiles and a coarse pass.

    Args:
        width: of the image.
        height: of the image.
        least_px: sides of a view as the network sees it are at least so long; the view of a smaller image
            reaches beyond it by as much on either side.
        is_banded: tiles are of any shape, those that together have the fewest px; else squares.
    """
    spans = {s: (_spans(width, s, least_px), _spans(height, s, least_px)) for s in (1.0, COARSE_SCALE)}
    if is_banded and max(width, height) > WHOLE_PX:
        spans[1.0] = _bands(width, height, least_px)
    is_large = max(width, height) > WHOLE_PX
    return [
        View(x0, y0, x1, y1, scale)
        for scale, (across, down) in spans.items()
        if scale == 1.0 or is_large
        for y0, y1 in down
        for x0, x1 in across
    ]


def _spans(length: int, scale: float, least_px: int) -> list[tuple[int, int]]:
    """Evenly spread (start, end) px that cover `length`, for views at `scale`."""
    whole, tile, overlap = (int(px / scale) for px in (WHOLE_PX, TILE_PX, OVERLAP_PX))
    if length <= whole:
        missing = max(0, int(least_px / scale) - length)
        return [(-(missing // 2), length + missing - missing // 2)]
    count = int(np.ceil((length - overlap) / (tile - overlap)))
    starts = np.linspace(0, length - tile, count).round().astype(int)
    return [(int(start), int(start) + tile) for start in starts]


def _bands(width: int, height: int, least_px: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(start, end) px across and down of the grid that reads the fewest px, no tile above `TILE_AREA_PX`.

    A film lower than a tile and a half is one row. Each further column or row reads its overlap twice.
    """
    most = [max(1, -(-length // (TILE_PX - OVERLAP_PX))) for length in (width, height)]
    grids = []
    for across in range(1, most[0] + 1):
        for down in range(1, most[1] + 1):
            tile = _side(width, across), _side(height, down)
            if tile[0] * tile[1] <= TILE_AREA_PX:
                grids.append((across * down * tile[0] * tile[1], across * down, across, down))
    _, _, across, down = min(grids)
    return _even(width, across, least_px), _even(height, down, least_px)


def _side(length: int, count: int) -> int:
    """Side of each of `count` tiles that overlap by `OVERLAP_PX` and cover `length`; a multiple of 32."""
    px = -(-(length + (count - 1) * OVERLAP_PX) // count)
    return -(-px // 32) * 32


def _even(length: int, count: int, least_px: int) -> list[tuple[int, int]]:
    """(start, end) px of `count` evenly spread tiles; a single one is as long as the image, or `least_px`."""
    if count == 1:
        missing = max(0, least_px - length)
        return [(-(missing // 2), length + missing - missing // 2)]
    side = _side(length, count)
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [(int(start), int(start) + side) for start in starts]


def inner_edges(boxes: npt.NDArray[np.float32], view: View, width: int, height: int) -> npt.NDArray[np.bool_]:
    """(N, 4) bool, left, top, right, bottom: the box is cut there by an edge that is not the image's.

    A side counts as cut within 3 px of the view as the network saw it.

    Args:
        boxes: (N, 4) xyxy, absolute px.
        view: where they were found.
        width: of the image, px.
        height: of the image, px.
    """
    reach = 3.0 / view.scale
    result: npt.NDArray[np.bool_] = np.stack(
        [
            (boxes[:, 0] <= view.x0 + reach) & (view.x0 > 0),
            (boxes[:, 1] <= view.y0 + reach) & (view.y0 > 0),
            (boxes[:, 2] >= view.x1 - reach) & (view.x1 < width),
            (boxes[:, 3] >= view.y1 - reach) & (view.y1 < height),
        ],
        axis=1,
    )
    return result

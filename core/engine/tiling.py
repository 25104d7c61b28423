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
#: Scale of the extra pass over a large image.
COARSE_SCALE = 0.25


def views_of(width: int, height: int, least_px: int = 0) -> list[View]:
    """The views of an image of that size in px: one, or overlapping tiles and a coarse pass.

    Args:
        width: of the image.
        height: of the image.
        least_px: sides of a view as the network sees it are at least so long; the view of a smaller image
            reaches beyond it by as much on either side.
    """
    spans = {s: (_spans(width, s, least_px), _spans(height, s, least_px)) for s in (1.0, COARSE_SCALE)}
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

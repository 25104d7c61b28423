"""The outline of an indication as polygons, to draw it and to hand it to other tools."""

import cv2
import numpy as np

from core.domain.outline import Outline

#: Each cell is drawn so many times as large before its edge is followed; the edge is off by half of a part.
_PARTS = 8
#: Corners that lie this close to the line between their neighbours are left out, cells: the steps of a slope.
_STRAIGHT_CELLS = 0.7
_DECIMALS_PX = 1

Polygon = tuple[tuple[float, float], ...]


def polygons_of(outline: Outline) -> tuple[Polygon, ...]:
    """The corners x, y px around each connected part of an outline, without holes, the largest part first.

    The steps of a slope are straightened, by less than a cell.
    """
    cells = np.repeat(np.repeat(outline.cells.astype(np.uint8), _PARTS, axis=0), _PARTS, axis=1)
    contours, _ = cv2.findContours(cells, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True):
        straight = cv2.approxPolyDP(contour, _STRAIGHT_CELLS * _PARTS, closed=True)
        corners = (straight if len(straight) >= 4 else contour)[:, 0].astype(np.float64)
        placed = (corners + 0.5) / _PARTS * outline.cell_px + (outline.left, outline.top)
        found.append(tuple((round(float(x), _DECIMALS_PX), round(float(y), _DECIMALS_PX)) for x, y in placed))
    return tuple(found)

"""Checks of the boxes of one image."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from core.labelling.finding import Box, DataIssue, FindingKind, error, warning

#: Boxes smaller than this both ways are dust as often as they are indications.
SMALL_PX = 8.0
#: A box may reach so far over the edge: coordinates are rounded when they are written.
_EDGE_TOLERANCE_PX = 0.01


def box_findings(
    image: str,
    boxes: npt.NDArray[np.floating[Any]],
    *,
    size: tuple[int, int],
    pixels: npt.NDArray[np.generic] | None,
) -> list[DataIssue]:
    """Findings about the boxes of one image; empty for an image without boxes.

    Errors: a box without area, outside the image (in part or whole), without any grey variation inside, or
    recorded twice. A warning: a box under 8 px both ways.

    Args:
        image: its file name.
        boxes: (N, 4) xyxy px.
        size: width and height as recorded, px.
        pixels: (H, W) of any real dtype; None when they could not be read, then contrast is not checked.
    """
    found = []
    seen: set[Box] = set()
    for x1, y1, x2, y2 in boxes.astype(float):
        box = (x1, y1, x2, y2)
        if box in seen:
            found.append(error(FindingKind.DUPLICATE_BOX, "recorded more than once", image, box))
            continue
        seen.add(box)
        found += _of_one(image, box, size, pixels)
    return found


def _of_one(
    image: str, box: Box, size: tuple[int, int], pixels: npt.NDArray[np.generic] | None
) -> Iterator[DataIssue]:
    x1, y1, x2, y2 = box
    if not (x2 > x1 and y2 > y1):
        yield error(FindingKind.WITHOUT_AREA, f"{x2 - x1:g}x{y2 - y1:g} px", image, box)
        return
    if is_outside(box, size):
        yield error(FindingKind.OUTSIDE, f"the image is {size[0]}x{size[1]} px", image, box)
    elif pixels is not None and is_constant(pixels, box):
        yield error(FindingKind.CONSTANT, f"all {x2 - x1:g}x{y2 - y1:g} px have one grey value", image, box)
    if max(x2 - x1, y2 - y1) < SMALL_PX:
        yield warning(
            FindingKind.SMALL, f"{x2 - x1:g}x{y2 - y1:g} px, under {SMALL_PX:g} px both ways", image, box
        )


def is_outside(box: Box, size: tuple[int, int]) -> bool:
    """True when a part of the box lies beyond an image of that width and height."""
    x1, y1, x2, y2 = box
    lowest = -_EDGE_TOLERANCE_PX
    return min(x1, y1) < lowest or x2 > size[0] + _EDGE_TOLERANCE_PX or y2 > size[1] + _EDGE_TOLERANCE_PX


def is_constant(pixels: npt.NDArray[np.generic], box: Box) -> bool:
    """True when all pixels that the box touches have one value; values that are not numbers are equal.

    Args:
        pixels: (H, W) of any real dtype.
        box: xyxy px, at least in part within the image.
    """
    x1, y1, x2, y2 = box
    inside = pixels[max(0, int(y1)) : int(np.ceil(y2)), max(0, int(x1)) : int(np.ceil(x2))]
    return inside.size == 0 or np.array_equal(inside, np.full_like(inside, inside[0, 0]), equal_nan=True)

"""Boxes around what other tools draw: polygons, rotated boxes, run-length masks of COCO and CVAT.

A run-length mask of COCO counts the pixels outside and inside in turn, column by column from the top left
corner. Its compressed form writes those counts as text, six bits a character, as `pycocotools` does.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.labelling.finding import Box

Corner = tuple[float, float]
#: Larger pictures than this are no radiographs; a mask that claims to be one is not counted out.
_MOST_MASK_PX = 2**31
#: Diagonals of a rectangle meet in the middle and are as long, to what labels are rounded to.
_RECTANGLE_PX = 0.1
_SIX_BITS, _MORE, _NEGATIVE, _FIRST = 0x1F, 0x20, 0x10, 48


def bounds(corners: Iterable[Corner]) -> Box:
    """The box around corners x, y: x1, y1, x2, y2.

    Raises:
        ValueError: there is none.
    """
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def corners_of(flat: Sequence[Any]) -> tuple[Corner, ...]:
    """The corners in a flat list x1, y1, x2, y2 and so on.

    Raises:
        ValueError: it is no list of pairs of finite numbers.
    """
    values = [float(value) for value in flat]
    if len(values) % 2 or not all(map(math.isfinite, values)):
        raise ValueError("expected pairs of finite numbers")
    return tuple(zip(values[0::2], values[1::2], strict=True))


def rotated_box(box: Box, degrees: float, *, pivot: Corner | None = None) -> tuple[Corner, ...]:
    """The four corners of a box turned clockwise as seen on the screen, the top left one first.

    Args:
        box: before it is turned.
        degrees: any finite number.
        pivot: the point that stays; None is the middle of the box.
    """
    x1, y1, x2, y2 = box
    cx, cy = pivot or ((x1 + x2) / 2, (y1 + y2) / 2)
    quarters = degrees / 90
    if quarters == round(quarters):  # exactly, so that a right angle moves no edge by rounding
        cos, sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
    else:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple(
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    )


def is_rectangle(corners: Sequence[Corner]) -> bool:
    """True for the four corners of a box, turned or not: it says where something is, not its outline."""
    if len(corners) != 4:
        return False
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = corners
    off = (
        x1 + x3 - x2 - x4,
        y1 + y3 - y2 - y4,
        math.dist((x1, y1), (x3, y3)) - math.dist((x2, y2), (x4, y4)),
    )
    return max(map(abs, off)) < _RECTANGLE_PX


def bounds_of_mask(segmentation: Mapping[str, Any]) -> Box | None:
    """The box around a run-length mask of COCO, None around an empty one.

    Args:
        segmentation: `counts`, a list or the compressed text, and `size`, height and width in px.

    Raises:
        ValueError: it is no such mask.
    """
    try:
        height, width = (int(value) for value in segmentation["size"])
        counts = segmentation["counts"]
        runs = _uncompressed(counts) if isinstance(counts, str) else [int(count) for count in counts]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("expected a mask with counts and size") from error
    if min(height, width) < 1 or height * width > _MOST_MASK_PX:
        raise ValueError(f"expected the size of an image, got {width}x{height}")
    return bounds_of_runs(runs, first=height, n_pixels=height * width)


def bounds_of_runs(runs: Sequence[int], *, first: int, n_pixels: int) -> Box | None:
    """The box around the odd runs, which are inside; None when there are none.

    Args:
        runs: numbers of pixels outside and inside in turn.
        first: length of a line: the height where runs go down the columns; then the result is x1, y1, x2, y2.
        n_pixels: of the mask.

    Raises:
        ValueError: the runs are negative or longer than the mask.
    """
    lengths = np.asarray(runs, np.int64)
    if (lengths < 0).any() or lengths.sum() > n_pixels:
        raise ValueError("expected runs that fit into the mask")
    ends = np.cumsum(lengths)[1::2]
    starts = ends - lengths[1::2]
    starts, ends = starts[ends > starts], ends[ends > starts] - 1
    if not len(starts):
        return None
    lines, last_lines = starts // first, ends // first
    crosses = bool((last_lines > lines).any())
    low = 0 if crosses else int((starts % first).min())
    high = first if crosses else int((ends % first).max()) + 1
    return float(lines.min()), float(low), float(last_lines.max() + 1), float(high)


def _uncompressed(text: str) -> list[int]:
    """The counts in the compressed text: from the third on each is a difference to the last but one."""
    counts: list[int] = []
    position = 0
    while position < len(text):
        value = shift = 0
        while True:
            if position >= len(text):
                raise ValueError("the mask ends within a number")
            bits = ord(text[position]) - _FIRST
            if not 0 <= bits < 2 * _MORE:
                raise ValueError("the mask holds a character of another alphabet")
            position += 1
            value |= (bits & _SIX_BITS) << shift
            shift += 5
            if not bits & _MORE:
                if bits & _NEGATIVE:
                    value |= -1 << shift
                break
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts

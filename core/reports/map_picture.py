"""The surroundings of one box with a map of it, as a picture."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.inspection import DetectionResult, HeatMap
from core.imaging.display import auto_window, render_8bit
from core.imaging.encode import encode_png

_BOX_RGB = (230, 232, 234)
#: What raised the score, and what lowered it.
RAISED_RGB, LOWERED_RGB = (255, 159, 28), (84, 160, 255)
#: Longer side of the picture, px.
SIDE_PX = 420
_MARGIN_PX, _OPACITY = 12, 0.6

Rgb = npt.NDArray[np.uint8]
Part = tuple[int, int, int, int]


def part_around(result: DetectionResult, index: int) -> Part:
    """The part of the image that is shown for a box, x0, y0, x1, y1 px: the box and what is around it."""
    return part_around_box(result, tuple(result.detections.boxes[index].tolist()))


def part_around_box(result: DetectionResult, box: Sequence[float], *, margin_share: float = 0.5) -> Part:
    """As `part_around`, for any place.

    Args:
        result: whose radiograph it is.
        box: x1, y1, x2, y2 px.
        margin_share: of the box's longer side, shown to each side of it.
    """
    x1, y1, x2, y2 = box
    margin = _MARGIN_PX + margin_share * max(x2 - x1, y2 - y1)
    height, width = result.radiograph.pixels.shape
    left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
    return left, top, min(width, int(x2 + margin) + 1), min(height, int(y2 + margin) + 1)


def grey_part(result: DetectionResult, part: Part) -> Rgb:
    """(h, w) uint8, the part under a window of its own."""
    x0, y0, x1, y1 = part
    pixels = result.radiograph.pixels[y0:y1, x0:x1]
    shown: Rgb = render_8bit(pixels, *auto_window(pixels))
    return shown


def map_picture(result: DetectionResult, index: int, heat: HeatMap | None) -> bytes:
    """An 8-bit RGB PNG: the box as a thin frame, the map over it, enlarged to `SIDE_PX`.

    What raised the score is orange, what lowered it blue; an empty map, or None, changes nothing.

    Args:
        result: of the detecting service.
        index: of the box.
        heat: its map.
    """
    part = part_around(result, index)
    x0, y0, x1, y1 = part
    factor = max(1, SIDE_PX // max(x1 - x0, y1 - y0))
    grey = cv2.resize(grey_part(result, part), None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.float32)
    if heat is not None and not heat.is_empty:
        canvas = np.zeros((y1 - y0, x1 - x0), np.float32)
        _lay(canvas, heat, x0, y0)
        values = cv2.resize(canvas, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
        for sign, colour in ((1, RAISED_RGB), (-1, LOWERED_RGB)):
            share = _share((sign * values).astype(np.float32))[..., None]
            picture = picture * (1 - share) + share * np.array(colour, np.float32)
    drawn = np.rint(picture).astype(np.uint8)
    corners = [
        round(factor * (float(v) - o))
        for v, o in zip(result.detections.boxes[index], (x0, y0) * 2, strict=True)
    ]
    cv2.rectangle(drawn, corners[:2], corners[2:], _BOX_RGB, 1)
    return encode_png(drawn)


def map_overlay(heat: HeatMap, part: Part) -> bytes:
    """An RGBA PNG, one px for each of the part: the colours of `map_picture` to lay over it.

    Args:
        heat: the map.
        part: of the image, x0, y0, x1, y1 px.
    """
    x0, y0, x1, y1 = part
    canvas = np.zeros((y1 - y0, x1 - x0), np.float32)
    _lay(canvas, heat, x0, y0)
    overlay = np.zeros((*canvas.shape, 4), np.uint8)
    for sign, colour in ((1, RAISED_RGB), (-1, LOWERED_RGB)):
        share = _share(sign * canvas)
        overlay[share > 0, :3] = colour
        overlay[..., 3] += np.rint(255 * share).astype(np.uint8)
    return encode_png(overlay)


def _share(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How much of the colour covers what lies below it; low values show nothing."""
    share: npt.NDArray[np.float32] = _OPACITY * np.clip((values - 0.06) * 1.8, 0, 1)
    return share


def _lay(canvas: npt.NDArray[np.float32], heat: HeatMap, x0: int, y0: int) -> None:
    """Put what both cover of the map into the canvas, which begins at (x0, y0)."""
    height, width = heat.values.shape
    top, left = max(heat.y0, y0), max(heat.x0, x0)
    bottom, right = min(heat.y0 + height, y0 + canvas.shape[0]), min(heat.x0 + width, x0 + canvas.shape[1])
    if bottom > top and right > left:
        canvas[top - y0 : bottom - y0, left - x0 : right - x0] = heat.values[
            top - heat.y0 : bottom - heat.y0, left - heat.x0 : right - heat.x0
        ]

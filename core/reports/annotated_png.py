"""The radiograph with the model's boxes drawn on it, at full resolution."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.inspection import DetectionResult, HeatMap
from core.domain.outline import Outline
from core.imaging.display import auto_window, render_8bit
from core.imaging.encode import encode_png
from core.imaging.outline_polygon import polygons_of
from core.reports.map_picture import LOWERED_RGB, RAISED_RGB

_BOX_RGB = (79, 163, 224)
_DARK_RGB = (12, 14, 16)
_TEXT_RGB = (230, 232, 234)
#: Line width and letters grow with the image, so that they stay visible when it is shown fitted.
_PX_PER_UNIT = 1100.0
_DASH_UNITS = 7

Rgb = npt.NDArray[np.uint8]


def annotated_png(
    result: DetectionResult, *, threshold: float, heat_map: HeatMap | None = None, opacity: float = 0.7
) -> bytes:
    """An 8-bit RGB PNG of the size of the radiograph, auto-windowed, boxes dashed and numbered.

    Numbers are those of the table: 1 is the highest score. A probability that is not verified for this kind
    of image has a question mark.

    Args:
        result: with calibrated detections.
        threshold: of the probability, from which on boxes are drawn, see `Detections.reported`.
        heat_map: drawn under the boxes; an empty map changes nothing.
        opacity: of the map, 0..1.

    Raises:
        ValueError: when the detections carry no probabilities.
    """
    found = result.detections
    if found.probabilities is None:
        raise ValueError("the detections were not calibrated: no probabilities")
    pixels = result.radiograph.pixels
    picture = cv2.cvtColor(render_8bit(pixels, *auto_window(pixels)), cv2.COLOR_GRAY2RGB).astype(np.uint8)
    if heat_map is not None and not heat_map.is_empty:
        _blend(picture, heat_map, opacity)
    for index in reversed(found.reported(threshold)):
        words = found.claims[index].short_words if found.claims else found.classes[index].value
        doubt = " ?" if result.is_strange else ""
        text = f"{index + 1} {words} {found.probabilities[index]:.2f}{doubt}"
        if found.outlines and (outline := found.outlines[index]) is not None:
            _draw_outline(picture, outline)
        _draw_box(picture, found.boxes[index], text)
    return encode_png(picture)


def _unit(picture: Rgb) -> float:
    return max(1.0, float(max(picture.shape[:2])) / _PX_PER_UNIT)


def _blend(picture: Rgb, heat_map: HeatMap, opacity: float) -> None:
    """Colour the region of the map in place, transparent where it is low.

    Cividis; of a signed map what raised the score orange, what lowered it blue.
    """
    y0, x0 = max(0, heat_map.y0), max(0, heat_map.x0)
    values = heat_map.values[y0 - heat_map.y0 :, x0 - heat_map.x0 :]
    region = picture[y0 : y0 + values.shape[0], x0 : x0 + values.shape[1]]
    values = values[: region.shape[0], : region.shape[1]]
    strength = np.abs(values).clip(0.0, 1.0)
    if heat_map.is_signed:
        colours = np.where(values[..., None] > 0, RAISED_RGB, LOWERED_RGB).astype(np.uint8)
    else:
        levels = np.rint(strength * np.iinfo(np.uint8).max).astype(np.uint8)
        colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
    share = (np.clip((strength - 0.06) * 1.8, 0.0, 1.0) * opacity)[..., None]
    region[:] = np.rint(region * (1.0 - share) + colours * share).astype(np.uint8)


def _draw_outline(picture: Rgb, outline: Outline) -> None:
    parts = [np.rint(np.array(one) - 0.5).astype(np.int32) for one in polygons_of(outline)]
    cv2.polylines(picture, parts, isClosed=True, color=_BOX_RGB, thickness=max(1, round(_unit(picture))))


def _draw_box(picture: Rgb, box: npt.NDArray[np.float32], text: str) -> None:
    unit = _unit(picture)
    margin = 3 * unit
    x0, y0 = (int(np.floor(v - margin)) for v in box[:2])
    x1, y1 = (int(np.ceil(v + margin)) for v in box[2:])
    thin = max(1, round(1.4 * unit))
    cv2.rectangle(picture, (x0, y0), (x1, y1), _DARK_RGB, thin + 2 * max(1, round(unit)))
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        _dashed_line(picture, start, end, thin, _DASH_UNITS * unit)
    _draw_label(picture, text, (x0, y0, y1), unit)


def _dashed_line(picture: Rgb, start: Any, end: Any, width_px: int, dash_px: float) -> None:
    a, b = np.asarray(start, float), np.asarray(end, float)
    length = float(np.hypot(*(b - a)))
    step = (b - a) / length if length else np.zeros(2)
    for begin in np.arange(0.0, length, 2 * dash_px):
        p = a + step * begin
        q = a + step * min(begin + dash_px, length)
        cv2.line(picture, tuple(np.rint(p).astype(int)), tuple(np.rint(q).astype(int)), _BOX_RGB, width_px)


def _draw_label(picture: Rgb, text: str, place: tuple[int, int, int], unit: float) -> None:
    """The text on a dark ground above the box, below it at the top edge, moved in at the right edge."""
    x0, y0, y1 = place
    font, size, width = cv2.FONT_HERSHEY_SIMPLEX, 0.42 * unit, max(1, round(unit))
    (text_w, text_h), _ = cv2.getTextSize(text, font, size, width)
    pad = max(2, round(3 * unit))
    left = max(0, min(x0, picture.shape[1] - text_w - 2 * pad))
    above = y0 - text_h - 3 * pad
    top = above if above >= 0 else min(y1 + pad, picture.shape[0] - text_h - 2 * pad)
    cv2.rectangle(picture, (left, top), (left + text_w + 2 * pad, top + text_h + 2 * pad), _DARK_RGB, -1)
    cv2.putText(picture, text, (left + pad, top + text_h + pad), font, size, _TEXT_RGB, width, cv2.LINE_AA)

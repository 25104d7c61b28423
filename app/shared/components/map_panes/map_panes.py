"""Maps of one part of a radiograph side by side, on viewers that move and zoom together."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from app.shared.components.scripts import component
from core.domain.inspection import DetectionResult, HeatMap
from core.imaging.encode import encode_png
from core.reports.map_picture import grey_part, map_overlay, part_around

#: So much of the longer side of the box is shown to each side of it.
_MARGIN_SHARE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class MapPane:
    """One pane: its title, lines below it, and the map; None shows the radiograph alone."""

    title: str
    lines: tuple[str, ...]
    heat: HeatMap | None


def map_panes(result: DetectionResult, index: int, panes: Sequence[MapPane], *, key: str) -> None:
    """Draw the panes, all of the surroundings of detection `index`.

    Args:
        result: of the detecting service.
        index: of the box.
        panes: left to right.
        key: widget key.
    """
    part = part_around(result, index, margin_share=_MARGIN_SHARE)
    x0, y0, x1, y1 = part
    left, top, right, bottom = (float(v) for v in result.detections.boxes[index])
    width, height = x1 - x0, y1 - y0
    data = {
        "picture": _address(encode_png(grey_part(result, part))),
        "width": width,
        "height": height,
        "box": [
            (left - x0) / width,
            (top - y0) / height,
            (right - left) / width,
            (bottom - top) / height,
        ],
        "panes": [
            {"title": one.title, "lines": list(one.lines), "overlay": _overlay(one.heat, part)}
            for one in panes
        ],
    }
    component("map_panes")(data=data, key=key)


def _overlay(heat: HeatMap | None, part: tuple[int, int, int, int]) -> str | None:
    return None if heat is None or heat.is_empty else _address(map_overlay(heat, part))


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

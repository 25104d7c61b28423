"""Maps of one part of a radiograph side by side, on viewers that move and zoom together."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.shared.components.scripts import component
from core.domain.inspection import DetectionResult, HeatMap
from core.imaging.encode import encode_png
from core.reports.map_picture import Part, grey_part, map_overlay


@dataclass(frozen=True, slots=True, eq=False)
class MapPane:
    """One pane.

    Attributes:
        title: above the lines.
        lines: below the picture.
        heat: the map; None shows the radiograph alone.
        box: x1, y1, x2, y2 px, drawn as a frame; None draws none.
    """

    title: str
    lines: tuple[str, ...]
    heat: HeatMap | None
    box: tuple[float, float, float, float] | None


def map_panes(result: DetectionResult, part: Part, panes: Sequence[MapPane], *, key: str) -> None:
    """Draw the panes.

    Args:
        result: whose radiograph is shown.
        part: of it that all panes show.
        panes: left to right, then below.
        key: widget key.
    """
    x0, y0, x1, y1 = part
    data = {
        "picture": _address(encode_png(grey_part(result, part))),
        "width": x1 - x0,
        "height": y1 - y0,
        "panes": [_pane_data(one, part) for one in panes],
    }
    component("map_panes")(data=data, key=key)


def _pane_data(pane: MapPane, part: Part) -> dict[str, Any]:
    x0, y0, x1, y1 = part
    box, width, height = pane.box, x1 - x0, y1 - y0
    overlay = None if pane.heat is None or pane.heat.is_empty else _address(map_overlay(pane.heat, part))
    return {
        "title": pane.title,
        "lines": list(pane.lines),
        "overlay": overlay,
        "box": None
        if box is None
        else [
            (box[0] - x0) / width,
            (box[1] - y0) / height,
            (box[2] - box[0]) / width,
            (box[3] - box[1]) / height,
        ],
    }


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"

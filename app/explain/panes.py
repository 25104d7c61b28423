"""Panes with the maps of one box, by method."""

from app.shared.components.map_panes.map_panes import MapPane
from core.domain.explanations import Faithfulness
from core.domain.inspection import DetectionResult, HeatMap

#: So much of the longer side of a box is shown to each side of it.
SHOWN_SHARE = 0.8

Box = tuple[float, float, float, float]


def box_of(result: DetectionResult, index: int) -> Box:
    """The box of a detection, x1, y1, x2, y2 px."""
    x1, y1, x2, y2 = (float(v) for v in result.detections.boxes[index])
    return x1, y1, x2, y2


def method_pane(title: str, heat: HeatMap, tested: Faithfulness, box: Box) -> MapPane:
    """A map with how far to believe it, or why it is empty."""
    return MapPane(title, (f"empty: {heat.why_empty}" if heat.is_empty else tested.words,), heat, box)

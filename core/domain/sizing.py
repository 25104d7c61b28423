"""The size of an indication: that of the outline that the model drew where it is closer, else of its box.

Closer it is of lines, as a box cannot say how wide an oblique or bent one is, and where it leaves much of the
box free, as people draw boxes around flaws of castings with a margin, and a model learns it. A box that fits
tightly is closer by half a cell (`benchmarks/outline_sizes.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.reading import ReadIndication

#: A box is taken to be known to this many px at each edge, an outline to one of its cells at each end.
EDGE_PX = 1.0
#: An outline is that of a line from this ratio of length to width on.
LINE_RATIO = 3.0
#: A box has a margin where the rectangle around the outline fills less than this share of it.
FILLED_SHARE = 0.7
#: A box that nobody moved is the model's to the rounding of a viewer, px.
_SAME_PX = 0.06


@dataclass(frozen=True, slots=True)
class Size:
    """The size of an indication.

    Attributes:
        length_px, width_px: of the narrowest rectangle around the outline, at any angle, where that is
            closer; else the longer and the shorter side of the box.
        edge_px: how far each end may be off, px; a length is known to twice as much.
        area_px: of its outline, px²; None without one.
        is_along_outline: whether length and width are those of the outline.
    """

    length_px: float
    width_px: float
    edge_px: float = EDGE_PX
    area_px: float | None = None
    is_along_outline: bool = False


def size_of(one: ReadIndication, detections: Sequence[Mapping[str, Any]]) -> Size:
    """The size of an indication; an outline counts as long as nobody moved the model's box.

    Args:
        one: of a reading.
        detections: the model's list that the reading began with.
    """
    return _size(one.bbox, outline_kept(one, detections))


def _size(bbox: Sequence[float], outline: Mapping[str, Any] | None) -> Size:
    """The size that counts of a box, x1, y1, x2, y2, and the outline that belongs to it."""
    x1, y1, x2, y2 = bbox
    width, length = sorted((x2 - x1, y2 - y1))
    if outline is None:
        return Size(length, width)
    area = float(outline["area_px"])
    outlined = float(outline["length_px"]), float(outline["width_px"])
    if not is_closer(*outlined, bbox):
        return Size(length, width, area_px=area)
    return Size(*outlined, float(outline["cell_px"]), area, is_along_outline=True)


def is_closer(length_px: float, width_px: float, bbox: Sequence[float]) -> bool:
    """Whether an outline of this length and width says more of the size than its box, x1, y1, x2, y2."""
    x1, y1, x2, y2 = bbox
    is_line = length_px >= LINE_RATIO * width_px
    return is_line or length_px * width_px < FILLED_SHARE * (x2 - x1) * (y2 - y1)


def outline_kept(one: ReadIndication, detections: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The outline that the model drew for an indication, as its row holds it; None where there is none, or
    a person moved the box.
    """
    if one.model_index is None or not 0 <= one.model_index < len(detections):
        return None
    found = detections[one.model_index]
    is_same = all(abs(a - b) <= _SAME_PX for a, b in zip(found["bbox"], one.bbox, strict=True))
    outline: Mapping[str, Any] | None = found.get("outline")
    return outline if is_same else None


def has_lost_outline(one: ReadIndication, detections: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the model drew an outline that no longer counts, as a person moved the box."""
    if one.model_index is None or not 0 <= one.model_index < len(detections):
        return False
    return detections[one.model_index].get("outline") is not None and outline_kept(one, detections) is None


def size_of_row(found: Mapping[str, Any]) -> dict[str, Any]:
    """The size that counts of a detection as its row holds it: `length_px`, `width_px`, and what it is of."""
    size = _size(found["bbox"], found.get("outline"))
    return {
        "length_px": round(size.length_px, 2),
        "width_px": round(size.width_px, 2),
        "of": "outline" if size.is_along_outline else "box",
    }

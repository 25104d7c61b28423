"""The boxes of an annotation: checked before they are stored, and as the audit log digests them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.errors import BadInputError
from core.domain.records import Annotation

#: On one image.
MOST_BOXES = 5_000


def annotation_content(annotation: Annotation) -> Mapping[str, Any]:
    """The content that the audit log digests."""
    return {
        "image": annotation.image_sha256,
        "track": annotation.track,
        "version": annotation.version,
        "author_id": annotation.author_id,
        "boxes": [dict(box) for box in annotation.boxes],
        "note": annotation.note,
    }


def require_boxes(boxes: Sequence[Mapping[str, Any]], width: int, height: int) -> None:
    """Return when every box has a class and lies within an image of this size, px.

    Raises:
        BadInputError: names the first that does not, counted from 1.
    """
    if len(boxes) > MOST_BOXES:
        raise BadInputError(f"expected at most {MOST_BOXES} boxes on an image, got {len(boxes)}")
    for number, box in enumerate(boxes, 1):
        _require_box(number, box, width, height)


def _require_box(number: int, box: Mapping[str, Any], width: int, height: int) -> None:
    corners = box.get("bbox")
    try:
        x1, y1, x2, y2 = (float(value) for value in corners or ())
    except (TypeError, ValueError):
        raise BadInputError(f"box {number}: expected bbox as x1, y1, x2, y2, got {corners!r}") from None
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise BadInputError(
            f"box {number}: expected corners within {width} x {height} px, left top before right bottom, "
            f"got {x1:g} {y1:g} {x2:g} {y2:g}"
        )
    if not isinstance(box.get("class"), str):
        raise BadInputError(f"box {number}: expected a class, got {box.get('class')!r}")

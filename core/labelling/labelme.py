"""LabelMe's JSON: one file an image, shapes in px from the outer corner of the first pixel.

Rectangles, polygons and rotated rectangles are read, circles by the box around them; points, lines and masks
are named and left out. The picture that LabelMe may put into the file is not looked at.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry
from core.labelling.labelled import LabelledBox, LabelledImage, labelled_box
from core.labelling.outlines import Corner, bounds

_CORNERS = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")


def labelme_json(image: LabelledImage) -> str:
    """The annotation file of an image."""
    shapes: list[dict[str, Any]] = []
    for box in image.boxes:
        x1, y1, x2, y2 = box.bbox
        shapes.append(
            {
                "label": box.label,
                "points": [list(corner) for corner in box.polygon] or [[x1, y1], [x2, y2]],
                "group_id": None,
                "description": "",
                "shape_type": "polygon" if box.polygon else "rectangle",
                "flags": {},
                **box.finer,
            }
        )
    content: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image.file_name,
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
        **({"sha256": image.sha256} if image.sha256 else {}),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def entry_of_labelme(content: Any, name: str) -> LabelEntry:
    """What an annotation file says of its image.

    Args:
        content: the file, parsed.
        name: of it, for messages.

    Raises:
        DatasetError: it is no such file.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("shapes"), list):
        raise DatasetError(f"{name}: expected shapes of LabelMe")
    boxes, refused, notes = [], [], []
    for number, shape in enumerate(content["shapes"], 1):
        try:
            boxes.append(_box(shape))
        except (KeyError, TypeError, AttributeError):
            refused.append(f"shape {number} is not written as LabelMe writes it")
        except ValueError as error:
            refused.append(f"shape {number} {error}")
        else:
            if shape.get("shape_type") == "circle":
                notes.append(f"shape {number}: the box is taken around its circle")
    size = (content.get("imageWidth"), content.get("imageHeight"))
    is_told = all(isinstance(side, int) and side > 0 for side in size)
    digest = content.get("sha256")
    return LabelEntry(
        str(content.get("imagePath") or name.rsplit(".", 1)[0]),
        name,
        tuple(boxes),
        size if is_told else None,  # type: ignore[arg-type]  # numbers, as was just seen
        str(digest) if digest else None,
        tuple(refused),
        tuple(notes),
        "" if is_told else "the file does not say its width and height, so its boxes cannot be placed",
        is_stem=not content.get("imagePath"),
    )


def _box(shape: Mapping[str, Any]) -> LabelledBox:
    """The box of a shape.

    Raises:
        ValueError: it is not understood.
        KeyError, TypeError, AttributeError: it is not written as LabelMe does.
    """
    kind, points = shape.get("shape_type") or "polygon", _points(shape["points"])
    polygon: tuple[Corner, ...] = ()
    if kind in _CORNERS:
        if len(points) < 3:
            raise ValueError("has fewer than three corners")
        polygon = points
        box = bounds(points)
    elif kind == "rectangle" and len(points) in (2, 4):
        box = bounds(points)
        is_turned = len(points) == 4 and not all(x in box[::2] and y in box[1::2] for x, y in points)
        polygon = points if is_turned else ()
    elif kind == "circle" and len(points) == 2:
        (cx, cy), (x, y) = points
        radius = math.hypot(x - cx, y - cy)
        box = (cx - radius, cy - radius, cx + radius, cy + radius)
    else:
        raise ValueError(f"is a {kind}, neither a rectangle nor a polygon")
    if box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("has no area")
    if not str(shape["label"]).strip():
        raise ValueError("has no label")
    return labelled_box(box, str(shape["label"]).strip(), shape.get, polygon)


def _points(points: Sequence[Sequence[float]]) -> tuple[Corner, ...]:
    found = tuple((float(x), float(y)) for x, y in points)
    if not all(math.isfinite(value) for corner in found for value in corner):
        raise ValueError("has a coordinate that is no number")
    return found

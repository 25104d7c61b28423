"""YOLO label files: one line a box, `class cx cy width height` as fractions of the image.

Longer lines are polygons, `class x1 y1 x2 y2 x3 y3 ...`, of which a rotated box is one with four corners; one
more number at the end is a confidence. Fractions are written with all digits of a float (17). Dividing and
multiplying again moves an edge by less than 1e-9 px on images up to 100,000 px: the round trip is not bit for
bit, and it keeps neither ISO 6520-1 numbers nor the size of the image, which is taken from the image itself.
"""

import math
from collections.abc import Mapping, Sequence

import yaml

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage
from core.labelling.outlines import bounds, corners_of

_BOX_VALUES = 4
_LEAST_POLYGON_VALUES = 6
#: Tools round fractions; what lies further beyond the edge was not meant as a fraction.
_BEYOND = 0.01
_ROUNDING_PX = 1e-9


def yolo_text(image: LabelledImage, *, names: Sequence[str] = CLASS_NAMES) -> str:
    """The label file of an image; empty for an image without boxes. Polygons make longer lines.

    Raises:
        DatasetError: a box bears a class that is not among `names`.
    """
    lines = []
    for box in image.boxes:
        if box.label not in names:
            raise DatasetError(f"{image.file_name}: {box.label!r} is none of the classes")
        x1, y1, x2, y2 = box.bbox
        values = [
            (x1 + x2) / 2 / image.width,
            (y1 + y2) / 2 / image.height,
            (x2 - x1) / image.width,
            (y2 - y1) / image.height,
        ]
        if box.polygon:
            values = [v for x, y in box.polygon for v in (x / image.width, y / image.height)]
        lines.append(f"{names.index(box.label)} " + " ".join(map(repr, values)) + "\n")
    return "".join(lines)


def entry_of_yolo(text: str, *, names: Mapping[int, str], name: str, place: str) -> LabelEntry:
    """What a label file says of its image; boxes are fractions of it.

    Args:
        text: of the file.
        names: of the classes, by number.
        name: of the image.
        place: names the label file.
    """
    boxes, refused, n_scored = [], [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if not (fields := line.split()):
            continue
        try:
            boxes.append(_box(fields, names))
        except ValueError as error:
            refused.append(f"line {number}: {error}")
            continue
        n_scored += len(fields) % 2 == 0
    scored = f"{n_scored} lines end in one more number, as those of a model do; they are taken as labels"
    return LabelEntry(
        name,
        place,
        tuple(boxes),
        refused=tuple(refused),
        notes=(scored,) if n_scored else (),
        is_fraction=True,
        is_stem=True,
    )


def _box(fields: Sequence[str], names: Mapping[int, str]) -> LabelledBox:
    """The box of a line.

    Raises:
        ValueError: it is not understood.
    """
    try:
        kind, values = float(fields[0]), [float(value) for value in fields[1:]]
    except ValueError:
        raise ValueError(f"expected numbers with decimal points, got {' '.join(fields)!r:.60}") from None
    if kind != int(kind) or not names.get(int(kind)):
        known = ", ".join(f"{number} {name}" for number, name in names.items() if name)
        raise ValueError(f"there is no class {fields[0]}, only {known}")
    if len(values) < _BOX_VALUES:
        raise ValueError("expected class cx cy width height, or the corners of a polygon")
    if len(values) == _LEAST_POLYGON_VALUES and fields[-1].isdecimal() and values[-1] >= 1:
        raise ValueError("expected a box or corners, got a box with a confidence and the number of a track")
    if len(values) % 2:  # the last one is a confidence
        if not 0 <= values[-1] <= 1:
            raise ValueError(f"expected at the end a confidence from 0 to 1, got {fields[-1]:.20}")
        values = values[:-1]
    if not all(math.isfinite(value) and -_BEYOND <= value <= 1 + _BEYOND for value in values):
        raise ValueError("expected fractions from 0 to 1 of the image, not px")
    if len(values) >= _LEAST_POLYGON_VALUES:
        corners = corners_of(values)
        return LabelledBox(_with_area(bounds(corners)), names[int(kind)], polygon=corners)
    cx, cy, w, h = values
    return LabelledBox(_with_area((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)), names[int(kind)])


def _with_area(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    if box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("expected a box with an area")
    return box


def snapped(
    bbox: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    """The box in px, an edge that rounding put beside the edge of the image on it."""
    x1, y1, x2, y2 = bbox
    x1, y1 = (0.0 if abs(value) < _ROUNDING_PX else value for value in (x1, y1))
    x2 = float(width) if abs(x2 - width) < _ROUNDING_PX else x2
    y2 = float(height) if abs(y2 - height) < _ROUNDING_PX else y2
    return x1, y1, x2, y2


def data_yaml(names: Sequence[str] = CLASS_NAMES) -> str:
    """The description of the set that YOLO trainers read."""
    listed = "".join(f"  {number}: {name}\n" for number, name in enumerate(names))
    return f"path: .\ntrain: images\nval: images\nnames:\n{listed}"


def names_of(text: str) -> dict[int, str]:
    """Names of the classes by number, in a file of one name a line or in a YAML file with `names`.

    An empty line, or a number that the YAML file skips, is a class without a name; it keeps its number.

    Raises:
        DatasetError: there are none, or the file is of keypoints.
    """
    names: object = dict(enumerate(line.strip() for line in text.splitlines()))
    if "names:" in text:
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise DatasetError(f"the class names are not YAML: {str(error).splitlines()[0]}") from error
        if isinstance(content, dict) and "kpt_shape" in content:
            raise DatasetError("the class names are of keypoints, which cannot become boxes")
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            names = dict(enumerate(names))
    try:
        found = {int(number): str(name).strip() for number, name in dict(names).items()}  # type: ignore[call-overload]  # object
    except (TypeError, ValueError):
        found = {}
    if not any(found.values()):
        raise DatasetError("class names: expected one a line, or `names:` in a YAML file")
    return found

"""YOLO label files: one line a box, `class cx cy width height` as fractions of the image.

Fractions are written with all digits of a float (17). Dividing and multiplying again moves an edge by less
than 1e-9 px on images up to 100,000 px: the round trip is not bit for bit, and it keeps neither ISO 6520-1
numbers nor the size of the image, which is taken from the image itself.
"""

from collections.abc import Sequence

from core.domain.errors import DatasetError
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage, checked_box

_FIELDS = 5
_ROUNDING_PX = 1e-9


def yolo_text(image: LabelledImage, *, names: Sequence[str] = CLASS_NAMES) -> str:
    """The label file of an image; empty for an image without boxes.

    Raises:
        DatasetError: a box bears a class that is not among `names`.
    """
    lines = []
    for box in image.boxes:
        if box.label not in names:
            raise DatasetError(f"{image.file_name}: {box.label!r} is none of the classes")
        x1, y1, x2, y2 = box.bbox
        fractions = (
            (x1 + x2) / 2 / image.width,
            (y1 + y2) / 2 / image.height,
            (x2 - x1) / image.width,
            (y2 - y1) / image.height,
        )
        lines.append(f"{names.index(box.label)} " + " ".join(repr(value) for value in fractions) + "\n")
    return "".join(lines)


def boxes_of_yolo(
    text: str, *, names: Sequence[str], width: int, height: int, where: str
) -> tuple[LabelledBox, ...]:
    """The boxes in a label file, in px.

    Args:
        text: of the file; what follows the fifth field of a line, such as a confidence, is ignored.
        names: of the classes, by number.
        width: of the image, px.
        height: of the image, px.
        where: names the file, for messages.

    Raises:
        DatasetError: names the line that is not understood.
    """
    boxes = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        at = f"{where}, line {number}"
        try:
            kind, (cx, cy, w, h) = int(fields[0]), (float(value) for value in fields[1:_FIELDS])
            label = names[kind] if kind >= 0 else None
        except (ValueError, IndexError):
            label = None
        if label is None:
            raise DatasetError(f"{at}: expected class cx cy width height, the class below {len(names)}")
        corners = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
        boxes.append(LabelledBox(_snapped(checked_box(corners, at), width, height), label))
    return tuple(boxes)


def _snapped(
    bbox: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    """The box, an edge that rounding put beside the edge of the image on it."""
    x1, y1, x2, y2 = bbox
    x1, y1 = (0.0 if abs(value) < _ROUNDING_PX else value for value in (x1, y1))
    x2 = float(width) if abs(x2 - width) < _ROUNDING_PX else x2
    y2 = float(height) if abs(y2 - height) < _ROUNDING_PX else y2
    return x1, y1, x2, y2


def data_yaml(names: Sequence[str] = CLASS_NAMES) -> str:
    """The description of the set that YOLO trainers read."""
    listed = "".join(f"  {number}: {name}\n" for number, name in enumerate(names))
    return f"path: .\ntrain: images\nval: images\nnames:\n{listed}"


def names_of(text: str) -> tuple[str, ...]:
    """The class names in a `classes.txt`, one a line, or in a `data.yaml` with a list or a numbered map.

    Raises:
        DatasetError: there are none.
    """
    import yaml

    try:
        content = yaml.safe_load(text) if "names:" in text else text.split("\n")
    except yaml.YAMLError as error:
        raise DatasetError(f"the class names are not YAML: {str(error).splitlines()[0]}") from error
    names = content.get("names") if isinstance(content, dict) else content
    if isinstance(names, dict):
        numbers = sorted(int(number) for number in names)
        if numbers != list(range(len(numbers))):
            raise DatasetError("class names: expected numbers from 0 without a gap")
        names = [names[number] for number in numbers]
    if not isinstance(names, list) or not any(str(one).strip() for one in names):
        raise DatasetError("class names: expected one a line, or `names:` in data.yaml")
    return tuple(str(one).strip() for one in names if str(one).strip())

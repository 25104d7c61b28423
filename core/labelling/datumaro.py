"""Datumaro's JSON: items with boxes and polygons, classes by number. Masks and other shapes are left out."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage, labelled_box
from core.labelling.outlines import Corner, bounds, corners_of, rotated_box


def datumaro_chunks(
    images: Iterable[LabelledImage], *, names: tuple[str, ...] = CLASS_NAMES
) -> Iterator[str]:
    """The text of a file of items, an image at a time.

    A box whose right edge x + width misses by rounding comes back within one unit in the last place.

    Raises:
        DatasetError: a box bears a class that is not among `names`.
    """
    labels = [{"name": name, "parent": "", "attributes": []} for name in names]
    categories = {"label": {"labels": labels, "attributes": []}}
    yield f'{{"info": {{}}, "categories": {json.dumps(categories)}, "items": ['
    for number, image in enumerate(images):
        annotations = [_annotation(n, box, image, names) for n, box in enumerate(image.boxes)]
        attributes = {"sha256": image.sha256} if image.sha256 else {}
        picture = {"path": image.file_name, "size": [image.height, image.width]}
        item = {"id": image.file_name.rsplit(".", 1)[0], "annotations": annotations, "attr": attributes,
                "image": picture}  # fmt: skip
        yield (",\n" if number else "\n") + json.dumps(item, ensure_ascii=False)
    yield "\n]}\n"


def _annotation(number: int, box: LabelledBox, image: LabelledImage, names: Sequence[str]) -> dict[str, Any]:
    if box.label not in names:
        raise DatasetError(f"{image.file_name}: {box.label!r} is none of the classes")
    x1, y1, x2, y2 = box.bbox
    shape: dict[str, Any] = {"type": "bbox", "bbox": [x1, y1, x2 - x1, y2 - y1]}
    if box.polygon:
        shape = {"type": "polygon", "points": [value for corner in box.polygon for value in corner]}
    return {
        "id": number,
        "attributes": box.finer,
        "group": 0,
        "label_id": names.index(box.label),
        "z_order": 0,
        **shape,
    }


def entries_of_datumaro(content: Any, name: str) -> LabelFile:
    """What a file of items says, image by image.

    Args:
        content: the file, parsed.
        name: of it, for messages.

    Raises:
        DatasetError: it is no file of items.
    """
    try:
        names = [str(one["name"]) for one in content["categories"]["label"]["labels"]]
        items = list(content["items"])
        entries = tuple(_entry(item, names, name) for item in items)
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{name}: expected items and categories of Datumaro") from error
    return LabelFile(LabelFormat.DATUMARO, entries)


def _entry(item: Mapping[str, Any], names: Sequence[str], name: str) -> LabelEntry:
    picture = item.get("image") or item.get("media") or {}
    boxes, refused = [], []
    for number, one in enumerate(item["annotations"], 1):
        try:
            boxes.append(_box(one, names))
        except ValueError as error:
            refused.append(f"annotation {number} {error}")
    size: tuple[int, int] | None = None
    problem = "the file does not say its width and height, so its boxes cannot be placed"
    if isinstance(told := picture.get("size"), list) and len(told) == 2:
        size, problem = (int(told[1]), int(told[0])), ""
    digest = (item.get("attr") or {}).get("sha256")
    path = str(picture.get("path") or "")
    return LabelEntry(
        path or str(item["id"]),
        f"item {item['id']} of {name}",
        tuple(boxes),
        size,
        str(digest) if digest else None,
        tuple(refused),
        problem=problem,
        is_stem=not path,
    )


def _box(one: Mapping[str, Any], names: Sequence[str]) -> LabelledBox:
    """The box of an annotation.

    Raises:
        ValueError: it is not understood.
    """
    number, kind = one.get("label_id"), one.get("type")
    if not isinstance(number, int) or not 0 <= number < len(names):
        raise ValueError(f"names the class {number!r}, which the file does not declare")
    polygon: tuple[Corner, ...] = ()
    try:
        told = one.get("attributes") or {}
        if kind == "bbox":
            x, y, w, h = (float(value) for value in one["bbox"])
            box = (x, y, x + w, y + h)
            if turned := float(told.get("rotation") or 0) % 360:
                polygon = rotated_box(box, turned)
                box = bounds(polygon)
        elif kind == "polygon":
            polygon = corners_of(one["points"])
            box = bounds(polygon)
        else:
            raise ValueError(f"is a {kind}, neither a box nor a polygon")
    except (KeyError, TypeError, AttributeError):
        raise ValueError("is not written as Datumaro writes it") from None
    if not all(map(math.isfinite, box)) or box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("has no area")
    return labelled_box(box, names[number], told.get, polygon)

"""COCO detection files of labels: written in chunks, read back exactly, also those of CVAT and Label Studio.

A COCO box is [x, y, width, height] from the outer corner of the first pixel. Our own additions are `sha256`
on an image, `attributes.iso6520` or `attributes.kind` on an annotation, and `corners` [x1, y1, x2, y2] where
x + width is not the right edge to the last bit; other tools keep or ignore them. Corners count only while
they agree with the box, which another tool may have changed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage, checked_box

#: Corners that differ more from the box are of another box.
_AGREES_PX = 1e-6


def coco_chunks(
    listed: Iterable[LabelledImage],
    labelled: Iterable[LabelledImage],
    *,
    names: tuple[str, ...] = CLASS_NAMES,
) -> Iterator[str]:
    """The text of a COCO file, a piece at a time; at no time more than one image is in memory.

    Args:
        listed: the images; their boxes are not looked at.
        labelled: the same images in the same order, with their boxes; begun when `listed` is at its end.
        names: of the categories, numbered from 1.

    Raises:
        DatasetError: a box bears a class that is not among `names`.
    """
    numbers = {name: number for number, name in enumerate(names, 1)}
    categories = [
        {"id": number, "name": name, "supercategory": "indication"} for name, number in numbers.items()
    ]
    yield '{"info": {"description": "RadiKal labels"}, "licenses": [], "categories": '
    yield json.dumps(categories)
    yield ',\n"images": ['
    yield from _joined(_entry(n, image) for n, image in enumerate(listed, 1))
    yield '],\n"annotations": ['
    yield from _joined(_annotations(labelled, numbers))
    yield "]}\n"


def images_of_coco(content: Any, name: str) -> list[LabelledImage]:
    """The images of a parsed COCO file with their boxes, in its order.

    Segmentations, masks, crowds, tracks and scores are ignored; a box that is missing is taken from the
    polygons around it. Category ids may begin anywhere. Annotations without an area are left out, as CVAT
    writes them for points.

    Args:
        content: the file, parsed.
        name: of the file, for messages.

    Raises:
        DatasetError: the content contradicts itself.
    """
    try:
        labels = {one["id"]: str(one["name"]) for one in content["categories"]}
        boxes: dict[Any, list[LabelledBox]] = {image["id"]: [] for image in content["images"]}
        for annotation in content["annotations"]:
            if (box := _box(annotation, labels, name)) is not None:
                boxes[annotation["image_id"]].append(box)
        return [_image(entry, boxes[entry["id"]]) for entry in content["images"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(
            f"{name}: not a COCO detection file: {type(error).__name__} {error}; expected images, "
            "annotations with bbox [x, y, width, height], and categories"
        ) from error


def _entry(number: int, image: LabelledImage) -> str:
    entry = {"id": number, "file_name": image.file_name, "width": image.width, "height": image.height}
    return json.dumps(entry if image.sha256 is None else {**entry, "sha256": image.sha256})


def _annotations(images: Iterable[LabelledImage], numbers: Mapping[str, int]) -> Iterator[str]:
    number = 0
    for image_id, image in enumerate(images, 1):
        for box in image.boxes:
            if box.label not in numbers:
                raise DatasetError(f"{image.file_name}: {box.label!r} is none of the categories")
            number += 1
            x1, y1, x2, y2 = box.bbox
            w, h = x2 - x1, y2 - y1
            annotation = {
                "id": number,
                "image_id": image_id,
                "category_id": numbers[box.label],
                "bbox": [x1, y1, w, h],
                "area": w * h,
                "iscrowd": 0,
                "segmentation": [],
            }
            if (x1 + w, y1 + h) != (x2, y2):
                annotation["corners"] = list(box.bbox)
            attributes = {"iso6520": box.iso6520, "kind": box.kind}
            if told := {name: value for name, value in attributes.items() if value is not None}:
                annotation["attributes"] = told
            yield json.dumps(annotation)


def _joined(parts: Iterable[str]) -> Iterator[str]:
    for n, part in enumerate(parts):
        yield f",\n{part}" if n else part


def _image(entry: Mapping[str, Any], boxes: list[LabelledBox]) -> LabelledImage:
    digest = entry.get("sha256")
    return LabelledImage(
        file_name=str(entry["file_name"]),
        width=int(entry["width"]),
        height=int(entry["height"]),
        boxes=tuple(boxes),
        sha256=str(digest) if digest else None,
    )


def _box(annotation: Mapping[str, Any], labels: Mapping[Any, str], name: str) -> LabelledBox | None:
    corners = _corners(annotation)
    if corners is None:
        return None
    attributes = annotation.get("attributes") or {}
    code, kind = attributes.get("iso6520"), attributes.get("kind")
    where = f"{name}: annotation {annotation.get('id', 'without id')}"
    return LabelledBox(
        checked_box(corners, where),
        labels[annotation["category_id"]],
        str(code) if code else None,
        str(kind) if kind else None,
    )


def _corners(annotation: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """The corners of the box, else of the polygons; None without an area."""
    if bbox := annotation.get("bbox"):
        x, y, w, h = (float(value) for value in bbox)
        told = (x, y, x + w, y + h)
        x1, y1, x2, y2 = (float(value) for value in annotation.get("corners") or told)
        if max(abs(a - b) for a, b in zip((x1, y1, x2, y2), told, strict=True)) < _AGREES_PX:
            told = (x1, y1, x2, y2)
        return None if w == 0 or h == 0 else told
    polygons = annotation.get("segmentation")
    if not isinstance(polygons, list) or not polygons:
        return None  # a mask (RLE) without its box, or nothing
    flat = [float(value) for polygon in polygons for value in polygon]
    xs, ys = flat[0::2], flat[1::2]
    corners = (min(xs), min(ys), max(xs), max(ys))
    return None if corners[0] == corners[2] or corners[1] == corners[3] else corners

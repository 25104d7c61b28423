"""COCO detection files of labels: written in chunks, read back exactly, also those of CVAT and Label Studio.

A COCO box is [x, y, width, height] from the outer corner of the first pixel. Our own additions are `sha256`
on an image, `attributes.iso6520` or `attributes.kind` on an annotation, and `corners` [x1, y1, x2, y2] where
x + width is not the right edge to the last bit; other tools keep or ignore them. Corners count only while
they agree with the box, which another tool may have changed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.coco_annotations import CocoAnnotation, Standing, coco_content, size_of
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage, labelled_box


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


def entries_of_coco(content: Any, name: str) -> LabelFile:
    """What the parsed content of a COCO file says, image by image.

    Masks count by the box around them, tracks and keypoints not at all. Crowds, boxes without an area and
    what contradicts itself are left out and named.

    Args:
        content: the file, parsed.
        name: of the file, for messages.

    Raises:
        DatasetError: it is no COCO file.
    """
    read = coco_content(content, name)
    by_image: list[list[CocoAnnotation]] = [[] for _ in read.images]
    refused = []
    for one in read.annotations:
        if one.image is None:
            refused.append(f"{name}: {one.words} {one.fault}")
        else:
            by_image[one.image].append(one)
    entries = tuple(
        _labelled(image, found, name, says_boxes=read.says_boxes, is_doubled=number in read.doubled)
        for number, (image, found) in enumerate(zip(read.images, by_image, strict=True))
    )
    n_scores = sum("score" in one.entry for one in read.annotations if one.standing is Standing.COUNTS)
    notes = (f"{name}: {n_scores} boxes bear a score, as those of a model do; they are taken as labels",)
    return LabelFile(LabelFormat.COCO, entries, tuple(refused), notes if n_scores else ())


def _labelled(
    image: Mapping[str, Any],
    found: Sequence[CocoAnnotation],
    name: str,
    *,
    says_boxes: bool,
    is_doubled: bool,
) -> LabelEntry:
    size = size_of(image)
    problem = ""
    if not says_boxes:
        problem = "the file has no annotations, so it does not say whether anything was found"
    elif is_doubled:
        problem = f"another image of the file bears the id {image['id']}, too: whose are the boxes?"
    elif size is None:
        problem = "the file does not say its width and height, so its boxes cannot be placed"
    counted = [one for one in found if one.standing is Standing.COUNTS]
    digest = image.get("sha256")
    return LabelEntry(
        name=str(image["file_name"]),
        place=f"image {image['id']} of {name}",
        boxes=tuple(_box(one) for one in counted),
        size=size,
        sha256=str(digest) if digest else None,
        refused=tuple(f"{one.words} {one.fault}" for one in found if one.standing is not Standing.COUNTS),
        notes=tuple(f"{one.words}: {one.note}" for one in counted if one.note),
        problem=problem,
    )


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
                "segmentation": [[value for corner in box.polygon for value in corner]]
                if box.polygon
                else [],
            }
            if (x1 + w, y1 + h) != (x2, y2):
                annotation["corners"] = list(box.bbox)
            if box.finer:
                annotation["attributes"] = box.finer
            yield json.dumps(annotation)


def _joined(parts: Iterable[str]) -> Iterator[str]:
    for n, part in enumerate(parts):
        yield f",\n{part}" if n else part


def _box(one: CocoAnnotation) -> LabelledBox:
    attributes = one.entry.get("attributes")
    told = attributes if isinstance(attributes, Mapping) else {}
    assert one.box is not None  # it counts
    return labelled_box(one.box, one.label, told.get, one.polygon)

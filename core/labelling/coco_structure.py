"""Checks of a COCO file by itself, before its images are looked at."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.labelling.coco import CocoDataset
from core.labelling.finding import Box, DataIssue, FindingKind, error, warning

#: Class names with a meaning here; "defect" says that the kind was not recorded.
KNOWN_CLASSES = frozenset({*(c.value for c in IndicationClass), "defect"})


def split_sound(content: Any, name: str) -> tuple[dict[str, Any], list[DataIssue]]:
    """The content of a COCO file without the annotations that cannot be read, and what is wrong with those.

    Args:
        content: a parsed COCO file.
        name: of the file, for messages.

    Raises:
        DatasetError: when it is no COCO file, or an image or a class has no id and name.
    """
    try:
        images = {entry["id"]: str(entry["file_name"]) for entry in content["images"]}
        classes = {entry["id"] for entry in content["categories"] if str(entry["name"])}
        annotations: Sequence[Mapping[str, Any]] = list(content["annotations"])
        faults = [_fault(entry, images, classes) for entry in annotations]
    except (KeyError, TypeError, AttributeError) as fault:
        raise DatasetError(
            f"{name}: not a COCO detection file: {type(fault).__name__} {fault}; expected images, "
            "annotations with bbox [x, y, width, height], and categories"
        ) from fault
    sound = [entry for entry, fault in zip(annotations, faults, strict=True) if fault is None]
    found = [fault for fault in faults if fault is not None]
    found += _listed_twice(content["images"])
    return {**content, "annotations": sound}, found


def class_findings(datasets: Sequence[CocoDataset]) -> list[DataIssue]:
    """Classes that no box of any of the files bears, and classes whose name means nothing here: warnings."""
    declared = {name for dataset in datasets for name in dataset.categories}
    used = {label for dataset in datasets for image in dataset.images for label in image.labels}
    found = [
        warning(FindingKind.EMPTY_CLASS, f"{name!r} is declared and no box bears it")
        for name in sorted(declared - used)
    ]
    expected = ", ".join(sorted(KNOWN_CLASSES))
    return found + [
        warning(FindingKind.UNKNOWN_CLASS, f"{name!r} teaches no class: expected one of {expected}")
        for name in sorted(declared - KNOWN_CLASSES)
    ]


def _fault(entry: Mapping[str, Any], images: Mapping[Any, str], classes: set[Any]) -> DataIssue | None:
    label = f"annotation {entry.get('id', 'without id')}"
    if entry["image_id"] not in images:
        return error(FindingKind.UNKNOWN_IMAGE, f"{label} names the image {entry['image_id']!r}")
    image, box = images[entry["image_id"]], _xyxy(entry["bbox"])
    if box is None:
        return error(FindingKind.WITHOUT_AREA, f"{label} has the bbox {entry['bbox']!r}", image)
    if entry["category_id"] not in classes:
        message = f"{label} names the class {entry['category_id']!r}, which the file does not declare"
        return error(FindingKind.UNKNOWN_CLASS, message, image, box)
    return None


def _xyxy(bbox: Any) -> Box | None:
    """The box; None when it is not four finite numbers or has a negative side."""
    is_number = isinstance(bbox, list) and all(isinstance(v, int | float) and math.isfinite(v) for v in bbox)
    if not is_number or len(bbox) != 4 or min(bbox[2:]) < 0:
        return None
    x, y, width, height = bbox
    return (x, y, x + width, y + height)


def _listed_twice(images: Sequence[Mapping[str, Any]]) -> Iterator[DataIssue]:
    for key in ("id", "file_name"):
        counts = Counter(entry[key] for entry in images)
        for entry in images:
            if counts[entry[key]] > 1:
                yield error(FindingKind.LISTED_TWICE, f"{key} {entry[key]!r} again", str(entry["file_name"]))

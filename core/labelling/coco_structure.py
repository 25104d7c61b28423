"""Checks of a COCO file by itself, before its images are looked at."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.labelling.coco import CocoDataset, dataset_of, listed_twice
from core.labelling.coco_annotations import CocoContent, Standing, coco_content
from core.labelling.finding import DataIssue, FindingKind, error, warning

#: Class names with a meaning here; "defect" says that the kind was not recorded.
KNOWN_CLASSES = frozenset({*(c.value for c in IndicationClass), "defect"})


def split_sound(content: Any, name: str) -> tuple[CocoDataset, list[DataIssue]]:
    """The dataset in a COCO file without the annotations that cannot be read, and what is wrong with those.

    Args:
        content: a parsed COCO file.
        name: of the file, for messages.

    Raises:
        DatasetError: when it is no COCO file, or an image or a class has no id and name, or an image no size.
    """
    read = coco_content(content, name)
    if not read.says_boxes:
        raise DatasetError(f"{name}: no annotations; expected a list, which may be empty")
    found = [*_faults(read)]
    for image in listed_twice(read.images):
        found.append(error(FindingKind.LISTED_TWICE, "listed again in the same file", image))
    return dataset_of(read, name), found


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


def _faults(read: CocoContent) -> Iterator[DataIssue]:
    for one in read.annotations:
        if one.standing is Standing.COUNTS or one.kind is None:
            continue
        image = None if one.image is None else str(read.images[one.image]["file_name"])
        report = warning if one.standing is Standing.IGNORED else error
        yield report(one.kind, f"{one.words} {one.fault}", image, one.box)

from typing import Any

import pytest

from core.domain.errors import DatasetError
from core.labelling.coco import dataset_from
from core.labelling.coco_structure import class_findings, split_sound
from core.labelling.finding import FindingKind

IMAGE = {"id": 1, "file_name": "a.png", "width": 10, "height": 8}
BOX = {"id": 5, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}
GOOD: dict[str, Any] = {"images": [IMAGE], "annotations": [BOX], "categories": [{"id": 3, "name": "crack"}]}


def test_a_sound_file_stays_as_it_is() -> None:
    dataset, found = split_sound(GOOD, "c.json")
    assert found == []
    assert dataset.images[0].annotations == (BOX,)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"image_id": 9}, FindingKind.UNKNOWN_IMAGE, "annotation 5 names the image 9"),
        ({"category_id": 9}, FindingKind.UNKNOWN_CLASS, "annotation 5 names the class 9"),
        ({"bbox": [1, 2, -3, 4]}, FindingKind.WITHOUT_AREA, "[1, 2, -3, 4]"),
        ({"bbox": [1, 2, 3]}, FindingKind.WITHOUT_AREA, "[1, 2, 3]"),
        ({"bbox": [1, 2, 3, float("nan")]}, FindingKind.WITHOUT_AREA, "nan"),
        ({"bbox": "1 2 3 4"}, FindingKind.WITHOUT_AREA, "1 2 3 4"),
    ],
)
def test_annotations_that_cannot_be_read_are_taken_out_and_named(
    change: dict[str, Any], kind: FindingKind, message: str
) -> None:
    dataset, (found,) = split_sound(GOOD | {"annotations": [BOX, BOX | change]}, "c.json")
    assert [dict(one) for one in dataset.images[0].annotations] == [BOX]
    assert (found.kind, found.is_error) == (kind, True)
    assert message in found.message
    assert len(dataset.images[0].boxes) == 1


def test_an_image_that_is_listed_twice_is_named_each_time() -> None:
    _, found = split_sound(GOOD | {"images": [IMAGE, IMAGE | {"id": 2}]}, "c.json")
    assert [(f.kind, f.image) for f in found] == [(FindingKind.LISTED_TWICE, "a.png")]


@pytest.mark.parametrize("content", [{"images": []}, [], None, GOOD | {"annotations": [1]}])
def test_what_is_no_coco_file_is_one_clear_error(content: Any) -> None:
    with pytest.raises(DatasetError, match=r"c\.json: .*not a COCO detection file"):
        split_sound(content, "c.json")


def test_classes_without_a_box_in_any_file_and_without_a_meaning_are_warned_of() -> None:
    categories = [{"id": 3, "name": "crack"}, {"id": 4, "name": "undercut"}, {"id": 5, "name": "scratch"}]
    empty = dataset_from(GOOD | {"annotations": []}, "empty.json")
    many = dataset_from(GOOD | {"categories": categories}, "many.json")
    found = class_findings([empty, many])
    assert not any(f.is_error for f in found)
    assert [(f.kind, f.message.split()[0]) for f in found] == [
        (FindingKind.EMPTY_CLASS, "'scratch'"),
        (FindingKind.EMPTY_CLASS, "'undercut'"),
        (FindingKind.UNKNOWN_CLASS, "'scratch'"),
    ]
    assert class_findings([dataset_from(GOOD, "good.json"), empty]) == []

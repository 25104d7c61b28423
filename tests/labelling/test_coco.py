import json

import pytest

from core.domain.errors import DatasetError
from core.labelling.coco import read_coco

IMAGE = {"id": 1, "file_name": "a.png", "width": 10, "height": 8, "series": "S", "kv": 120}
BOX = {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}
GOOD = {"images": [IMAGE], "annotations": [BOX], "categories": [{"id": 3, "name": "crack"}]}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_boxes_become_xyxy_with_their_label_and_extras(tmp_path):
    image = read_coco(write(tmp_path / "c.json", GOOD)).images[0]
    assert image.boxes.tolist() == [[1, 2, 4, 6]]
    assert image.labels == ("crack",)
    assert (image.series, image.parent_film) == ("S", None)
    assert dict(image.extra) == {"kv": 120}


def test_an_image_without_annotations_has_no_boxes(tmp_path):
    assert read_coco(write(tmp_path / "c.json", GOOD | {"annotations": []})).images[0].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ({"images": []}, "not a COCO detection file"),
        (GOOD | {"annotations": [BOX | {"image_id": 9}]}, "not a COCO detection file"),
        (GOOD | {"annotations": [BOX | {"category_id": 9}]}, "not a COCO detection file"),
        (GOOD | {"annotations": [BOX | {"bbox": [1, 2, -3, 4]}]}, "negative size"),
        (GOOD | {"annotations": [BOX | {"bbox": [1, 2, 3]}]}, "not a COCO detection file"),
    ],
)
def test_a_file_that_contradicts_itself_is_one_clear_error(tmp_path, content, message):
    with pytest.raises(DatasetError, match=message):
        read_coco(write(tmp_path / "c.json", content))


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot read"):
        read_coco(tmp_path / "none.json")

import json
import unicodedata

import pytest

from core.domain.errors import DatasetError
from core.labelling.coco import file_in, read_coco

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
        ({"images": []}, "not a COCO detection file: 'categories' is missing"),
        ([BOX], "a list of results, not a COCO detection file"),
        ({"images": [IMAGE], "categories": []}, "no annotations; expected a list"),
        (GOOD | {"annotations": [BOX | {"image_id": 9}]}, "annotation without id names the image 9"),
        (GOOD | {"annotations": [BOX | {"category_id": 9}]}, "names the class 9"),
        (GOOD | {"annotations": [BOX | {"category_id": None}]}, "names the class None"),
        (GOOD | {"annotations": [BOX | {"bbox": [1, 2, -3, 4]}]}, r"has the bbox \[1, 2, -3, 4\]"),
        (GOOD | {"annotations": [BOX | {"bbox": [1, float("nan"), 3, 4]}]}, "has the bbox"),
        (GOOD | {"annotations": [BOX | {"bbox": [1, 2, 3]}]}, "has the bbox"),
        (GOOD | {"annotations": [BOX | {"bbox": None}]}, "neither a box nor an outline"),
        (GOOD | {"images": [IMAGE, IMAGE | {"id": 2}]}, "the image a.png is listed twice"),
        (GOOD | {"images": [IMAGE, IMAGE | {"file_name": "b.png"}]}, "the image b.png is listed twice"),
        (GOOD | {"images": [{"id": 1, "file_name": "a.png"}]}, "a.png does not say its size"),
    ],
)
def test_a_file_that_contradicts_itself_is_one_clear_error(tmp_path, content, message):
    with pytest.raises(DatasetError, match=message):
        read_coco(write(tmp_path / "c.json", content))


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot read"):
        read_coco(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"iscrowd": 1}, "is a crowd of several"),
        ({"iscrowd": 1, "bbox": None, "segmentation": {"counts": [0, 10], "size": [8, 10]}}, "is a crowd"),
        ({"ignore": 1}, "is marked to be ignored"),
        ({"bbox": [1, 2, 0, 4]}, "has no area"),
        ({"bbox": [], "segmentation": []}, "has no area"),
        ({"bbox": [400, 300, 20, 20]}, "lies outside of the image of 10x8 px"),
        ({"bbox": [1e30, 0, 1e30, 5]}, "lies outside"),
    ],
)
def test_what_is_neither_found_nor_missed_is_left_out_and_told(tmp_path, change, told):
    path = write(tmp_path / "c.json", GOOD | {"annotations": [BOX, BOX | {"id": 4} | change]})
    told_lines = []
    dataset = read_coco(path, tell=told_lines.append)
    assert dataset.images[0].boxes.tolist() == [[1, 2, 4, 6]]
    (line,) = told_lines
    assert line.startswith("a.png: annotation 4 ")
    assert told in line
    is_region = "iscrowd" in change or "ignore" in change
    assert len(dataset.images[0].ignored) == is_region
    if not is_region:
        with pytest.raises(DatasetError, match=told):
            read_coco(path)


@pytest.mark.parametrize("change", [{"bbox": ["1", "2", "3", "4"]}, {"image_id": "1", "category_id": "3"},
                                    {"bbox": [], "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]}, {"id": 1},
                                    {"segmentation": [[1, 2, 4, 2, 4, 6]], "attributes": []}])  # fmt: skip
def test_what_is_certain_is_read_however_it_is_written(tmp_path, change):
    entry = {key: value for key, value in (BOX | change).items() if value != []}
    dataset = read_coco(write(tmp_path / "c.json", GOOD | {"annotations": [entry]}))
    assert dataset.images[0].boxes.tolist() == [[1, 2, 4, 6]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_and_utf_16_are_read(tmp_path, encoding):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(GOOD, ensure_ascii=False), encoding=encoding)
    assert read_coco(path).images[0].file_name == "a.png"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("sub\\c.png", "sub/c.png"),
        ("C:\\x\\img\\a.png", "a.png"),
        ("/img/sub/c.png", "sub/c.png"),
        (unicodedata.normalize("NFD", "Naht_Öl.png"), unicodedata.normalize("NFC", "Naht_Öl.png")),
        ("none.png", "none.png"),
    ],
)
def test_images_are_found_by_the_names_of_other_systems(tmp_path, written, found):
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/c.png", unicodedata.normalize("NFC", "Naht_Öl.png")):
        (tmp_path / name).touch()
    assert file_in(tmp_path, written) == found

"""Labels in and out as COCO, YOLO and Pascal VOC: the round trip, and files as other tools write them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.labelling.coco_exchange import coco_chunks, images_of_coco
from core.labelling.labelled import (
    CLASS_NAMES,
    LabelledBox,
    LabelledImage,
    class_of_label,
    code_of_label,
    file_names,
    kind_of_label,
    possible_names,
)
from core.labelling.voc import image_of_voc, voc_xml
from core.labelling.yolo import boxes_of_yolo, data_yaml, names_of, yolo_text

SIZES = st.integers(2, 100_000)
#: A box narrower than this is no label; the editor's smallest is 2 px.
LEAST_PX = 1e-3


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int) -> LabelledBox:
    def side(size: int) -> tuple[float, float]:
        low = draw(st.floats(0, size - LEAST_PX))
        return low, draw(st.floats(min(float(size), low + LEAST_PX), size))

    (x1, x2), (y1, y2) = side(width), side(height)
    code = draw(st.sampled_from([None, "2011", "4021"]))
    return LabelledBox((x1, y1, x2, y2), draw(st.sampled_from(CLASS_NAMES)), code)


@st.composite
def images(draw: st.DrawFn) -> LabelledImage:
    width, height = draw(SIZES), draw(SIZES)
    found = draw(st.lists(boxes(width, height), max_size=4))
    name = draw(st.sampled_from(["film 1.tif", "α&<weld>.png", "a,b.dcm"]))
    return LabelledImage(name, width, height, tuple(found), draw(st.sampled_from([None, "ab" * 32])))


@given(st.lists(images(), max_size=3))
def test_coco_gives_back_the_same_floats(written: list[LabelledImage]) -> None:
    text = "".join(coco_chunks(written, written))
    assert images_of_coco(json.loads(text), "labels.json") == written


@given(images())
def test_voc_gives_back_the_same_floats(image: LabelledImage) -> None:
    assert image_of_voc(voc_xml(image), "a.xml") == image


@given(images())
def test_yolo_gives_the_boxes_back_to_a_billionth_of_a_px(image: LabelledImage) -> None:
    text = yolo_text(image)
    names = names_of(data_yaml())
    read = boxes_of_yolo(text, names=names, width=image.width, height=image.height, where="a.txt")
    assert [one.label for one in read] == [one.label for one in image.boxes]
    for one, other in zip(read, image.boxes, strict=True):
        assert one.bbox == pytest.approx(other.bbox, rel=0, abs=1e-9)
        assert one.bbox[0] + 1e-9 >= 0
        assert one.bbox[2] <= image.width + 1e-9


def test_corners_count_only_while_they_agree_with_the_box() -> None:
    image = LabelledImage(
        "a.png", 2, 66, (LabelledBox((0, 1.2612891258897818, 1, 65.66263145608723), "crack"),)
    )
    content = json.loads("".join(coco_chunks([image], [image])))
    (annotation,) = content["annotations"]
    assert annotation["corners"] == list(image.boxes[0].bbox)
    annotation["bbox"] = [0, 2, 1, 20]
    assert images_of_coco(content, "labels.json")[0].boxes[0].bbox == (0, 2, 1, 22)


def test_voc_counts_from_one_and_includes_the_last_pixel() -> None:
    image = LabelledImage("a.png", 100, 50, (LabelledBox((0, 4.5, 10, 50), "crack", "1011"),))
    text = voc_xml(image)
    for expected in ("<xmin>1</xmin>", "<ymin>5.5</ymin>", "<xmax>10</xmax>", "<ymax>50</ymax>"):
        assert expected in text
    (box,) = image_of_voc(text, "a.xml", origin=0).boxes
    assert box.bbox == (1, 5.5, 10, 50)


CVAT = {
    "licenses": [{"name": "", "id": 0, "url": ""}],
    "info": {"contributor": "", "date_created": "", "description": ""},
    "categories": [{"id": 1, "name": "crack", "supercategory": ""}],
    "images": [
        {"id": 1, "width": 400, "height": 300, "file_name": "task/film.png", "license": 0, "flickr_url": "",
         "coco_url": "", "date_captured": 0},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "area": 200.0,
         "bbox": [10.5, 20.0, 20.0, 10.0], "iscrowd": 0, "attributes": {"occluded": False, "rotation": 0.0}},
        {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"counts": [0, 10], "size": [300, 400]},
         "area": 9.0, "bbox": [1.0, 2.0, 3.0, 3.0], "iscrowd": 1, "attributes": {}},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [], "area": 0.0,
         "bbox": [5.0, 5.0, 0.0, 0.0], "iscrowd": 0},
    ],
}  # fmt: skip
LABEL_STUDIO = {
    "images": [{"width": 400, "height": 300, "id": 0, "file_name": "images/0f3a9c1e-film%201.png"}],
    "categories": [{"id": 0, "name": "porosity"}, {"id": 1, "name": "Lack_of_fusion"}],
    "annotations": [
        {"id": 0, "image_id": 0, "category_id": 1, "segmentation": [], "bbox": [1.25, 2.5, 10, 20],
         "ignore": 0, "iscrowd": 0, "area": 200},
        {"id": 1, "image_id": 0, "category_id": 0, "bbox": [], "ignore": 0, "iscrowd": 0, "area": 4,
         "segmentation": [[5, 5, 9, 5, 9, 11, 5, 11]]},
    ],
    "info": {"year": 2026, "version": "1.0", "description": "", "contributor": "Label Studio"},
}  # fmt: skip


def test_coco_as_cvat_writes_it() -> None:
    (image,) = images_of_coco(CVAT, "instances_default.json")
    assert [one.bbox for one in image.boxes] == [(10.5, 20.0, 30.5, 30.0), (1.0, 2.0, 4.0, 5.0)]
    assert [name for name, _ in possible_names(image.file_name)] == ["task/film.png", "film.png"]


def test_coco_as_label_studio_writes_it() -> None:
    (image,) = images_of_coco(LABEL_STUDIO, "result.json")
    assert [one.bbox for one in image.boxes] == [(1.25, 2.5, 11.25, 22.5), (5, 5, 9, 11)]
    assert class_of_label(image.boxes[0].label) is IndicationClass.LACK_OF_FUSION
    assert list(possible_names(image.file_name))[-1] == ("film 1.png", "0f3a9c1e")


@pytest.mark.parametrize(
    "change",
    [
        {"categories": None},
        {"images": [{"id": 1}]},
        {"annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, -3, 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, float("nan"), 4]}]},
        {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2]}]},
    ],
)
def test_a_coco_file_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match=r"labels\.json"):
        images_of_coco({**CVAT, **change}, "labels.json")


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.1", "9 0.5 0.5 0.1 0.1", "-1 .5 .5 .1 .1", "0 a .5 .1 .1",
                                  "0 .5 .5 0 .1", "0 .5 nan .1 .1"])  # fmt: skip
def test_a_yolo_line_that_is_not_understood_is_named(text: str) -> None:
    with pytest.raises(DatasetError, match=r"a\.txt, line 2"):
        boxes_of_yolo(f"0 .5 .5 .1 .1\n{text}\n", names=CLASS_NAMES, width=100, height=100, where="a.txt")


def test_yolo_reads_a_confidence_past_and_keeps_edges_on_the_image() -> None:
    (box,) = boxes_of_yolo("1 0.5 0.5 1 1 0.93\n\n", names=CLASS_NAMES, width=333, height=77, where="a")
    assert box == LabelledBox((0.0, 0.0, 333.0, 77.0), "crack")


@pytest.mark.parametrize(
    "text", ["crack\nporosity\n", "names: [crack, porosity]", "nc: 2\nnames:\n  1: porosity\n  0: crack\n"]
)
def test_class_names_come_in_three_ways(text: str) -> None:
    assert names_of(text) == ("crack", "porosity")


@pytest.mark.parametrize("text", ["", "names: []", "names: {0: a, 2: b}", "names: [a"])
def test_class_names_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="class names"):
        names_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "<annotation>",
        "<other/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><annotation><filename>&b;</filename></annotation>',
        "<annotation><filename>a</filename><size><width>x</width><height>2</height></size></annotation>",
        "<annotation><filename>a</filename><object><name>b</name></object></annotation>",
    ],
)
def test_a_voc_file_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(DatasetError, match=r"a\.xml"):
        image_of_voc(text, "a.xml")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("crack", IndicationClass.CRACK),
        ("Lack_of-Fusion", IndicationClass.LACK_OF_FUSION),
        ("2011", IndicationClass.POROSITY),
        ("defect", IndicationClass.UNCLASSIFIED),
        ("scratch", IndicationClass.UNCLASSIFIED),
    ],
)
def test_names_of_other_tools_become_classes(label: str, expected: IndicationClass) -> None:
    assert class_of_label(label) is expected


def test_a_number_in_place_of_a_name_is_kept_as_the_finer_code() -> None:
    assert code_of_label(LabelledBox((0, 0, 1, 1), "2011")) == "2011"
    assert code_of_label(LabelledBox((0, 0, 1, 1), "crack", "1011")) == "1011"
    assert code_of_label(LabelledBox((0, 0, 1, 1), "crack")) is None


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (LabelledBox((0, 0, 1, 1), "porosity", None, "gas-hole"), "gas-hole"),
        (LabelledBox((0, 0, 1, 1), "Hot_Tear"), "hot-tear"),
        (LabelledBox((0, 0, 1, 1), "crack"), None),
        (LabelledBox((0, 0, 1, 1), "porosity", "2011"), None),
    ],
)
def test_a_kind_without_a_number_stands_beside_the_class_or_in_its_place(
    box: LabelledBox, kind: str | None
) -> None:
    assert kind_of_label(box) == kind


def test_coco_and_voc_keep_a_kind_without_a_number() -> None:
    image = LabelledImage("a.png", 9, 9, (LabelledBox((1, 1, 4, 4), "porosity", None, "gas-hole"),))
    content = json.loads("".join(coco_chunks([image], [image])))
    assert content["annotations"][0]["attributes"] == {"kind": "gas-hole"}
    assert images_of_coco(content, "a.json")[0].boxes == image.boxes
    assert image_of_voc(voc_xml(image), "a.xml").boxes == image.boxes


def test_names_that_meet_get_the_start_of_their_digest() -> None:
    given_names = file_names([("a" * 64, "film.png"), ("b" * 64, "FILM.tif"), ("c" * 64, "x/y.png"),
                              ("d" * 64, "12345678-z.png")])  # fmt: skip
    assert list(given_names.values()) == [
        "film.png",
        "bbbbbbbb-FILM.tif",
        "x_y.png",
        "dddddddd-12345678-z.png",
    ]
    assert len(set(given_names.values())) == 4

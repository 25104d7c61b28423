"""Files of labels as tools and people make them: each is taken right, or refused and told."""

import io
import json
import unicodedata
import zipfile
from typing import Any

import pytest

from core.domain.errors import BadInputError, DatasetError
from core.imaging.names import clean_name
from core.labelling.class_mapping import ClassMapping
from core.labelling.image_matching import KnownImage
from core.labelling.import_plan import ImportPlan, KeptLabels, Outcome, plan_import
from core.labelling.label_reading import read_labels
from core.labelling.label_source import opened
from core.labelling.source_images import SourceImages

LONG_NAME = "W" * 150 + ".png"
NAMES = {"film.png": (200, 100), "b.png": (200, 100), "tall.png": (100, 200), "scan.tif": (200, 100),
         "weld 12 (3).png": (200, 100), "Naht_Öl.png": (200, 100), LONG_NAME: (200, 100)}  # fmt: skip


STORED = [KnownImage(f"{n:064x}", clean_name(name), *size) for n, (name, size) in enumerate(NAMES.items())]


def coco(*annotations: dict[str, Any], **image: Any) -> bytes:
    """A COCO file of one image and boxes of porosity on it."""
    listed = {"id": 1, "file_name": "film.png", "width": 200, "height": 100} | image
    numbered = [{"id": n, "image_id": 1, "category_id": 1} | one for n, one in enumerate(annotations, 1)]
    return coco_file([{key: value for key, value in listed.items() if value is not None}], numbered)


def coco_file(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> bytes:
    classes = [{"id": 1, "name": "porosity"}, {"id": 2, "name": "crack"}]
    return json.dumps({"images": images, "annotations": annotations, "categories": classes}).encode()


def zipped(**texts: str | bytes) -> bytes:
    """A ZIP file; `__` in a name is a slash, `_0` the dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return target.getvalue()


def yolo(lines: str, *, at: str = "labels/film.txt", names: str = "names: [porosity, crack]\n") -> bytes:
    return zipped(**{"data.yaml": names, at: lines})


def voc(objects: str, *, name: str = "film.png", size: tuple[int, int] = (200, 100)) -> bytes:
    return zipped(**{"a/film.xml": voc_text(objects, name=name, size=size)})


def voc_text(objects: str, *, name: str = "film.png", size: tuple[int, int] = (200, 100)) -> str:
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>1</depth></size>"
    return f"<annotation><filename>{name}</filename>{sides}{objects}</annotation>"


def voc_object(
    x1: object = 11, y1: object = 11, x2: object = 30, y2: object = 30, label: str = "porosity"
) -> str:
    corners = f"<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
    return f"<object><name>porosity</name><bndbox>{corners}</bndbox></object>"


def planned(
    data: bytes,
    *,
    said: dict[str, str] | None = None,
    stored: list[KnownImage] | None = None,
    kept: dict[str, KeptLabels] | None = None,
    takes_empty: bool = True,
) -> ImportPlan:
    """The plan of a file for the images of the names above."""
    with opened(io.BytesIO(data), "labels") as files:
        file = read_labels(files, "labels")
    beside = SourceImages(stored or STORED, [])
    found = [beside.find(entry) for entry in file.entries]
    return plan_import(file, found, kept or {}, mapping=ClassMapping(said or {}), takes_empty=takes_empty)


def taken(data: bytes, **options: Any) -> tuple[dict[str, list[Any]], str]:
    """The boxes that each image would get, and everything that is told."""
    plan = planned(data, **options)
    told = [*plan.notes, *plan.refused]
    boxes: dict[str, list[Any]] = {}
    for one in plan.images:
        told += [f"{one.place} {one.name}: {line}" for line in (one.why, *one.refused, *one.notes)]
        if one.outcome.is_kept and one.image is not None:
            assert one.image.name not in boxes
            boxes[one.image.name] = [(*label.bbox, label.indication_class.value) for label in one.labels]
    return boxes, "\n".join(told)


POROSITY = (10, 10, 30, 30, "porosity")
BOX: dict[str, Any] = {"bbox": [10, 10, 20, 20]}
RIGHT = {
    "plain": coco(BOX),
    "byte order mark": b"\xef\xbb\xbf" + coco(BOX),
    "UTF-16": coco(BOX).decode().encode("utf-16"),
    "backslashes": coco(BOX, file_name="C:\\data\\set 1\\film.png"),
    "numbers as text": coco({"bbox": ["10", "10", "20", "20"]}),
    "ids as text": coco(BOX | {"image_id": "1"}),
    "an empty list of attributes": coco(BOX | {"attributes": []}),
    "another letter case": coco(BOX, file_name="FILM.PNG"),
    "a path of Label Studio": coco(BOX, file_name="../../label-studio/data/media/upload/1/1a2b3c4d-film.png"),
    "a local file of Label Studio": coco(BOX, file_name="/data/local-files/?d=set%201/film.png"),
    "no box but a polygon": coco({"segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]}),
    "no box but a mask": coco({"segmentation": {"counts": [1010, 20] + [80, 20] * 19, "size": [100, 200]}}),
    "twice the size": coco({"bbox": [20, 20, 40, 40]}, width=400, height=200),
    "VOC": voc(voc_object()),
    "VOC of four times the size": voc(voc_object(41, 41, 120, 120), size=(800, 400)),
    "VOC without a suffix": voc(voc_object(), name="film"),
    "VOC in another encoding": zipped(**{"film.xml": ('<?xml version="1.0" encoding="GBK"?>'
                                      + voc_text(voc_object())).encode("gbk")}),
    "YOLO": yolo("0 0.1 0.2 0.1 0.2\n"),
    "YOLO with a class as a float": yolo("0.0 0.1 0.2 0.1 0.2 0.93\n"),
    "YOLO polygon": yolo("0 0.05 0.1 0.15 0.1 0.15 0.3 0.05 0.3\n"),
    "YOLO in dataset.yaml": zipped(**{"dataset.yaml": "names: [porosity]\n",
                                      "labels/film.txt": "0 0.1 0.2 0.1 0.2\n"}),
    "YOLO of CVAT": zipped(**{"obj.names": "porosity\n", "obj.data": "classes = 1\n", "train.txt": "x\n",
                              "obj_train_data/film.txt": "0 0.1 0.2 0.1 0.2\n"}),
    "YOLO with marks": yolo("\ufeff0 0.1 0.2 0.1 0.2\n", names="\ufeffnames: [porosity]"),
    "YOLO of Roboflow": zipped(**{"data.yaml": "nc: 1\nnames: ['porosity']\n", "README.roboflow.txt": "x",
                                  f"train/labels/film_png.rf.{'0123456789abcdef' * 2}.txt": "0 .1 .2 .1 .2"}),
}  # fmt: skip


@pytest.mark.parametrize("data", RIGHT.values(), ids=RIGHT)
def test_a_file_is_taken_right_however_it_is_written(data: bytes) -> None:
    (boxes,) = taken(data)[0].items()
    assert boxes[0] == "film.png"
    assert [(*map(round, one[:4]), one[4]) for one in boxes[1]] == [POROSITY]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("scan.png", "scan.tif"),
        (unicodedata.normalize("NFD", "Naht_Öl.png"), "Naht_Öl.png"),
        ("images/1a2b3c4d-weld_12_3.png", "weld 12 (3).png"),
        (LONG_NAME, clean_name(LONG_NAME)),
    ],
)
def test_an_image_is_found_by_a_name_that_a_tool_changed(written: str, name: str) -> None:
    assert taken(coco(BOX, file_name=written))[0] == {name: [POROSITY]}


#: What is left out beside one box that is taken, and what is told.
PARTLY = {
    "a crowd": (coco(BOX, BOX | {"iscrowd": 1}), "annotation 2 is a crowd"),
    "an ignored box": (coco(BOX, BOX | {"ignore": 1}), "marked to be ignored"),
    "an unknown image": (coco(BOX, BOX | {"image_id": 17}), "annotation 2 names the image 17"),
    "no class": (coco(BOX, BOX | {"category_id": None}), "annotation 2 names the class None"),
    "an undeclared class": (coco(BOX, BOX | {"category_id": 9}), "annotation 2 names the class 9"),
    "no number": (coco(BOX, {"bbox": [float("nan"), 50, 5, 10]}), "annotation 2 has the bbox"),
    "a negative size": (coco(BOX, {"bbox": [90, 50, -20, 10]}), "annotation 2 has the bbox"),
    "no area": (coco(BOX, {"bbox": [90, 50, 0, 10]}), "annotation 2 has no area: 0x10"),
    "outside": (coco(BOX, {"bbox": [500, 500, 10, 10]}), "annotation 2 lies outside"),
    "nothing": (coco(BOX, {"bbox": [], "segmentation": []}), "annotation 2 has no area"),
    "VOC corners swapped": (voc(voc_object() + voc_object(60, 40, 40, 60)), "object 2 has no area"),
    "VOC without a box": (voc(voc_object() + "<object><name>crack</name></object>"), "has no <bndbox>"),
    "VOC decimal comma": (voc(voc_object() + voc_object("11,5")), "object 2 has <xmin> '11,5'"),
    "YOLO class without a name": (
        zipped(**{"classes.txt": "porosity\n\ncrack\n", "film.txt": "0 .1 .2 .1 .2\n1 .5 .5 .3 .3\n"}),
        "line 2: there is no class 1",
    ),
    "YOLO beyond the classes": (yolo("0 .1 .2 .1 .2\n7 .5 .5 .1 .2\n"), "line 2: there is no class 7"),
    "YOLO px": (yolo("0 0.1 0.2 0.1 0.2\n0 100 50 20 20\n"), "line 2: expected fractions"),
    "YOLO decimal comma": (yolo("0 0.1 0.2 0.1 0.2\n0 0,5 0,5 0,1 0,3\n"), "line 2: expected numbers"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "told"), PARTLY.values(), ids=PARTLY)
def test_a_box_that_cannot_be_taken_is_named_and_the_others_are_taken(data: bytes, told: str) -> None:
    boxes, said = taken(data)
    assert {name: [(*map(round, one[:4]), one[4]) for one in found] for name, found in boxes.items()} == {
        "film.png": [POROSITY]
    }
    assert told in said


TWO_IMAGES = [{"id": n, "file_name": "film.png", "width": 200, "height": 100} for n in (1, 2)]
#: What is left out as a whole, so that nothing is stored of it, and what is told.
REFUSED = {
    "another shape": (coco(BOX, file_name="tall.png"), "says 200x100 px, the image has 100x200"),
    "no size": (coco(BOX, width=None), "does not say its width and height"),
    "no annotations": (b'{"images": [{"id": 1, "file_name": "f"}], "categories": []}', "no annotations"),
    "listed twice": (
        coco_file(TWO_IMAGES, [{"id": n, "image_id": n, "category_id": 1, **BOX} for n in (1, 2)]),
        "ambiguous: image 2 of labels is for film.png as well",
    ),
    "two splits": (
        zipped(**{"data.yaml": "names: [porosity]", "labels/train/film.txt": "0 .5 .5 .1 .1",
                  "labels/val/film.txt": "0 .2 .2 .1 .1"}),
        "ambiguous: labels/val/film.txt is for film.png as well",
    ),
    "two files of one name": (
        zipped(**{"a/film.xml": voc_text(voc_object(), name="b.png"), "a/b.xml": voc_text("", name="b.png")}),
        "ambiguous: a/film.xml is for b.png as well",
    ),
    "pixels in YOLO": (yolo("0 100 50 20 20\n"), "no box of it can be taken: line 1: expected fractions"),
    "fractions in COCO": (coco({"bbox": [0.25, 0.5, 0.1, 0.1]}), "lies within the first pixel"),
    "a number that is none": (coco(BOX | {"attributes": {"iso6520": "2O11"}}), "ISO 6520-1 number '2O11'"),
    "a crowd alone": (coco(BOX | {"iscrowd": 1}), "is a crowd"),
    "no such image": (coco(BOX, file_name="nowhere.png"), "no such image is here"),
    "another image of this name": (coco(BOX, sha256="ab" * 32), "with other content than the file says"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_leaves_nothing_behind_not_even_an_empty_reading(data: bytes, told: str) -> None:
    boxes, said = taken(data)
    assert boxes == {}
    assert told in said


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20]}]', "a list of results"),
        (zipped(**{"film.xml": "<!DOCTYPE annotation><annotation/>"}), "a document type is not allowed"),
        (
            zipped(**{"data.yaml": "names: [a]", "classes.txt": "b", "film.txt": ""}),
            "name the classes differently",
        ),
        (zipped(**{"data.yaml": "kpt_shape: [17, 3]\nnames: [a]", "film.txt": ""}), "keypoints"),
        (b"not json", "not JSON"),
        (b"{}", "not a file of labels"),
        (b"PK\x05\x06" + 18 * b"\0", "no file of labels in it"),
    ],
)
def test_a_file_that_is_not_understood_is_one_clear_line(data: bytes, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        taken(data)


def test_a_turned_box_of_cvat_becomes_the_box_around_its_corners() -> None:
    data = coco({"bbox": [60, 40, 80, 10], "attributes": {"rotation": 90.0, "occluded": False}})
    assert taken(data)[0] == {"film.png": [(95, 5, 105, 85, "porosity")]}


def test_boxes_over_the_edge_are_cut_and_that_is_told() -> None:
    boxes, said = taken(coco({"bbox": [190, 90, 40, 40]}, {"bbox": [-5.5, -3, 20, 20]}))
    assert boxes == {"film.png": [(190, 90, 200, 100, "porosity"), (0, 0, 14.5, 17, "porosity")]}
    assert "2 boxes are cut at the edge of the image" in said


def test_the_good_image_of_a_file_is_taken_and_the_bad_one_is_left_out() -> None:
    data = zipped(**{"data.yaml": "names: [porosity, crack]", "labels/b.txt": "1 0.25 0.25 0.1 0.1\n",
                     "labels/film.txt": "7 0.5 0.5 0.1 0.2\n"})  # fmt: skip
    boxes, said = taken(data)
    assert list(boxes) == ["b.png"]
    assert "labels/film.txt film: no box of it can be taken" in said


def test_two_stored_images_under_one_name_are_both_named() -> None:
    stored = [*STORED, KnownImage("f" * 64, "scan.png", 200, 100)]
    boxes, said = taken(yolo("0 0.5 0.5 0.1 0.1\n", at="labels/scan.txt"), stored=stored)
    assert boxes == {}
    assert "ambiguous: 2 images bear this name: scan" in said


def test_a_class_that_is_not_known_has_to_be_mapped_first() -> None:
    data = yolo("0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n", names="names: [shrinkage, ' Lack_of_Fusion ']")
    assert [(one.name, one.n_boxes) for one in planned(data).open_classes] == [("shrinkage", 1)]
    for target, expected in (
        ("porosity", "porosity"),
        ("shrinkage-cavity", "unclassified"),
        ("2011", "porosity"),
    ):
        boxes, _ = taken(data, said={"shrinkage": target})
        assert [one[4] for one in boxes["film.png"]] == [expected, "lack of fusion"]
    boxes, said = taken(data, said={"shrinkage": "leave-out"})
    assert [one[4] for one in boxes["film.png"]] == ["lack of fusion"]
    assert "left out as was asked" in said
    with pytest.raises(BadInputError, match="shrinkage=pores: expected one of"):
        taken(data, said={"shrinkage": "pores"})


def test_a_plan_says_what_is_new_what_changes_and_what_stays() -> None:
    first = planned(coco(BOX)).images[0]
    assert (first.outcome, first.n_before, first.version) == (Outcome.ADDED, None, 0)
    kept = {STORED[0].sha256: KeptLabels(first.labels, 3)}
    again = planned(coco(BOX), kept=kept).images[0]
    assert (again.outcome, again.n_before, again.version) == (Outcome.SAME, 1, 3)
    assert planned(coco(BOX, {"bbox": [50, 10, 20, 20]}), kept=kept).images[0].outcome is Outcome.CHANGED
    empty = planned(coco(), kept=kept).images[0]
    assert (empty.outcome, empty.labels) == (Outcome.CHANGED, ())
    assert planned(coco(), takes_empty=False).images[0].outcome is Outcome.LEFT_OUT


def test_a_file_in_windows_letters_is_read_and_that_is_told() -> None:
    data = zipped(**{"classes.txt": "Bindefehler \xd6l\n".encode("latin-1"), "film.txt": "0 .5 .5 .1 .1"})
    plan = planned(data)
    assert [one.name for one in plan.open_classes] == ["Bindefehler Öl"]
    assert plan.notes == ("classes.txt is not UTF-8: it was read as Windows-1252",)

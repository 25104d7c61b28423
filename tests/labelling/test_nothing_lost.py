"""What a file of labels says beside its boxes is kept, or named; what it says twice is not guessed."""

import json
import math
from typing import Any

import pytest

from core.labelling.import_plan import KeptLabels
from core.labelling.label_reading import read_labels
from core.labelling.label_source import SourceFile
from tests.labelling.test_import_plan import (
    BOX,
    POROSITY,
    STORED,
    coco,
    coco_file,
    planned,
    taken,
    voc,
    yolo,
    zipped,
)

SHIFTED = {"segmentation": [[100, 50, 130, 50, 130, 80, 100, 80]]}
TWO_PARTS = {"segmentation": [[10, 10, 30, 10, 30, 30], [12, 12, 20, 12, 20, 20]]}
ROUND = [
    value for n in range(1_500) for value in (20 + 10 * math.cos(n / 238.73), 20 + 10 * math.sin(n / 238.73))
]
MASK = {"counts": [1010, 20] + [80, 20] * 19, "size": [100, 200]}
OUTLINE = "<x1>11</x1><y1>11</y1><x2>31</x2><y2>11</y2><x3>31</x3><y3>31</y3>"


def cvat(shapes: str, *, more: str = "") -> bytes:
    """A CVAT file of `film.png`."""
    image = f'<image id="0" name="film.png" width="200" height="100">{shapes}</image>'
    return f"<annotations><version>1.1</version>{image}{more}</annotations>".encode()


CVAT_BOX = '<box label="porosity" xtl="10" ytl="10" xbr="30" ybr="30"/>'


def region(**changes: Any) -> dict[str, Any]:
    """A rectangle of Label Studio at the place of `POROSITY`."""
    value = {"x": 5, "y": 10, "width": 10, "height": 20, "rotation": 0, "rectanglelabels": ["porosity"]}
    return {"type": "rectanglelabels", "to_name": "image", "original_width": 200, "original_height": 100,
            "value": value, **changes}  # fmt: skip


def label_studio(*regions: dict[str, Any], **data: Any) -> bytes:
    """A task of Label Studio."""
    task = {"id": 1, "data": {"image": "film.png", **data}, "annotations": [{"result": list(regions)}]}
    return json.dumps([task]).encode()


def voc_box(more: str) -> bytes:
    corners = "<xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>30</ymax>"
    return voc(f"<object><name>porosity</name>{more}<bndbox>{corners}</bndbox></object>")


#: One box is taken, and this is told.
TOLD = {
    "two parts": (coco(BOX | TWO_PARTS), "the box around the 2 parts of its outline is taken"),
    "an outline elsewhere": (coco(BOX | SHIFTED), "its outline lies elsewhere than its box"),
    "an outline of many corners": (coco(BOX | {"segmentation": [ROUND]}), "1500 corners, more than 1000"),
    "a line as outline": (coco(BOX | {"segmentation": [[10, 10, 30, 30]]}), "fewer than three corners"),
    "a mask beside the box": (coco(BOX | {"segmentation": MASK}), "its box is taken, its mask is not kept"),
    "key points": (coco(BOX | {"keypoints": [12, 12, 2], "num_keypoints": 1}), "its key points are not kept"),
    "a VOC outline with a gap": (voc_box(f"<polygon>{OUTLINE}<x5>1</x5><y5>1</y5></polygon>"), "is broken"),
    "a difficult VOC object": (voc_box("<difficult>1</difficult>"), "is marked difficult"),
    "an unknown CVAT shape": (cvat(CVAT_BOX + '<blob label="crack"/>'), "blob 2: only boxes, polygons and"),
    "a CVAT track": (cvat(CVAT_BOX, more='<track id="7" label="crack"/>'), "track 7: tracks of videos"),
    "a confidence in YOLO": (yolo("0 .1 .2 .1 .2 .93\n"), "1 lines end in one more number"),
    "another page": (label_studio(region(), region(item_index=1)), "region 2 is on page 2 of a task"),
    "COCO beside YOLO": (
        zipped(**{"data.yaml": "names: [porosity]", "labels/film.txt": "0 .1 .2 .1 .2", "a.json": coco(BOX)}),
        "a.json was not read: the labels are YOLO",
    ),
    "YOLO beside its folder": (
        zipped(
            **{"data.yaml": "names: [porosity]", "labels/film.txt": "0 .1 .2 .1 .2", "b.txt": "0 1 1 1 1"}
        ),
        "b.txt was not read: other files of labels lie in folders",
    ),
}


@pytest.mark.parametrize(("data", "told"), TOLD.values(), ids=TOLD)
def test_a_box_is_taken_and_what_else_is_said_of_it_is_named(data: bytes, told: str) -> None:
    boxes, said = taken(data)
    assert [(*map(round, one[:4]), one[4]) for one in boxes["film.png"]] == [POROSITY]
    assert told in said


TWICE = [{"id": 1, "file_name": name, "width": 200, "height": 100} for name in ("film.png", "b.png")]
#: Nothing is taken, not even an image as clean, and this is told.
REFUSED = {
    "two images of one id": (
        coco_file(TWICE, [BOX | {"id": 1, "image_id": 1, "category_id": 1}]),
        "whose are",
    ),
    "two classes of one id": (
        coco(BOX).replace(b'"id": 2, "name": "crack"', b'"id": 1, "name": "crack"'),
        "which the file declares as porosity and as crack",
    ),
    "a mask of another size": (
        coco({"segmentation": {"counts": [9, 5, 36], "size": [5, 10]}}),
        "a mask of 10x5 px",
    ),
    "a track of a model in YOLO": (yolo("0 0.5 0.5 0.1 0.1 0.93 1\n"), "the number of a track"),
    "an angle in YOLO": (
        yolo("0 0.5 0.5 0.1 0.1 45\n"),
        "expected at the end a confidence from 0 to 1, got 45",
    ),
    "a CVAT polygon of two corners": (cvat('<polygon label="crack" points="10,10;30,30"/>'), "three corners"),
    "two images in a task": (
        label_studio(region(), region(to_name="image2"), image2="b.png"),
        "several images",
    ),
}


@pytest.mark.parametrize(("data", "told"), REFUSED.values(), ids=REFUSED)
def test_what_may_mean_two_things_is_left_out(data: bytes, told: str) -> None:
    boxes, said = taken(data)
    assert boxes == {}
    assert told in said


def test_a_region_names_its_image_where_a_task_has_several() -> None:
    data = label_studio(region(to_name="image2"), image2="b.png")
    assert list(taken(data)[0]) == ["b.png"]


def test_a_submitted_task_without_a_region_is_an_image_on_which_nothing_was_found() -> None:
    assert taken(label_studio())[0] == {"film.png": []}
    boxes, said = taken(label_studio({"type": "brushlabels"}))
    assert boxes == {}
    assert "a brushlabels is neither a rectangle nor a polygon" in said


@pytest.mark.parametrize("result", [[None], ["text"], [{"type": "rectanglelabels"}]])
def test_a_region_that_is_none_is_named(result: list[Any]) -> None:
    assert "region 1 is not written as Label Studio writes it" in taken(label_studio(*result))[1]
    task = {"id": 1, "data": {"image": "film.png"}, "annotations": [None]}
    assert "nobody submitted an annotation" in taken(json.dumps([task]).encode())[1]


def test_the_same_box_twice_is_taken_once_and_that_is_told() -> None:
    boxes, said = taken(coco(BOX, BOX, BOX | {"category_id": 2}))
    assert boxes == {"film.png": [POROSITY, (10, 10, 30, 30, "crack")]}
    assert "box 2 is the same as box 1, and taken once" in said


def test_a_turned_rectangle_of_four_corners_stays_turned() -> None:
    shape = {"label": "crack", "points": [[20, 10], [30, 20], [20, 30], [10, 20]], "shape_type": "rectangle"}
    content = {"shapes": [shape], "imagePath": "film.png", "imageWidth": 200, "imageHeight": 100}
    (label,) = planned(json.dumps(content).encode()).images[0].labels
    assert label.polygon == ((20, 10), (30, 20), (20, 30), (10, 20))
    shape["points"] = [[10, 10], [30, 10], [30, 30], [10, 30]]
    assert planned(json.dumps(content).encode()).images[0].labels[0].polygon == ()


def test_a_box_that_follows_its_outline_says_so() -> None:
    outline = {"segmentation": [[10.4, 10, 30, 10, 30, 30, 10.4, 30]]}
    boxes, said = taken(coco(BOX | outline))
    assert boxes == {"film.png": [(10.4, 10, 30, 30, "porosity")]}
    assert "1 box is set to the bounds of the outline" in said


def test_one_text_alone_is_read_whatever_its_suffix() -> None:
    data = coco(BOX)
    file = read_labels([SourceFile("labels.bak", len(data), lambda: data)], "labels.bak")
    assert len(file.entries) == 1


def test_a_file_that_keeps_no_kinds_says_how_many_would_be_lost() -> None:
    (numbered,) = planned(coco(BOX | {"attributes": {"iso6520": "2011"}})).images[0].labels
    kept = {STORED[0].sha256: KeptLabels((numbered,), 1)}
    lost = "1 of the labels now say a kind, number or own class that the file does not"
    assert lost in planned(yolo("0 .1 .2 .1 .2\n"), kept=kept).images[0].notes
    assert planned(yolo("1 .1 .2 .1 .2\n"), kept=kept).images[0].notes == ()

"""Labels as COCO, YOLO, Pascal VOC, CVAT, Label Studio, LabelMe and Datumaro: out and in again, exactly."""

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labelling.class_mapping import ClassMapping
from core.labelling.coco_exchange import coco_chunks
from core.labelling.cvat import cvat_chunks
from core.labelling.datumaro import datumaro_chunks
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.image_matching import KnownImage
from core.labelling.label_placing import place
from core.labelling.label_reading import read_labels
from core.labelling.label_source import SourceFile
from core.labelling.label_studio import label_studio_chunks
from core.labelling.labelled import CLASS_NAMES, LabelledBox, LabelledImage, file_names
from core.labelling.labelme import labelme_json
from core.labelling.outlines import bounds
from core.labelling.voc import voc_xml
from core.labelling.yolo import data_yaml, yolo_text

SIZES = st.integers(2, 100_000)
#: A box narrower than this is no label; the editor's smallest is 2 px.
LEAST_PX = 1e-3
FINER = st.sampled_from(
    [{}, {"iso6520": "2011"}, {"iso6520": "4021"}, {"kind": "gas-hole"}, {"own_class": "HOT-1"}]
)


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int) -> LabelledBox:
    def side(size: int) -> tuple[float, float]:
        low = draw(st.floats(0, size - LEAST_PX))
        return low, draw(st.floats(min(float(size), low + LEAST_PX), size))

    (x1, x2), (y1, y2) = side(width), side(height)
    polygon = draw(
        st.sampled_from([(), ((x1, y1), (x2, y1), (x2, y2)), ((x1, y2), (x1, y1), (x2, y1), (x2, y2))])
    )
    label = draw(st.sampled_from(CLASS_NAMES))
    return LabelledBox((x1, y1, x2, y2), label, polygon=polygon, **draw(FINER))


@st.composite
def images(draw: st.DrawFn) -> LabelledImage:
    width, height = draw(SIZES), draw(SIZES)
    found = draw(st.lists(boxes(width, height), max_size=4, unique_by=lambda box: (box.bbox, box.label)))
    name = draw(st.sampled_from(["film 1.tif", "α&<weld>.png", "a,b.dcm"]))
    return LabelledImage(name, width, height, tuple(found), draw(st.sampled_from([None, "ab" * 32])))


def files(contents: dict[str, str | bytes]) -> list[SourceFile]:
    """Files in memory by their paths."""
    coded = {path: text.encode() if isinstance(text, str) else text for path, text in contents.items()}
    return [SourceFile(path, len(data), lambda data=data: data) for path, data in coded.items()]  # type: ignore[misc]


def read(contents: dict[str, str | bytes], form: LabelFormat | None = None, voc_origin: int = 1) -> LabelFile:
    return read_labels(files(contents), "labels.zip", form, voc_origin=voc_origin)


def image_of(entry: LabelEntry) -> LabelledImage:
    assert (entry.refused, entry.problem) == ((), "")
    assert entry.size is not None
    return LabelledImage(entry.name, *entry.size, entry.boxes, entry.sha256)


WHOLE: dict[LabelFormat, Callable[[list[LabelledImage]], dict[str, str | bytes]]] = {
    LabelFormat.COCO: lambda images: {"labels.json": "".join(coco_chunks(images, images))},
    LabelFormat.VOC: lambda images: {f"a/{n}.xml": voc_xml(image) for n, image in enumerate(images)},
    LabelFormat.CVAT: lambda images: {"annotations.xml": "".join(cvat_chunks(images))},
    LabelFormat.LABELME: lambda images: {f"{n}.json": labelme_json(image) for n, image in enumerate(images)},
}


@pytest.mark.parametrize("form", list(WHOLE))
@given(written=st.lists(images(), min_size=1, max_size=3))
def test_what_goes_out_comes_back_to_the_last_bit(form: LabelFormat, written: list[LabelledImage]) -> None:
    file = read(WHOLE[form](written))
    assert file.form is form
    assert [image_of(entry) for entry in file.entries] == written


@pytest.mark.parametrize("form", [LabelFormat.LABEL_STUDIO, LabelFormat.DATUMARO])
@given(image=images())
def test_percents_come_back_to_a_billionth_of_a_px(form: LabelFormat, image: LabelledImage) -> None:
    chunks = label_studio_chunks if form is LabelFormat.LABEL_STUDIO else datumaro_chunks
    file = read({"labels.json": "".join(chunks([image]))})
    assert file.form is form
    found = image_of(file.entries[0])
    assert (found.file_name, found.width, found.height, found.sha256) == (
        image.file_name, image.width, image.height, image.sha256
    )  # fmt: skip
    for one, other in zip(found.boxes, image.boxes, strict=True):
        assert (one.label, one.finer) == (other.label, other.finer)
        assert one.bbox == pytest.approx(other.bbox, rel=0, abs=1e-9)
        assert len(one.polygon) == len(other.polygon)


@given(images())
def test_yolo_gives_the_boxes_back_to_a_billionth_of_a_px(image: LabelledImage) -> None:
    (entry,) = read({"data.yaml": data_yaml(), "labels/film.txt": yolo_text(image)}).entries
    assert (entry.name, entry.is_stem, entry.refused) == ("film", True, ())
    known = KnownImage("a" * 64, "film.png", image.width, image.height)
    small = [box for box in image.boxes if box.bbox[2] > 1 or box.bbox[3] > 1]
    placed = place(entry, known, ClassMapping({})).labels
    assert [one.indication_class.value for one in placed] == [one.label for one in small]
    for one, other in zip(placed, small, strict=True):
        assert one.bbox == pytest.approx(other.bbox, rel=0, abs=1e-9)
        assert 0 <= one.bbox[0] <= one.bbox[2] <= image.width


def test_corners_count_only_while_they_agree_with_the_box() -> None:
    box = LabelledBox((0, 1.2612891258897818, 1, 65.66263145608723), "crack")
    image = LabelledImage("a.png", 2, 66, (box,))
    content = json.loads("".join(coco_chunks([image], [image])))
    (annotation,) = content["annotations"]
    assert annotation["corners"] == list(box.bbox)
    annotation["bbox"] = [0, 2, 1, 20]
    assert read({"labels.json": json.dumps(content)}).entries[0].boxes[0].bbox == (0, 2, 1, 22)


def test_voc_counts_from_one_and_includes_the_last_pixel() -> None:
    image = LabelledImage("a.png", 100, 50, (LabelledBox((0, 4.5, 10, 50), "crack", "1011"),))
    text = voc_xml(image)
    for expected in ("<xmin>1</xmin>", "<ymin>5.5</ymin>", "<xmax>10</xmax>", "<ymax>50</ymax>"):
        assert expected in text
    assert read({"a.xml": text}, voc_origin=0).entries[0].boxes[0].bbox == (1, 5.5, 10, 50)


def test_the_bounds_of_a_polygon_are_its_box() -> None:
    assert bounds([(3, 4), (1, 9), (2, 0)]) == (1, 0, 3, 9)


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


def test_cvat_never_takes_the_number_of_an_image_for_a_frame() -> None:
    image = LabelledImage("a.png", 100, 50, ())
    root = ElementTree.fromstring("".join(cvat_chunks([image, image])))
    assert [int(one.get("id", "0")) for one in root.iter("image")] == [1_000_000_000, 1_000_000_001]

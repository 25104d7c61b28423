"""Labels out as a file and in again: the same boxes, the same originals, and what is not taken is told."""

import io
import json
import zipfile

import numpy as np
import pytest

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.correction import Origin
from core.domain.errors import NotAllowedError
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.imaging.read import read_radiograph
from core.labelling.entries import LabelFormat
from core.services.labels.label_imports import ImportOptions
from core.store.unit_of_work import Store
from tests.imaging.pictures import picture, write_dicom
from tests.records import add_user
from tests.workplace import radiograph_png

PORE = Label("h1", (5.1, 6.2, 20.3, 18.4), IndicationClass.POROSITY, iso6520="2011")
CRACK = Label("m-1", (0, 0, 128, 96), IndicationClass.CRACK, Origin.MODEL, probability=0.3)


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


@pytest.fixture
def films(desk, inspector, annotator) -> list[str]:
    """Three images, two of the same name; the first bears two labels, the second was found to be clean."""
    names = ("film.png", "film.png", "other film.png")
    found = [desk.images.add(inspector, radiograph_png(n), name).sha256 for n, name in enumerate(names)]
    desk.labels.save(annotator, found[0], [PORE, CRACK], expected_version=0)
    desk.labels.save(annotator, found[1], [], expected_version=0)
    return found


def exported(desk, form, *, with_images=False) -> io.BytesIO:
    target = io.BytesIO()
    desk.label_files.export(COMMAND_LINE, target, form, with_images=with_images)
    target.seek(0)
    return target


def boxes(desk, who, sha256) -> list[tuple]:
    return [
        (*one.bbox, one.indication_class.value, one.iso6520) for one in desk.labels.open(who, sha256).labels
    ]


def imported(desk, who, file, name="labels.zip", **options):
    plan = desk.label_imports.plan(who, file, name, ImportOptions(takes_images=False, **options))
    return desk.label_imports.apply(who, file, name, plan)


@pytest.mark.parametrize("form", [one for one in LabelFormat if one is not LabelFormat.YOLO])
def test_what_goes_out_comes_back_the_same(desk, annotator, films, form):
    file = exported(desk, form)
    before = boxes(desk, annotator, films[0])
    desk.labels.save(annotator, films[0], [], expected_version=1)
    again = imported(desk, annotator, file)
    assert (again.n_images, again.n_same, again.n_boxes, again.n_left_out) == (1, 1, 2, 0)
    for one, other in zip(boxes(desk, annotator, films[0]), before, strict=True):
        assert one[:4] == pytest.approx(other[:4], abs=1e-9)
        assert one[4:] == other[4:]
    sheet = desk.labels.open(annotator, films[0])
    assert (sheet.version, sheet.note) == (3, "imported from labels.zip")
    assert {one.origin for one in sheet.labels} == {Origin.IMPORTED}


def test_yolo_finds_images_by_name_and_loses_only_the_finer_code(desk, annotator, films):
    desk.labels.save(annotator, films[2], [PORE], expected_version=0)
    file = exported(desk, LabelFormat.YOLO)
    desk.labels.save(annotator, films[2], [], expected_version=1)
    plan = desk.label_imports.plan(annotator, file, "yolo.zip", ImportOptions())
    desk.label_imports.apply(annotator, file, "yolo.zip", plan)
    (box,) = boxes(desk, annotator, films[2])
    assert box[:4] == pytest.approx(PORE.bbox, abs=1e-9)
    assert box[4:] == ("porosity", None)
    # three images bear the other name: the prefix tells the second, and the first one has none
    assert [one.why for one in plan.images if one.why] == [
        "ambiguous: 3 images bear this name: film.png; film.png; film.png"
    ]


def test_originals_go_out_byte_for_byte_under_names_of_their_own(desk, films):
    with zipfile.ZipFile(exported(desk, LabelFormat.COCO, with_images=True)) as archive:
        content = json.loads(archive.read("labels.json"))
        names = {image["sha256"]: image["file_name"] for image in content["images"]}
        assert set(names) == set(films[:2])
        assert len(set(names.values())) == 2
        for n, sha256 in enumerate(films[:2]):
            assert archive.read(f"images/{names[sha256]}") == radiograph_png(n)


@pytest.mark.parametrize("form", list(LabelFormat))
def test_a_frame_goes_out_as_a_tiff_of_its_pixels_and_its_labels_come_back(desk, inspector, annotator, form):
    frames = np.stack([np.roll(picture(np.uint16, (96, 128), 12), 7 * n, axis=1) for n in range(2)])
    data = write_dicom(frames, bits=12, frames=2)
    second = desk.images.add(inspector, data, "panel frame 2 of 2.dcm", frame=2)
    desk.labels.save(annotator, second.sha256, [PORE], expected_version=0)
    file = exported(desk, form, with_images=True)
    with zipfile.ZipFile(file) as archive:
        (name,) = [one for one in archive.namelist() if one.startswith("images/")]
        found = read_radiograph(archive.read(name))
    assert name == "images/panel frame 2 of 2.tif"
    np.testing.assert_array_equal(found.pixels, frames[1])
    file.seek(0)
    desk.labels.save(annotator, second.sha256, [], expected_version=1)
    again = imported(desk, annotator, file)
    assert (again.n_images, again.n_left_out) == (1, 0)
    assert len(boxes(desk, annotator, second.sha256)) == 1


def test_who_may_not_look_at_labels_gets_no_file(desk, store):
    with pytest.raises(NotAllowedError):
        desk.label_files.export(
            add_user(store, Role.ADMIN), io.BytesIO(), LabelFormat.COCO, with_images=False
        )

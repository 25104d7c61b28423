"""Importing labels: a plan first, then all of it or nothing; images that lie beside them come in, too."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import (
    BadInputError,
    DatasetError,
    NotAllowedError,
    StaleVersionError,
    UnreadableImageError,
)
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from core.labelling.import_plan import Outcome
from core.services.labels.label_imports import ImportOptions
from core.services.workspaces import Workspace
from core.store.unit_of_work import Store
from tests.records import add_user
from tests.workplace import radiograph_png

PORE = Label("h1", (5.0, 6.0, 20.0, 18.0), IndicationClass.POROSITY)
BOX = [10, 10, 20, 20]


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


@pytest.fixture
def films(desk: Workspace, annotator: Identity) -> list[str]:
    """Two stored images; the first is labelled."""
    found = [desk.images.add(annotator, radiograph_png(n), f"film-{n}.png").sha256 for n in (1, 2)]
    desk.labels.save(annotator, found[0], [PORE], expected_version=0)
    return found


def coco(*names: str, label: str = "porosity") -> bytes:
    """A COCO file with one box on each image."""
    images = [{"id": n, "file_name": name, "width": 128, "height": 96} for n, name in enumerate(names, 1)]
    boxes = [{"id": one["id"], "image_id": one["id"], "category_id": 1, "bbox": BOX} for one in images]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": label}]}
    return json.dumps(content).encode()


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target


def events(store: Store) -> list[str]:
    with store.read() as work:
        return [event.action for event in work.audit.rows() if event.action != "records.written"]


def versions(desk: Workspace, who: Identity, films: list[str]) -> list[int]:
    return [desk.labels.open(who, one).version for one in films]


def test_a_plan_stores_nothing_and_applying_it_stores_all(desk, store, annotator, films):
    source = io.BytesIO(coco("film-1.png", "film-2.png", "nowhere.png"))
    before = events(store)
    plan = desk.label_imports.plan(annotator, source, "labels.json", ImportOptions())
    assert [one.outcome for one in plan.images] == [Outcome.CHANGED, Outcome.ADDED, Outcome.LEFT_OUT]
    assert (events(store), versions(desk, annotator, films)) == (before, [1, 0])
    done = desk.label_imports.apply(annotator, source, "labels.json", plan)
    assert (done.n_images, done.n_same, done.n_boxes, done.n_left_out) == (2, 0, 2, 1)
    assert versions(desk, annotator, films) == [2, 1]
    assert events(store)[len(before) :] == ["annotation.saved", "annotation.saved", "labels.imported"]


def test_when_somebody_saved_meanwhile_nothing_is_stored(desk, store, annotator, films):
    source = io.BytesIO(coco("film-1.png", "film-2.png"))
    plan = desk.label_imports.plan(annotator, source, "labels.json", ImportOptions())
    desk.labels.save(annotator, films[1], [PORE], expected_version=0)
    before = events(store)
    with pytest.raises(StaleVersionError):
        desk.label_imports.apply(annotator, source, "labels.json", plan)
    assert (events(store), versions(desk, annotator, films)) == (before, [1, 1])


def test_what_was_refused_in_the_editor_stays_refused(desk, annotator, films):
    refused = replace(PORE, label_id="m-1")
    desk.labels.save(annotator, films[0], [PORE], refused=[refused], expected_version=1)
    source = io.BytesIO(coco("film-1.png"))
    desk.label_imports.apply(
        annotator, source, "a.json", desk.label_imports.plan(annotator, source, "a.json", ImportOptions())
    )
    assert desk.labels.open(annotator, films[0]).refused == (refused,)


def test_an_archive_with_images_brings_in_both_and_makes_no_inspection(desk, store, annotator, films):
    data = {
        "annotations/instances_default.json": coco("a/new.png", "b/new.png", "film-2.png"),
        "images/a/new.png": radiograph_png(11),
        "images/b/new.png": radiograph_png(12),
        "images/unlabelled.png": radiograph_png(13),
        "images/film-2.png": radiograph_png(2),
        "images/broken.png": b"\x89PNG\r\n\x1a\n nothing",
        "readme.md": b"# how we label",
    }
    source = zipped(data)
    plan = desk.label_imports.plan(annotator, source, "set.zip", ImportOptions())
    assert [one.image.name for one in plan.new_images] == ["a - new.png", "b - new.png", "unlabelled.png"]
    assert [one.is_new for one in plan.images] == [True, True, False]
    assert len(plan.refused) == 1
    assert plan.refused[0].startswith("images/broken.png: ")
    done = desk.label_imports.apply(annotator, source, "set.zip", plan)
    assert (done.n_images, done.n_new_images) == (3, 3)
    digest = plan.new_images[0].image.sha256
    assert desk.labels.open(annotator, digest).labels[0].bbox == (10, 10, 30, 30)
    assert desk.images.load(digest).width == 128
    assert desk.labels.open(annotator, digest).answer is None
    again = desk.label_imports.plan(annotator, source, "set.zip", ImportOptions())
    assert (again.new_images, [one.outcome for one in again.images]) == ((), [Outcome.SAME] * 3)
    alone = desk.label_imports.plan(annotator, source, "set.zip", ImportOptions(takes_images=False))
    assert alone.new_images == ()


def test_label_files_of_yolo_go_to_the_images_in_their_folder(desk, annotator):
    files = {"data.yaml": b"names: [porosity]"}
    for n, part in enumerate(("train", "val")):
        files |= {f"images/{part}/film.png": radiograph_png(20 + n)}
        files |= {f"labels/{part}/film.txt": b"0 .5 .5 .%d .1" % (n + 1)}
    plan = desk.label_imports.plan(annotator, zipped(files), "yolo.zip", ImportOptions())
    assert [(one.image.name, one.labels[0].bbox[0]) for one in plan.images] == [
        ("train - film.png", pytest.approx(57.6)),
        ("val - film.png", pytest.approx(51.2)),
    ]


def test_a_class_that_an_admin_added_is_known_by_name_and_code(desk, store, annotator, films):
    own = OwnClass("HOT-1", "hot spot", "#e0a040", IndicationClass.INCLUSION)
    desk.own_classes.save(add_user(store, Role.ADMIN), own, is_new=True)
    for label in ("hot spot", "HOT-1"):
        source = io.BytesIO(coco("film-2.png", label=label))
        plan = desk.label_imports.plan(annotator, source, "a.json", ImportOptions())
        assert [one.target.words for one in plan.classes] == ["hot spot (HOT-1)"]
    desk.label_imports.apply(annotator, source, "a.json", plan)
    (label,) = desk.labels.open(annotator, films[1]).labels
    assert (label.own_class, label.indication_class) == ("HOT-1", IndicationClass.INCLUSION)


def test_nothing_is_stored_before_every_class_is_mapped(desk, annotator, films):
    source = io.BytesIO(coco("film-2.png", label="shrinkage"))
    plan = desk.label_imports.plan(annotator, source, "a.json", ImportOptions())
    with pytest.raises(BadInputError, match="say first what these classes of the file mean: 'shrinkage'"):
        desk.label_imports.apply(annotator, source, "a.json", plan)
    with pytest.raises(BadInputError, match="no box of the file bears the class 'shrink'"):
        desk.label_imports.plan(annotator, source, "a.json", ImportOptions(mapping={"shrink": "crack"}))
    assert versions(desk, annotator, films) == [1, 0]


def test_a_command_may_look_at_a_plan_and_only_a_person_imports(desk, store, films):
    source = io.BytesIO(coco("film-2.png"))
    plan = desk.label_imports.plan(COMMAND_LINE, source, "a.json", ImportOptions())
    with pytest.raises(NotAllowedError):
        desk.label_imports.apply(COMMAND_LINE, source, "a.json", plan)
    with pytest.raises(NotAllowedError):
        desk.label_imports.plan(add_user(store, Role.ADMIN), source, "a.json", ImportOptions())


def test_an_archive_that_changed_since_the_plan_is_refused(desk, annotator):
    files = {"a.json": coco("new.png"), "new.png": radiograph_png(31)}
    plan = desk.label_imports.plan(annotator, zipped(files), "set.zip", ImportOptions())
    with pytest.raises(DatasetError, match="is another image by now"):
        desk.label_imports.apply(annotator, zipped(files | {"new.png": radiograph_png(32)}), "set.zip", plan)
    with pytest.raises(DatasetError, match="is not in the file any more"):
        desk.label_imports.apply(annotator, zipped({"a.json": files["a.json"]}), "set.zip", plan)
    with pytest.raises(UnreadableImageError):
        desk.label_imports.apply(annotator, zipped(files | {"new.png": b"none"}), "set.zip", plan)

"""Own classes: an admin adds them, labels bear them, models that do not know them ignore their boxes."""

from dataclasses import replace

import pytest

from core.domain.accounts import Role
from core.domain.data_manifest import DataManifest, manifest_from
from core.domain.errors import BadInputError, NotAllowedError
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from core.services.datasets.data_export import coco_of
from core.services.datasets.labelled_images import labelled_images
from core.services.labels.labels import LabelService
from core.services.labels.own_classes import OwnClassService
from core.store.unit_of_work import Store
from tests.records import add_user, store_image

SPLASH = OwnClass("TS", "tungsten splash", "#e0a040", IndicationClass.INCLUSION)
LETTER = OwnClass("LL", "lead letter", "#40a0e0")


@pytest.mark.parametrize(
    "change",
    [
        {"code": "ts"},
        {"code": "602"},
        {"code": ""},
        {"name": " "},
        {"name": "crack"},
        {"name": "gas hole"},
        {"colour": "red"},
        {"colour": "#E0A040"},
    ],
)
def test_what_is_no_class_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        replace(SPLASH, **change)  # type: ignore[arg-type]  # texts alone


def test_only_an_admin_adds_and_codes_stay_what_they_are(store: Store) -> None:
    admin, annotator = add_user(store, Role.ADMIN), add_user(store, Role.ANNOTATOR)
    classes = OwnClassService(store)
    with pytest.raises(NotAllowedError):
        classes.save(annotator, SPLASH, is_new=True)
    classes.save(admin, SPLASH, is_new=True)
    classes.save(admin, LETTER, is_new=True)
    for refused in (
        SPLASH,
        OwnClass("TX", "Tungsten Splash", "#000000"),
        OwnClass("2011", "pore", "#000000"),
    ):
        with pytest.raises(BadInputError):
            classes.save(admin, refused, is_new=True)
    with pytest.raises(BadInputError, match="never changes"):
        classes.save(admin, replace(SPLASH, stands_for=None), is_new=False)
    retired = replace(LETTER, name="lead letters", is_offered=False)
    classes.save(admin, retired, is_new=False)
    assert classes.all(annotator) == [SPLASH, retired]
    with store.read() as work:
        actions = [row.action for row in work.audit.rows() if row.object_type == "own_class"]
    assert actions == ["own_class.added", "own_class.added", "own_class.changed"]


def test_a_data_version_says_what_models_ignore(store: Store) -> None:
    admin, annotator = add_user(store, Role.ADMIN), add_user(store, Role.ANNOTATOR)
    sha256, labels = store_image(store), LabelService(store)
    for own in (SPLASH, LETTER):
        OwnClassService(store).save(admin, own, is_new=True)
    splash = Label("h1", (1, 2, 30, 40), IndicationClass.INCLUSION, own_class="TS")
    letter = Label("h2", (50, 2, 60, 40), IndicationClass.UNCLASSIFIED, own_class="LL")
    for wrong in (replace(letter, own_class="XX"), replace(splash, own_class="LL")):
        with pytest.raises(BadInputError, match="own class"):
            labels.save(annotator, sha256, [wrong], expected_version=0)
    labels.save(annotator, sha256, [splash, letter], expected_version=0)
    with store.read() as work:
        found, _ = labelled_images(work, "weld")
    manifest = DataManifest("weld", "ours", None, tuple(found))
    assert manifest_from(manifest.to_json()) == manifest
    counts = manifest.counts()
    assert (counts["boxes"], counts["classes"], counts["ignored"]) == (1, {"inclusion": 1}, {"LL": 1})
    assert counts["clean"] == 0
    crowds = [one["iscrowd"] for one in coco_of(manifest.images)["annotations"]]
    assert crowds == [0, 1]


def test_outlines_reach_the_data_version_and_its_coco_file(store: Store) -> None:
    annotator, sha256 = add_user(store, Role.ANNOTATOR), store_image(store)
    outline = ((2.0, 2.0), (40.0, 2.0), (40.0, 30.0))
    label = Label("h1", (2, 2, 40, 30), IndicationClass.CRACK, polygon=outline)
    LabelService(store).save(annotator, sha256, [label], expected_version=0)
    with store.read() as work:
        (image,), _ = labelled_images(work, "weld")
    assert image.boxes[0].polygon == outline
    (annotation,) = coco_of([image])["annotations"]
    assert annotation["segmentation"] == [[2, 2, 40, 2, 40, 30]]

"""Saving annotations."""

import pytest
from sqlalchemy import Engine

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError, UnknownRecordError
from core.services.inspections.annotating import AnnotationService
from core.services.inspections.inspecting import InspectionService
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import add_user, demoted, detection_result, new_store, radiograph, store_image

pytestmark = ON_EACH_DATABASE

CRACK = {"bbox": [1.5, 2, 30, 12], "class": "crack"}


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


@pytest.fixture
def image(store: Store) -> str:
    return store_image(store)


@pytest.fixture
def annotations(store: Store) -> AnnotationService:
    return AnnotationService(store)


def test_every_save_is_a_version_and_all_of_them_stay(annotations, annotator, image):
    assert annotations.latest(annotator, image) is None
    annotations.save(annotator, image, [CRACK], expected_version=0)
    annotations.save(annotator, image, [], expected_version=1, note="a scratch on the film")
    history = annotations.history(annotator, image)
    assert [(one.version, len(one.boxes), one.note) for one in history] == [
        (1, 1, ""),
        (2, 0, "a scratch on the film"),
    ]
    assert history[0].boxes[0] == CRACK
    assert annotations.latest(annotator, image).version == 2


def test_a_stale_save_changes_nothing_and_names_both_versions(annotations, annotator, image, store):
    annotations.save(annotator, image, [CRACK], expected_version=0)
    other = add_user(store, Role.ANNOTATOR)
    with pytest.raises(StaleVersionError) as caught:
        annotations.save(other, image, [], expected_version=0)
    assert (caught.value.yours, caught.value.stored) == (0, 1)
    assert annotations.latest(other, image).author_id == annotator.user_id


def test_boxes_of_an_inspection_are_apart_from_labels_of_the_image(annotations, annotator, image, store):
    inspector = add_user(store)
    inspection = InspectionService(store).record(inspector, detection_result())
    annotations.save(inspector, image, [CRACK], expected_version=0, inspection_id=inspection.inspection_id)
    assert annotations.latest(annotator, image) is None
    kept = annotations.latest(annotator, image, inspection_id=inspection.inspection_id)
    assert (kept.version, kept.inspection_id) == (1, inspection.inspection_id)


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ({"bbox": [0, 0, 97, 10], "class": "crack"}, "within 96 x 64 px"),
        ({"bbox": [-1, 0, 9, 10], "class": "crack"}, "within 96 x 64 px"),
        ({"bbox": [9, 0, 9, 10], "class": "crack"}, "left top before right bottom"),
        ({"bbox": [0, 0, float("nan"), 10], "class": "crack"}, "within"),
        ({"bbox": [0, 0, 5], "class": "crack"}, "x1, y1, x2, y2"),
        ({"bbox": "wide", "class": "crack"}, "x1, y1, x2, y2"),
        ({"class": "crack"}, "x1, y1, x2, y2"),
        ({"bbox": [0, 0, 5, 5]}, "expected a class"),
    ],
)
def test_what_is_no_box_is_refused_by_its_number(annotations, annotator, image, box, says):
    with pytest.raises(BadInputError, match="box 2") as caught:
        annotations.save(annotator, image, [CRACK, box], expected_version=0)
    assert says in str(caught.value)
    assert annotations.latest(annotator, image) is None


def test_the_edge_of_the_image_belongs_to_it(annotations, annotator, image):
    annotations.save(annotator, image, [{"bbox": [0, 0, 96, 64], "class": "crack"}], expected_version=0)


def test_image_and_inspection_must_be_there_and_fit(annotations, annotator, image, store):
    with pytest.raises(UnknownRecordError, match="no image"):
        annotations.save(annotator, "f" * 64, [], expected_version=0)
    other = store_image(store, radiograph("b"))
    inspection = InspectionService(store).record(add_user(store), detection_result())
    with pytest.raises(UnknownRecordError, match="of this image"):
        annotations.save(annotator, other, [], expected_version=0, inspection_id=inspection.inspection_id)


def test_other_roles_save_nothing(annotations, annotator, image):
    with pytest.raises(NotAllowedError):
        annotations.save(demoted(annotator, Role.ADMIN), image, [], expected_version=0)


def test_an_annotation_has_a_person_behind_it(annotations, image):
    with pytest.raises(NotAllowedError, match="a person must"):
        annotations.save(COMMAND_LINE, image, [], expected_version=0)

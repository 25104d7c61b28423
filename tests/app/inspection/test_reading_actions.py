"""What a browser may store as a reading: the model's part of it comes from the record."""

from typing import Any

import pytest

from app.inspection.reading.actions import checked_reading
from app.shared.resources import Resources
from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError
from core.domain.reading import Call
from core.domain.records import Inspection
from core.services.workspaces import Workspace
from tests.app.people import add_user
from tests.records import detection_result


@pytest.fixture
def inspector(workplace: Resources) -> Identity:
    user = add_user(workplace, "a.name")
    return Identity(user.user_id, "a.name", Role.INSPECTOR)


@pytest.fixture
def workspace(workplace: Resources) -> Workspace:
    return workplace.services.workspace


@pytest.fixture
def inspection(workspace: Workspace, inspector: Identity) -> Inspection:
    with workspace.store.write() as work:
        found = detection_result()
        work.images.add(found.radiograph, "film.png", 10, at=work.now, uploaded_by=inspector.user_id)
    return workspace.inspections.record(inspector, found)


def sent(workspace: Workspace, inspector: Identity, inspection: Inspection) -> list[dict[str, Any]]:
    """The first reading, as a browser hands it back."""
    reading = workspace.open_readings.open(inspector, inspection.inspection_id).reading
    return [one.to_box() for one in reading.indications]


OWN = {
    "id": "h1",
    "bbox": [5, 5, 15, 12],
    "class": "inclusion",
    "source": "human",
    "call": "confirmed",
    "model_index": None,
    "probability": 0.99,
    "iso6520": "301",
    "note": "slag",
}


def test_a_reading_comes_back_as_it_was_sent(workspace, inspector, inspection) -> None:
    boxes = sent(workspace, inspector, inspection)
    found = checked_reading(inspection, [{**boxes[0], "call": "dismissed"}, OWN])
    assert [one.call for one in found] == [Call.DISMISSED, Call.CONFIRMED]
    assert found[1].iso6520 == "301"


def test_a_browser_cannot_say_what_the_model_reported(workspace, inspector, inspection) -> None:
    boxes = sent(workspace, inspector, inspection)
    found = checked_reading(inspection, [{**boxes[0], "probability": 0.01}, OWN])
    assert found[0].probability == inspection.detections[0]["probability"]
    assert found[1].probability is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "human"}, "did not report"),
        ({"model_index": 99, "id": "m100"}, "did not report"),
        ({"model_index": None, "id": "h1"}, "did not report"),
        ({"id": "m7"}, "expected m1"),
        ({"class": "rust"}, "not an indication"),
    ],
)
def test_what_does_not_belong_together_is_refused(workspace, inspector, inspection, change, says) -> None:
    boxes = sent(workspace, inspector, inspection)
    with pytest.raises(BadInputError, match=says):
        checked_reading(inspection, [{**boxes[0], **change}])


def test_what_the_model_reported_cannot_be_removed(inspection) -> None:
    with pytest.raises(BadInputError, match="dismissed, not removed"):
        checked_reading(inspection, [OWN])


def test_more_indications_than_anybody_reads_are_refused(inspection) -> None:
    with pytest.raises(BadInputError, match="at most"):
        checked_reading(inspection, [OWN] * 2_001)

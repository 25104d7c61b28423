"""Decided indications that look like another one: who may see which, and features that are made once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.inspection import DetectionResult
from core.domain.radiograph import Polarity
from core.domain.reading import Call
from core.domain.records import Inspection, InspectionState
from core.services.inspections.similar_indications import SimilarService
from core.services.intake.asked import Asked
from core.store.feature_files import BoxFeatures, FeatureFiles
from tests.workplace import close_workplace, incoming, make_workplace, radiograph_png

PASSWORD = "three pores in 4 welds"


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Resources]:
    held = make_workplace(tmp_path)
    yield held
    close_workplace(held)


@pytest.fixture
def inspector(workplace: Resources) -> Identity:
    return _person(workplace, "i.spec", Role.INSPECTOR)


def _person(workplace: Resources, name: str, role: Role) -> Identity:
    user = workplace.services.accounts.add(COMMAND_LINE, name, name.title(), role, PASSWORD).user
    return Identity(user.user_id, user.name, role)


def _inspected(held: Resources, who: Identity, seed: int) -> tuple[Inspection, DetectionResult]:
    asked = Asked("weld", version=1, polarity=Polarity.FILM)
    file = incoming(f"film{seed}.png", radiograph_png(seed))
    found = held.services.inspect_files.inspect(who, file, asked)
    return found.inspection, found.result


def _decide(held: Resources, who: Identity, inspection: Inspection, call: Call) -> int:
    """Every reported indication gets this call; their number."""
    desk = held.services.workspace
    reading = desk.open_readings.open(who, inspection.inspection_id).reading
    said = [replace(one, call=call) for one in reading.indications]
    desk.readings.save(who, inspection.inspection_id, said, expected_version=reading.version)
    return len(said)


def test_the_most_similar_are_told_with_their_outcome_and_the_own_image_never_is(
    workplace: Resources, inspector: Identity
) -> None:
    first, result = _inspected(workplace, inspector, 1)
    _decide(workplace, inspector, first, Call.DISMISSED)
    second, other = _inspected(workplace, inspector, 2)
    n = _decide(workplace, inspector, second, Call.CONFIRMED)
    service = workplace.services.similar(inspector)
    found = service.similar_to(inspector, result, 0)
    assert found.n_compared == n > 0
    assert {one.decided.image_sha256 for one in found.found} == {other.radiograph.sha256}
    assert found.n_confirmed == len(found.found) == min(n, 10)
    assert [one.likeness for one in found.found] == sorted((o.likeness for o in found.found), reverse=True)
    assert {one.decided.decided_by for one in found.found} == {"I.Spec"}
    assert "0 dismissed" in found.words


def test_an_indication_is_most_alike_to_itself_on_another_radiograph(
    workplace: Resources, inspector: Identity
) -> None:
    inspection, result = _inspected(workplace, inspector, 1)
    _decide(workplace, inspector, inspection, Call.CONFIRMED)
    renamed = replace(result, radiograph=replace(result.radiograph, sha256="f" * 64))
    index = int(np.argmax(result.detections.scores))
    found = workplace.services.similar(inspector).similar_to(inspector, renamed, index)
    assert found.found[0].likeness == pytest.approx(1.0, abs=2e-3)
    assert found.found[0].decided.bbox == pytest.approx(result.detections.boxes[index].tolist(), abs=0.01)


def test_whoever_is_to_read_as_the_second_person_learns_nothing_of_the_first(
    workplace: Resources, inspector: Identity
) -> None:
    reviewer = _person(workplace, "r.view", Role.REVIEWER)
    inspection, _ = _inspected(workplace, inspector, 2)
    _decide(workplace, inspector, inspection, Call.CONFIRMED)
    with workplace.services.store.write() as work:
        work.inspections.set_state(inspection.inspection_id, InspectionState.SIGNED)
    _, result = _inspected(workplace, inspector, 1)
    similar = workplace.services.similar
    assert similar(inspector).similar_to(inspector, result, 0).n_compared > 0
    assert similar(reviewer).similar_to(reviewer, result, 0).n_compared == 0


def test_a_guest_sees_decisions_of_the_own_workspace_only(workplace: Resources, inspector: Identity) -> None:
    inspection, _ = _inspected(workplace, inspector, 2)
    _decide(workplace, inspector, inspection, Call.CONFIRMED)
    _, result = _inspected(workplace, inspector, 1)
    guest = Identity("guest-1", "guest", Role.GUEST, address="127.0.0.1")
    assert workplace.services.similar(guest).similar_to(guest, result, 0).n_compared == 0


def test_features_are_made_once_and_what_takes_too_long_waits(
    workplace: Resources, inspector: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspection, _ = _inspected(workplace, inspector, 2)
    n = _decide(workplace, inspector, inspection, Call.CONFIRMED)
    _, result = _inspected(workplace, inspector, 1)
    service = workplace.services.similar(inspector)
    late = service.similar_to(inspector, result, 0, within_s=0.0)
    assert (late.n_compared, late.n_waiting) == (0, n)
    assert "not compared yet" in late.words
    assert service.similar_to(inspector, result, 0).n_compared == n
    monkeypatch.setattr(SimilarService, "_made", lambda *_: pytest.fail("made twice"))
    assert service.similar_to(inspector, result, 0).n_compared == n


def _some(boxes: np.ndarray) -> BoxFeatures:
    n = len(boxes)
    return BoxFeatures(boxes, np.arange(n * 2, dtype=np.float16).reshape(n, 2), np.zeros((n, 4, 4), np.uint8))


def test_kept_features_come_back_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    files, boxes = FeatureFiles(tmp_path), np.array([[0, 0, 2, 2], [1, 1, 5, 5]], np.float32)
    files.keep("a" * 64, "b" * 64, Polarity.FILM, _some(boxes))
    found = files.find("a" * 64, "b" * 64, Polarity.FILM, boxes[::-1])
    assert found is not None
    assert found.features.tolist() == [[2, 3], [0, 1]]
    assert files.find("a" * 64, "b" * 64, Polarity.DIGITAL, boxes) is None
    assert files.find("a" * 64, "b" * 64, Polarity.FILM, boxes + 1) is None


def test_the_oldest_features_go_and_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    files, boxes = FeatureFiles(tmp_path, most_images=2), np.zeros((1, 4), np.float32)
    for digit in "abc":
        files.keep("0" * 64, digit * 64, Polarity.FILM, _some(boxes))
    left = sorted(path.name[0] for path in tmp_path.glob("*/*.npz"))
    assert len(left) == 2
    (path,) = tmp_path.glob(f"*/{left[1] * 64}-film.npz")
    path.write_bytes(b"nothing")
    assert files.find("0" * 64, left[1] * 64, Polarity.FILM, boxes) is None

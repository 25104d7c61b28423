"""What the viewer is told of a reading."""

import json
from dataclasses import replace

import pytest

from app.inspection.reading.render import caution_of
from app.inspection.reading.rows import reading_data
from app.shared.resources import Resources
from app.shared.viewer_rows import kinds_by_class, known_kinds, quality_lines
from core.domain.accounts import Identity, Role
from core.domain.kinds import Family
from core.domain.reading import Call, Setup
from core.domain.records import Disposition, InspectionState
from core.domain.signing import INSPECTED, meaning_words
from core.services.inspections.inspecting import Decision
from core.services.inspections.open_readings import OpenReading, ReadingProgress, progress_of
from core.services.inspections.seeing import SeenShares
from core.services.workspaces import Workspace
from tests.app.people import PASSWORD, add_user
from tests.records import detection_result


@pytest.fixture
def inspector(workplace: Resources) -> Identity:
    return Identity(add_user(workplace, "a.name").user_id, "a.name", Role.INSPECTOR)


@pytest.fixture
def workspace(workplace: Resources) -> Workspace:
    return workplace.services.workspace


@pytest.fixture
def inspection_id(workspace: Workspace, inspector: Identity) -> str:
    found = detection_result()
    with workspace.store.write() as work:
        work.images.add(found.radiograph, "film.png", 10, at=work.now, uploaded_by=inspector.user_id)
    setup = Setup(standard="iso-5817", quality_level="B", wall_mm=10, thickness_mm=10)
    return workspace.inspections.record(inspector, found, setup=setup).inspection_id


def shown(workspace: Workspace, inspector: Identity, inspection_id: str) -> OpenReading:
    return workspace.open_readings.open(inspector, inspection_id)


def test_a_new_inspection_begins_with_the_models_list_and_nothing_saved(
    workspace, inspector, inspection_id
) -> None:
    data = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})
    assert (data["version"], data["saved_at"], data["is_open"]) == (0, None, True)
    assert [one["id"] for one in data["indications"]] == ["m1"]
    assert data["decision"]["disposition"] is None
    assert data["report_url"] is None
    json.dumps(data)


def confirm(workspace: Workspace, inspector: Identity, inspection_id: str) -> None:
    said = [
        replace(one, call=Call.CONFIRMED)
        for one in shown(workspace, inspector, inspection_id).reading.indications
    ]
    workspace.readings.save(inspector, inspection_id, said, expected_version=0)


def test_what_the_rule_would_say_of_the_models_own_calls_is_a_preview(
    workspace, inspector, inspection_id
) -> None:
    data = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})
    judgement = data["judgement"]
    assert (judgement["verdict"], judgement["words"]) == ("not assessed", "not assessed, 1 open")
    assert judgement["preview"].startswith("not acceptable")
    assert judgement["indications"]["m1"]["is_preview"]


def test_the_verdict_names_table_clause_reasons_and_that_it_is_illustrative(
    workspace, inspector, inspection_id
) -> None:
    confirm(workspace, inspector, inspection_id)
    data = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})
    judgement = data["judgement"]
    assert (judgement["verdict"], judgement["words"], judgement["preview"]) == (
        "not acceptable",
        "not acceptable",
        "",
    )
    assert not judgement["indications"]["m1"]["is_preview"]
    assert judgement["caveat"].startswith("Illustrative rule")
    assert judgement["indications"]["m1"]["clauses"]
    assert judgement["indications"]["m1"]["reasons"]


def test_a_verdict_that_is_withheld_says_why(workspace, inspector, inspection_id) -> None:
    workspace.inspections.decide(inspector, inspection_id, Decision(None, setup=Setup()), expected_version=1)
    judgement = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})["judgement"]
    assert judgement == {
        "verdict": "not assessed",
        "words": "not assessed, 1 open",
        "withheld": ["no standard is chosen"],
        "notes": [],
    }


def test_the_same_reading_is_not_judged_twice_but_a_changed_one_is(
    workspace, inspector, inspection_id
) -> None:
    first = shown(workspace, inspector, inspection_id)
    again = workspace.open_readings.open(inspector, inspection_id, known=first)
    assert again.judgement is first.judgement
    said = [replace(one, call=Call.DISMISSED) for one in first.reading.indications]
    workspace.readings.save(inspector, inspection_id, said, expected_version=0)
    changed = workspace.open_readings.open(inspector, inspection_id, known=again)
    assert changed.judgement != first.judgement


def test_a_guest_is_told_that_guests_cannot_sign(workspace, inspector, inspection_id) -> None:
    guest = Identity("guest-1", "guest", Role.GUEST)
    data = reading_data(shown(workspace, inspector, inspection_id), guest, refused={})
    assert not data["may_sign"]
    assert data["why_not_sign"] == "guests cannot sign"


def test_a_signed_inspection_is_closed_and_names_its_signer(workspace, inspector, inspection_id) -> None:
    confirm(workspace, inspector, inspection_id)
    workspace.inspections.decide(inspector, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    workspace.signing_off.sign(
        inspector, inspection_id, PASSWORD, expected_version=2, expected_reading=1, address="192.0.2.7"
    )
    data = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})
    assert (data["is_open"], data["may_revise"]) == (False, True)
    (signature,) = data["signatures"]
    assert (signature["name"], signature["meaning"]) == ("A.Name", meaning_words(INSPECTED))
    assert signature["at"].endswith("UTC")
    assert data["report_url"] == f"/reports/{inspection_id}.pdf"


def test_every_class_offers_its_kinds_and_none_twice(workspace, inspector, inspection_id) -> None:
    kinds = reading_data(shown(workspace, inspector, inspection_id), inspector, refused={})["kinds"]
    assert kinds["porosity"]["group"] == "201"
    assert ["2011", "gas pore"] in kinds["porosity"]["kinds"]
    assert ["602", "spatter"] in kinds["unclassified"]["kinds"]
    assert kinds["unclassified"]["words"] == "type not specified"


def test_a_casting_is_offered_the_words_of_its_standards_and_no_weld_number() -> None:
    kinds = kinds_by_class(Family.CASTING)
    assert list(kinds) == ["porosity", "crack", "inclusion", "unclassified"]
    assert {one["group"] for one in kinds.values()} == {None}
    assert kinds["inclusion"]["words"] == "foreign material, type not specified"
    offered = dict(kind for one in kinds.values() for kind in one["kinds"])
    assert set(offered) == {one["code"] for one in known_kinds(Family.CASTING)}
    assert offered["dendritic-shrinkage"] == "dendritic shrinkage, filamentary"


@pytest.mark.parametrize("family", Family)
def test_a_label_is_of_an_imperfection(family: Family) -> None:
    offered = [kind for one in kinds_by_class(family, is_label=True).values() for kind, _ in one["kinds"]]
    assert "film-artefact" not in offered
    assert len(offered) == len(set(offered)) > 10


def test_image_quality_that_was_not_assessed_is_not_a_pass() -> None:
    assert quality_lines(None) is None
    report = {"checks": [{"kind": "blur", "state": "failed", "message": "3 px"}]}
    assert quality_lines(report) == [{"name": "blur", "state": "failed", "message": "3 px"}]


def test_who_looked_at_nothing_at_1_to_1_is_told_before_signing(
    workspace: Workspace, inspector: Identity, inspection_id: str
) -> None:
    shown = workspace.open_readings.open(inspector, inspection_id)
    assert caution_of(shown) == "You have looked at nothing of this radiograph at 1:1 or more."
    found = shown.reading.indications
    dismissed = [replace(one, call=Call.DISMISSED) for one in found]
    workspace.readings.save(inspector, inspection_id, dismissed, expected_version=0)
    told = caution_of(workspace.open_readings.open(inspector, inspection_id))
    assert told.endswith(f"1:1 or more, and dismissed {len(found)}.")
    assert caution_of(replace(shown, shares=SeenShares(0.5, 0.5))) == ""


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (InspectionState.OPEN, ReadingProgress.WAITING),
        (InspectionState.SIGNED, ReadingProgress.SIGNED),
        (InspectionState.CONCURRED, ReadingProgress.SIGNED),
        (InspectionState.RETURNED, ReadingProgress.RETURNED),
    ],
)
def test_what_the_second_person_returned_is_told_from_what_is_signed(
    workspace: Workspace,
    inspector: Identity,
    inspection_id: str,
    state: InspectionState,
    told: ReadingProgress,
) -> None:
    reading = workspace.open_readings.open(inspector, inspection_id).reading
    assert progress_of(replace(reading, inspection=replace(reading.inspection, state=state))) is told

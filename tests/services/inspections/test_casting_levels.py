"""Severity levels of a casting: by a template nothing is evaluable; what an admin enters decides."""

from dataclasses import replace

import pytest

from core.domain.accounts import Identity, Role
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, Setup
from core.domain.standing import ReadingVerdict
from core.services.inspections.judging import Judgement, JudgingService, judgement_from
from core.services.inspections.rule_editing import RuleSetEditingService
from core.services.workspaces import Workspace
from core.standards.shipped import shipped_rule_set
from core.store.unit_of_work import Store
from tests.records import MINE, add_user, detection_result, new_store

TEMPLATE = "castings-1-8"
SETUP = Setup(standard=TEMPLATE, quality_level="drawing")
GAS_HOLE = replace(MINE, call=Call.CONFIRMED, indication_class=IndicationClass.POROSITY, kind="gas-hole")


@pytest.fixture
def store(engine) -> Store:
    return new_store(engine)


@pytest.fixture
def filled(store: Store) -> JudgingService:
    """The judging service after an admin allowed gas holes up to level 3."""
    text = shipped_rule_set(TEMPLATE).text.replace('version: "1"', 'version: "2"')
    text = text.replace("{drawing: not stated}", "{drawing: [{check: grade, at_most: 3}]}", 1)
    RuleSetEditingService(store).save(add_user(store, Role.ADMIN), TEMPLATE, text, expected_version=0)
    return JudgingService(store)


def judged(judging: JudgingService, *said: ReadIndication) -> Judgement:
    return judging.judge(said, SETUP, None)


def test_by_the_template_a_graded_kind_is_not_evaluable(store: Store) -> None:
    told = judged(JudgingService(store), replace(GAS_HOLE, grade=1))
    assert told.word is ReadingVerdict.NOT_EVALUABLE
    assert "states no limit yet" in told.summary


@pytest.mark.parametrize(
    ("grade", "verdict"),
    [
        (3, ReadingVerdict.ACCEPTABLE),
        (4, ReadingVerdict.NOT_ACCEPTABLE),
        (None, ReadingVerdict.NOT_EVALUABLE),
    ],
)
def test_the_level_decides_once_the_table_is_filled_in(
    filled: JudgingService, grade: int | None, verdict: ReadingVerdict
) -> None:
    assert judged(filled, replace(GAS_HOLE, grade=grade)).word is verdict


def test_what_is_rejected_is_called_by_its_kind(filled: JudgingService) -> None:
    standing = judged(filled, replace(GAS_HOLE, grade=8)).standing
    assert standing is not None
    assert standing.rejected == ("gas hole",)


def test_the_scale_of_the_levels_is_kept_with_what_is_signed(filled: JudgingService) -> None:
    told = judged(filled, replace(GAS_HOLE, grade=3))
    assert told.verdict is not None
    assert told.verdict.grading is not None
    assert told.verdict.grading.highest == 8
    assert judgement_from(told.to_dict()) == told


def test_a_verdict_from_before_there_were_levels_is_read_back(filled: JudgingService) -> None:
    content = judged(filled, replace(GAS_HOLE, grade=3)).to_dict()
    del content["verdict"]["grading"]
    kept = judgement_from(content).verdict
    assert kept is not None
    assert kept.grading is None


def test_kind_and_level_are_saved_with_the_reading(desk: Workspace, inspector: Identity) -> None:
    inspection_id = desk.inspections.record(inspector, detection_result()).inspection_id
    said = [replace(GAS_HOLE, grade=3)]
    desk.readings.save(inspector, inspection_id, said, expected_version=0)
    assert list(desk.open_readings.open(inspector, inspection_id).reading.indications) == said

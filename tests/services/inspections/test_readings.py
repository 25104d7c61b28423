"""Reading and signing: from the model's list to a person's signed opinion."""

from dataclasses import replace

import pytest

from core.domain.accounts import Identity
from core.domain.errors import (
    BadInputError,
    ImmutableRecordError,
    SignInRefusedError,
    StaleVersionError,
)
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, Setup
from core.domain.records import Disposition, InspectionState
from core.services.inspections.inspecting import Decision
from core.services.inspections.judging import judgement_from
from core.services.workspaces import Workspace
from tests.conftest import ON_EACH_DATABASE
from tests.records import MINE, PASSWORD, add_user, detection_result


@pytest.fixture
def inspection_id(desk: Workspace, inspector: Identity) -> str:
    return desk.inspections.record(inspector, detection_result()).inspection_id


def decided(desk: Workspace, inspector: Identity, inspection_id: str, *indications: ReadIndication) -> None:
    """A reading and a disposition, ready to be signed."""
    reading = desk.open_readings.open(inspector, inspection_id).reading
    said = indications or tuple(replace(one, call=Call.CONFIRMED) for one in reading.indications)
    desk.readings.save(inspector, inspection_id, said, expected_version=reading.version)
    desk.inspections.decide(
        inspector, inspection_id, Decision(Disposition.REJECT), expected_version=reading.inspection.version
    )


def sign(desk: Workspace, who: Identity, inspection_id: str, password: str = PASSWORD):
    reading = desk.open_readings.open(who, inspection_id).reading
    return desk.signing_off.sign(
        who,
        inspection_id,
        password,
        expected_version=reading.inspection.version,
        expected_reading=reading.version,
        address="127.0.0.1",
    )


def test_a_reading_begins_with_what_the_model_reports_at_its_operating_point(desk, inspector, inspection_id):
    reading = desk.open_readings.open(inspector, inspection_id).reading
    assert reading.version == 0
    (only,) = reading.indications  # the second lies at 0.3, below 0.4
    assert (only.indication_id, only.model_index, only.call) == ("m1", 0, Call.OPEN)
    assert (only.bbox, only.indication_class) == ((1, 2, 30.5, 12.25), IndicationClass.CRACK)
    assert only.probability == pytest.approx(0.8)


@ON_EACH_DATABASE
def test_every_save_is_kept_and_comes_back(desk, inspector, inspection_id):
    start = desk.open_readings.open(inspector, inspection_id).reading
    said = (replace(start.indications[0], call=Call.DISMISSED, note="scratch"), MINE)
    desk.readings.save(inspector, inspection_id, said, expected_version=0)
    back = desk.open_readings.open(inspector, inspection_id).reading
    assert (back.indications, back.version, back.author_id) == (said, 1, inspector.user_id)


@ON_EACH_DATABASE
def test_saving_over_somebody_elses_change_is_refused(desk, store, inspector, inspection_id):
    desk.readings.save(inspector, inspection_id, [MINE], expected_version=0)
    with pytest.raises(StaleVersionError) as caught:
        desk.readings.save(add_user(store), inspection_id, [], expected_version=0)
    assert (caught.value.yours, caught.value.stored) == (0, 1)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ([MINE, MINE], "different id"),
        ([replace(MINE, bbox=(0, 0, 200, 5))], "within 96 x 64 px"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(desk, inspector, inspection_id, bad, says):
    with pytest.raises(BadInputError, match=says):
        desk.readings.save(inspector, inspection_id, bad, expected_version=0)
    assert desk.open_readings.open(inspector, inspection_id).reading.version == 0


@ON_EACH_DATABASE
def test_signed_means_nothing_changes_any_more(desk, inspector, inspection_id):
    decided(desk, inspector, inspection_id)
    signature = sign(desk, inspector, inspection_id)
    reading = desk.open_readings.open(inspector, inspection_id).reading
    assert reading.inspection.state is InspectionState.SIGNED
    assert signature.signer_id == inspector.user_id
    assert desk.signing_off.is_intact(signature)
    with pytest.raises(ImmutableRecordError):
        desk.readings.save(inspector, inspection_id, [], expected_version=reading.version)
    with pytest.raises(ImmutableRecordError):
        desk.inspections.decide(
            inspector, inspection_id, Decision(None), expected_version=reading.inspection.version
        )
    with pytest.raises(ImmutableRecordError):
        sign(desk, inspector, inspection_id)


@pytest.mark.parametrize("field", ["signer_id", "meaning", "content_sha256", "inspection_version"])
def test_a_changed_signature_is_not_intact(desk, inspector, inspection_id, field):
    decided(desk, inspector, inspection_id)
    signature = sign(desk, inspector, inspection_id)
    other = 99 if field == "inspection_version" else "other"
    assert not desk.signing_off.is_intact(replace(signature, **{field: other}))


def test_signing_asks_for_the_password_and_for_a_disposition(desk, inspector, inspection_id):
    with pytest.raises(BadInputError, match="disposition"):
        sign(desk, inspector, inspection_id)
    decided(desk, inspector, inspection_id)
    with pytest.raises(SignInRefusedError):
        sign(desk, inspector, inspection_id, password="guessed")
    assert desk.open_readings.open(inspector, inspection_id).reading.inspection.is_open


def test_what_changed_since_it_was_looked_at_is_not_signed(desk, inspector, inspection_id):
    decided(desk, inspector, inspection_id)
    for versions in (
        {"expected_version": 1, "expected_reading": 1},
        {"expected_version": 2, "expected_reading": 0},
    ):
        with pytest.raises(StaleVersionError):
            desk.signing_off.sign(inspector, inspection_id, PASSWORD, address="127.0.0.1", **versions)


@ON_EACH_DATABASE
def test_what_differs_from_the_model_is_kept_with_the_signature(desk, store, inspector, inspection_id):
    start = desk.open_readings.open(inspector, inspection_id).reading.indications[0]
    decided(desk, inspector, inspection_id, replace(start, call=Call.DISMISSED), MINE)
    sign(desk, inspector, inspection_id)
    with store.read() as work:
        kinds = {one.kind for one in work.disagreements.of_inspection(inspection_id)}
    assert kinds == {"dismissed by the inspector", "added by the inspector"}


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, set()),
        ({"indication_class": IndicationClass.UNDERCUT}, {"class changed"}),
        ({"bbox": (1, 2, 20, 12.25)}, {"extent changed"}),
        ({"bbox": (1, 2, 30, 12.25)}, set()),
    ],
)
def test_only_real_changes_are_disagreements(desk, store, inspector, inspection_id, change, kinds):
    start = desk.open_readings.open(inspector, inspection_id).reading.indications[0]
    decided(desk, inspector, inspection_id, replace(start, call=Call.CONFIRMED, **change))
    sign(desk, inspector, inspection_id)
    with store.read() as work:
        assert {one.kind for one in work.disagreements.of_inspection(inspection_id)} == kinds


@ON_EACH_DATABASE
def test_a_correction_is_a_new_revision_that_begins_where_the_signed_one_ended(
    desk, inspector, inspection_id
):
    with pytest.raises(BadInputError, match="not signed"):
        desk.signing_off.revise(inspector, inspection_id)
    decided(desk, inspector, inspection_id, MINE)
    sign(desk, inspector, inspection_id)
    revision = desk.signing_off.revise(inspector, inspection_id)
    reading = desk.open_readings.open(inspector, revision.inspection_id).reading
    assert (revision.revision_of, revision.state) == (inspection_id, InspectionState.OPEN)
    assert reading.indications == (MINE,)
    desk.readings.save(inspector, revision.inspection_id, [], expected_version=1)
    assert desk.open_readings.open(inspector, inspection_id).reading.indications == (MINE,)


def test_a_verdict_waits_for_a_standard_and_a_scale(desk, inspector, inspection_id):
    reading = desk.open_readings.open(inspector, inspection_id).reading
    nothing = desk.judging.judge(reading.indications, Setup(), None)
    assert (nothing.verdict, nothing.withheld) == (None, ("no standard is chosen",))
    setup = Setup(standard="iso-5817", quality_level="B", wall_mm=10, thickness_mm=10)
    (crack,) = (replace(one, call=Call.CONFIRMED) for one in reading.indications)
    judged = desk.judging.judge([crack], setup, None)
    assert judged.words == "not acceptable"
    assert any("no scale" in note for note in judged.notes)
    pore = replace(crack, indication_class=IndicationClass.POROSITY)
    assert desk.judging.judge([pore], setup, None).words == "not evaluable"


def test_what_nobody_assessed_is_not_judged_and_what_the_rule_would_say_is_a_preview(
    desk, inspector, inspection_id
):
    reading = desk.open_readings.open(inspector, inspection_id).reading
    setup = Setup(standard="iso-5817", quality_level="B", wall_mm=10, thickness_mm=10)
    judged = desk.judging.judge(reading.indications, setup, None)
    assert (judged.words, judged.summary) == ("not assessed, 1 open", "not assessed, 1 open")
    assert judged.verdict.indications == ()
    assert judged.preview.summary == "not acceptable: 1 reported indication is not acceptable"
    assert "preview" not in judged.to_dict()
    assert judgement_from(judged.to_dict()) == replace(judged, preview=None)
    (crack,) = reading.indications
    half = desk.judging.judge(
        [replace(crack, call=Call.CONFIRMED), replace(crack, indication_id="m2")], setup, None
    )
    assert half.words == "not acceptable, 1 open"
    assert half.summary == "not acceptable: 1 confirmed indication is not acceptable, 1 open"
    assert half.standing.rejected == ("crack",)


def test_a_failed_image_quality_withholds_the_verdict(desk, inspector, inspection_id):
    reading = desk.open_readings.open(inspector, inspection_id).reading
    report = {"checks": [{"state": "failed", "message": "12 % of the pixels are clipped"}]}
    judged = desk.judging.judge(
        reading.indications, Setup(standard="iso-5817", quality_level="B"), None, report
    )
    assert (judged.verdict, judged.withheld) == (None, ("12 % of the pixels are clipped",))


def test_a_dismissed_indication_is_not_judged(desk, inspector, inspection_id):
    reading = desk.open_readings.open(inspector, inspection_id).reading
    gone = [replace(one, call=Call.DISMISSED) for one in reading.indications]
    judged = desk.judging.judge(gone, Setup(standard="iso-5817", quality_level="B"), None)
    assert judged.summary == "acceptable: no indication is confirmed"

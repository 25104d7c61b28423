"""Film first: the model stays hidden until the first look is done, and the record tells what was found."""

import pytest

from core.domain.accounts import Role
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError
from core.domain.reading import Call
from core.domain.records import Disposition
from core.services.inspections.film_first import first_look_content
from core.services.inspections.inspecting import Decision
from tests.records import MINE, PASSWORD, add_user, detection_result


def opened(desk, inspector):
    return desk.inspections.open(
        inspector, desk.inspections.prepare(inspector, detection_result()).inspection_id
    )


def shown(desk, who, inspection):
    return desk.open_readings.open(who, inspection.inspection_id)


@pytest.fixture
def veiled(desk, inspector):
    desk.film_first.set_own(inspector, True)
    return opened(desk, inspector)


def test_the_admin_sets_the_mode_and_everybody_may_choose_otherwise(desk, store, inspector) -> None:
    admin = add_user(store, Role.ADMIN)
    assert not desk.film_first.is_on(inspector)
    desk.film_first.set_default(admin, True)
    assert desk.film_first.is_on(inspector)
    desk.film_first.set_own(inspector, False)
    assert (desk.film_first.is_on(inspector), desk.film_first.own(inspector)) == (False, False)
    desk.film_first.set_own(inspector, None)
    assert desk.film_first.is_on(inspector)
    with pytest.raises(NotAllowedError):
        desk.film_first.set_default(inspector, False)


def test_without_the_mode_the_model_is_on_show_and_nothing_is_kept(desk, store, inspector) -> None:
    inspection = opened(desk, inspector)
    assert not shown(desk, inspector, inspection).is_veiled
    with pytest.raises(BadInputError, match="on show already"):
        desk.first_looks.finish(inspector, inspection.inspection_id, expected_version=0)
    with store.read() as work:
        assert first_look_content(work, inspection.inspection_id) == {}


def test_what_is_not_opened_yet_is_hidden_too(desk, inspector) -> None:
    desk.film_first.set_own(inspector, True)
    prepared = desk.inspections.prepare(inspector, detection_result())
    assert shown(desk, inspector, prepared).is_veiled


def test_what_was_opened_in_the_mode_stays_hidden_until_the_look_is_done(desk, inspector, veiled) -> None:
    desk.film_first.set_own(inspector, False)
    assert shown(desk, inspector, veiled).is_veiled


def test_what_was_opened_before_the_mode_is_no_first_look(desk, inspector) -> None:
    inspection = opened(desk, inspector)
    desk.film_first.set_own(inspector, True)
    assert not shown(desk, inspector, inspection).is_veiled


def test_marks_are_saved_beside_the_hidden_list_and_kept_as_the_first_look(
    desk, store, inspector, veiled
) -> None:
    desk.first_looks.save(inspector, veiled.inspection_id, (MINE,), expected_version=0)
    assert [one.indication_id for one in shown(desk, inspector, veiled).reading.indications] == ["m1", "h1"]
    look = desk.first_looks.finish(inspector, veiled.inspection_id, expected_version=1)
    now = shown(desk, inspector, veiled)
    assert (now.is_veiled, now.first_look) == (False, look)
    assert look.boxes == (MINE,)
    assert look.n_model == 1
    # slag at the place of a crack: both are linear, so they are one, as the person called it
    assert [(one.indication_id, one.call, one.note) for one in now.reading.indications] == [
        ("m1", Call.CONFIRMED, "slag")
    ]
    with store.read() as work:
        assert first_look_content(work, veiled.inspection_id)["first_look"]["boxes"][0]["note"] == "slag"


def test_before_it_is_done_nothing_of_the_model_can_be_called_and_nothing_signed(
    desk, inspector, veiled
) -> None:
    model = shown(desk, inspector, veiled).reading.indications
    with pytest.raises(BadInputError, match="not shown yet"):
        desk.first_looks.save(inspector, veiled.inspection_id, model, expected_version=0)
    decided = desk.inspections.decide(
        inspector, veiled.inspection_id, Decision(Disposition.REJECT), expected_version=1
    )
    with pytest.raises(BadInputError, match="first look"):
        desk.signing_off.sign(
            inspector,
            veiled.inspection_id,
            PASSWORD,
            expected_version=decided.version,
            expected_reading=0,
            address="",
        )


def test_a_look_that_others_changed_meanwhile_is_not_done(desk, inspector, veiled) -> None:
    desk.first_looks.save(inspector, veiled.inspection_id, (MINE,), expected_version=0)
    with pytest.raises(StaleVersionError):
        desk.first_looks.finish(inspector, veiled.inspection_id, expected_version=0)
    assert shown(desk, inspector, veiled).is_veiled


def test_deciding_before_opening_begins_the_look_as_well(desk, inspector) -> None:
    desk.film_first.set_own(inspector, True)
    prepared = desk.inspections.prepare(inspector, detection_result())
    desk.inspections.decide(inspector, prepared.inspection_id, Decision(None, "dark"), expected_version=1)
    assert shown(desk, inspector, prepared).is_veiled


def test_the_record_tells_the_first_look(desk, inspector, veiled) -> None:
    look = desk.first_looks.finish(inspector, veiled.inspection_id, expected_version=0)
    assert desk.records.get(inspector, veiled.inspection_id).first_look == look
    assert look.words == "0 indications marked before the model was shown; the model reports 1, 0 the same"

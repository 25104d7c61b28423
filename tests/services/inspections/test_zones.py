"""The zone is kept with the inspection, drawn by people, signed, and copied to a revision."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.domain.accounts import Role
from core.domain.errors import ImmutableRecordError, NotAllowedError
from core.domain.radiograph import Polarity
from core.domain.records import InspectionState
from core.domain.seen import SeenGrid
from core.domain.zone import Zone
from core.services.inspections.seeing import SeenShares, seen_content, shares_of
from core.services.workspaces import make_workspace
from tests.imaging.test_zone import film
from tests.records import add_user, detection_result, new_store

DRAWN = Zone(((0, 0), (300, 0), (300, 40), (0, 40)), is_band=True)


@pytest.fixture
def place(engine, tmp_path: Path):
    store = new_store(engine)
    desk, who = make_workspace("", store, tmp_path), add_user(store)
    picture = cv2.imencode(".png", film(lambda x: 150 + 0 * x, half=40, height=300, width=1200))[1].tobytes()
    radiograph = desk.images.add(who, picture, "film.png", polarity=Polarity.FILM)
    return desk, who, desk.inspections.record(who, detection_result(radiograph))


def signed_zone(desk, who, inspection) -> dict:
    with desk.store.read() as work:
        return dict(seen_content(work, inspection, who.user_id))


def test_it_is_found_and_kept_when_somebody_begins_to_read(place) -> None:
    desk, who, inspection = place
    assert signed_zone(desk, who, inspection) == {}
    found = desk.zones.of(who, inspection)
    assert found.zone
    assert found.zone.contains(600, 150)
    assert signed_zone(desk, who, inspection)["zone"]["source"] == "found"
    assert desk.zones.of(who, inspection).zone == found.zone


def test_somebody_who_only_looks_writes_nothing(place) -> None:
    desk, who, inspection = place
    assert desk.zones.of(add_user(desk.store, Role.ANNOTATOR), inspection).zone
    assert signed_zone(desk, who, inspection) == {}


def test_a_person_draws_it_says_that_there_is_none_and_has_it_found_again(place) -> None:
    desk, who, inspection = place
    desk.zones.draw(who, inspection.inspection_id, DRAWN)
    kept = desk.zones.of(who, inspection)
    assert (kept.zone, kept.is_drawn) == (DRAWN, True)
    desk.zones.draw(who, inspection.inspection_id, None)
    assert desk.zones.of(who, inspection).zone is None
    desk.zones.find_again(who, inspection.inspection_id)
    assert not desk.zones.of(who, inspection).is_drawn
    with pytest.raises(NotAllowedError):
        desk.zones.draw(add_user(desk.store, Role.ANNOTATOR), inspection.inspection_id, None)


def test_a_signed_one_stays_as_it_is(place) -> None:
    desk, who, inspection = place
    desk.zones.draw(who, inspection.inspection_id, DRAWN)
    with desk.store.write() as work:
        work.inspections.set_state(inspection.inspection_id, InspectionState.SIGNED)
    with pytest.raises(ImmutableRecordError, match="signed"):
        desk.zones.draw(who, inspection.inspection_id, None)
    revision = desk.signing_off.revise(who, inspection.inspection_id)
    assert desk.zones.of(who, revision).zone == DRAWN


def test_the_share_of_the_zone_that_was_seen_is_told_beside_that_of_the_radiograph(place) -> None:
    desk, who, inspection = place
    desk.zones.draw(who, inspection.inspection_id, Zone(((0, 0), (1200, 0), (1200, 64), (0, 64))))
    cells = np.zeros((5, 19), bool)
    cells[0] = True
    desk.seeing.add(who, inspection.inspection_id, SeenGrid(1200, 300, cells).to_text())
    with desk.store.read() as work:
        shares = shares_of(work, inspection, who.user_id)
    assert shares == SeenShares(0.213, 1.0)
    assert shares.words == "21 % of the radiograph, 100 % of the zone"

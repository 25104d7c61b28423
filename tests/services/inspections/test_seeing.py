"""What was seen is kept for each person while the inspection is open."""

import numpy as np
import pytest
from sqlalchemy import Engine

from core.domain.accounts import Role
from core.domain.errors import BadInputError, NotAllowedError
from core.domain.records import InspectionState
from core.domain.seen import SeenGrid
from core.services.inspections.inspecting import InspectionService
from core.services.inspections.seeing import SeeingService, seen_area, seen_content, seen_words
from core.store.unit_of_work import Store
from tests.records import add_user, detection_result, new_store, store_image


@pytest.fixture
def place(engine: Engine):
    store = new_store(engine)
    store_image(store)
    inspector = add_user(store)
    return store, inspector, InspectionService(store).record(inspector, detection_result())


def cells_of(store: Store, inspection, *seen: tuple[int, int]) -> str:
    with store.read() as work:
        image = work.images.find(inspection.image_sha256)
    grid = seen_area_of(store, inspection, None)
    cells = np.zeros_like(grid.cells)
    for place in seen:
        cells[place] = True
    return SeenGrid(image.width, image.height, cells).to_text()


def seen_area_of(store: Store, inspection, user_id: str | None) -> SeenGrid:
    with store.read() as work:
        return seen_area(work, inspection, user_id)


def test_each_person_sees_for_themselves_and_what_was_seen_stays_so(place) -> None:
    store, inspector, inspection = place
    other = add_user(store, Role.REVIEWER)
    service = SeeingService(store)
    service.add(inspector, inspection.inspection_id, cells_of(store, inspection, (0, 0)))
    service.add(inspector, inspection.inspection_id, cells_of(store, inspection, (0, 1)))
    assert seen_area_of(store, inspection, inspector.user_id).cells[0, :2].all()
    assert seen_area_of(store, inspection, other.user_id).share() == 0


def test_of_a_signed_inspection_nothing_more_is_kept(place) -> None:
    store, inspector, inspection = place
    service = SeeingService(store)
    service.add(inspector, inspection.inspection_id, cells_of(store, inspection, (0, 0)))
    with store.write() as work:
        work.inspections.set_state(inspection.inspection_id, InspectionState.SIGNED)
    before = seen_area_of(store, inspection, inspector.user_id).to_text()
    service.add(inspector, inspection.inspection_id, cells_of(store, inspection, (0, 1)))
    assert seen_area_of(store, inspection, inspector.user_id).to_text() == before


def test_an_annotator_and_cells_of_another_radiograph_are_refused(place) -> None:
    store, inspector, inspection = place
    service = SeeingService(store)
    with pytest.raises(NotAllowedError):
        service.add(add_user(store, Role.ANNOTATOR), inspection.inspection_id, "")
    with pytest.raises(BadInputError, match="seen cells"):
        service.add(inspector, inspection.inspection_id, "A" * 800)


def test_where_nothing_was_seen_the_signed_content_is_that_of_before(place) -> None:
    store, inspector, inspection = place
    with store.read() as work:
        assert seen_content(work, inspection, inspector.user_id) == {}
    SeeingService(store).add(inspector, inspection.inspection_id, cells_of(store, inspection, (0, 0)))
    with store.read() as work:
        content = seen_content(work, inspection, inspector.user_id)
    assert 0 < content["seen"]["share"] < 1


@pytest.mark.parametrize(("share", "words"), [(0.0, "0 %"), (0.999, "99 %"), (1.0, "100 %")])
def test_all_of_it_is_said_only_when_all_of_it_was_seen(share, words) -> None:
    assert seen_words(share) == words

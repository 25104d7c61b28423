"""Measures are kept with the inspection, signed, and copied to its correction."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.domain.accounts import Role
from core.domain.errors import BadInputError, ImmutableRecordError, NotAllowedError
from core.domain.measures import Measure, MeasureKind
from core.domain.radiograph import Polarity
from core.domain.reading import Call
from core.domain.records import Disposition
from core.services.inspections.inspecting import Decision
from core.services.inspections.measuring import measured_content
from tests.records import PASSWORD, add_user, detection_result

LENGTH = Measure("L1", MeasureKind.LENGTH, (0, 0), (30, 40))
REGION = Measure("R1", MeasureKind.REGION, (10, 10), (20, 20), mean=1.0)


@pytest.fixture
def pixels():
    return np.random.default_rng(2).integers(0, 4096, (64, 96), dtype=np.uint16)


@pytest.fixture
def inspection(desk, inspector, pixels):
    data = cv2.imencode(".png", pixels)[1].tobytes()
    film = desk.images.add(inspector, data, "film.png", polarity=Polarity.FILM)
    return desk.inspections.record(inspector, detection_result(film))


def sign(desk, inspector, inspection) -> None:
    said = desk.open_readings.open(inspector, inspection.inspection_id).reading.indications
    confirmed = [replace(one, call=Call.CONFIRMED) for one in said]
    desk.readings.save(inspector, inspection.inspection_id, confirmed, expected_version=0)
    decided = desk.inspections.decide(
        inspector, inspection.inspection_id, Decision(Disposition.REJECT), expected_version=inspection.version
    )
    desk.signing_off.sign(
        inspector,
        inspection.inspection_id,
        PASSWORD,
        expected_version=decided.version,
        expected_reading=1,
        address="",
    )


def test_measures_come_back_with_values_read_here_whatever_a_browser_sent(
    desk, inspector, inspection, pixels
) -> None:
    desk.measuring.save(inspector, inspection.inspection_id, [LENGTH, REGION])
    length, region = desk.open_readings.open(inspector, inspection.inspection_id).measures
    assert length == LENGTH
    assert region.mean == pytest.approx(pixels[10:20, 10:20].mean())


def test_the_record_tells_each_with_value_unit_and_source_of_the_scale(desk, inspector, inspection) -> None:
    desk.measuring.save(inspector, inspection.inspection_id, [LENGTH])
    desk.scales.set(inspector, inspection.image_sha256, known_mm=1, measured_px=10)
    (line,) = desk.records.get(inspector, inspection.inspection_id).measures
    assert (line.value, line.scale_source) == ("5.00 mm", "entered by the user")


def test_they_are_signed_and_a_later_scale_changes_nothing(desk, store, inspector, inspection) -> None:
    desk.measuring.save(inspector, inspection.inspection_id, [LENGTH])
    desk.scales.set(inspector, inspection.image_sha256, known_mm=1, measured_px=10)
    sign(desk, inspector, inspection)
    with pytest.raises(ImmutableRecordError):
        desk.measuring.save(inspector, inspection.inspection_id, [])
    desk.scales.set(inspector, inspection.image_sha256, known_mm=2, measured_px=10)
    (line,) = desk.records.get(inspector, inspection.inspection_id).measures
    assert line.value == "5.00 mm"
    with store.read() as work:
        assert measured_content(work, inspection.inspection_id) == {"measures": [LENGTH.to_dict()]}


def test_a_correction_begins_with_them(desk, inspector, inspection) -> None:
    desk.measuring.save(inspector, inspection.inspection_id, [LENGTH])
    sign(desk, inspector, inspection)
    revision = desk.signing_off.revise(inspector, inspection.inspection_id)
    assert desk.open_readings.open(inspector, revision.inspection_id).measures == (LENGTH,)


def test_where_none_was_made_the_signed_content_is_that_of_before(desk, store, inspector, inspection) -> None:
    desk.measuring.save(inspector, inspection.inspection_id, [LENGTH])
    desk.measuring.save(inspector, inspection.inspection_id, [])
    with store.read() as work:
        assert measured_content(work, inspection.inspection_id) == {}


def test_an_annotator_two_of_one_name_and_too_many_are_refused(desk, store, inspector, inspection) -> None:
    with pytest.raises(NotAllowedError):
        desk.measuring.save(add_user(store, Role.ANNOTATOR), inspection.inspection_id, [])
    with pytest.raises(BadInputError, match="different id"):
        desk.measuring.save(inspector, inspection.inspection_id, [LENGTH, LENGTH])
    many = [Measure(f"L{n}", MeasureKind.LENGTH, (0, 0), (1, 1)) for n in range(201)]
    with pytest.raises(BadInputError, match="at most 200"):
        desk.measuring.save(inspector, inspection.inspection_id, many)

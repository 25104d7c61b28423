"""Typed pixel pitches: kept, told in the audit log, divided by the magnification of the setup."""

from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.errors import BadInputError
from core.domain.exposure import Exposure
from core.domain.radiograph import PitchSource, Polarity
from core.domain.reading import Setup
from core.services.inspections.inspecting import Decision
from core.store.record_tables import AuditEventRow
from core.store.workbench import KeptScale
from tests.records import START, detection_result

SETUP = Setup(exposure=Exposure(sfd_mm=700, b_mm=100))


@pytest.fixture
def inspection(desk, inspector):
    data = cv2.imencode(".png", np.zeros((64, 96), np.uint16))[1].tobytes()
    return desk.inspections.record(
        inspector, detection_result(desk.images.add(inspector, data, "film.png", polarity=Polarity.FILM))
    )


def pitch_of(desk, inspector, inspection):
    return desk.open_readings.open(inspector, inspection.inspection_id).pitch


def test_a_typed_pitch_counts_at_film_or_detector_until_the_setup_states_distances(
    desk, inspector, inspection
):
    desk.scales.type_pitch(inspector, inspection.image_sha256, 0.05)
    pitch = pitch_of(desk, inspector, inspection)
    assert (pitch.mm_per_px, pitch.source) == (0.05, PitchSource.TYPED)
    desk.inspections.describe(inspector, inspection.inspection_id, SETUP, expected_version=inspection.version)
    pitch = pitch_of(desk, inspector, inspection)
    assert (pitch.mm_per_px, pitch.source) == (pytest.approx(0.05 * 6 / 7), PitchSource.OBJECT_BY_DISTANCES)


def test_a_length_that_was_drawn_later_counts_and_is_not_divided(desk, inspector, inspection):
    desk.scales.type_pitch(inspector, inspection.image_sha256, 0.05)
    desk.scales.set(inspector, inspection.image_sha256, known_mm=2, measured_px=20)
    desk.inspections.describe(inspector, inspection.inspection_id, SETUP, expected_version=inspection.version)
    pitch = pitch_of(desk, inspector, inspection)
    assert (pitch.mm_per_px, pitch.source) == (0.1, PitchSource.USER)


def test_the_newest_scale_counts_also_where_the_clock_was_set_back(desk, inspector, inspection):
    kept = KeptScale("s-1", inspection.image_sha256, 0.05, 1, 20, None, START)
    later = replace(kept, scale_id="s-2", mm_per_px=0.1, set_at=START - timedelta(hours=1))
    with desk.store.write() as work:
        work.scales.add(kept)
        work.scales.add(later)
        assert work.scales.newest(inspection.image_sha256).mm_per_px == 0.1
    assert pitch_of(desk, inspector, inspection).mm_per_px == 0.1


def test_the_pitch_of_the_setup_counts_where_nothing_else_states_one(desk, inspector, inspection):
    assert pitch_of(desk, inspector, inspection) is None
    setup = Setup(exposure=Exposure(detector_pixel_um=100))
    decision = Decision(None, "", setup)
    desk.inspections.decide(
        inspector, inspection.inspection_id, decision, expected_version=inspection.version
    )
    assert pitch_of(desk, inspector, inspection).source is PitchSource.SETUP


def test_the_audit_log_tells_that_it_was_typed(desk, store, inspector, inspection):
    desk.scales.type_pitch(inspector, inspection.image_sha256, 0.05)
    with Session(store.engine) as session:
        query = select(AuditEventRow.details).where(AuditEventRow.action == "image.scale_set")
        details = list(session.scalars(query))
    assert details == [{"known_mm": 0.05, "measured_px": 1.0, "is_typed": True}]


@pytest.mark.parametrize("pitch_mm", [0, -1, 20, float("nan"), float("inf")])
def test_a_pitch_that_no_radiograph_has_is_refused(desk, inspector, inspection, pitch_mm):
    with pytest.raises(BadInputError, match="pixel pitch"):
        desk.scales.type_pitch(inspector, inspection.image_sha256, pitch_mm)

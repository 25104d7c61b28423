"""Verdicts and reports measure along the outline of the model until a person moves the box."""

from dataclasses import replace

import numpy as np
import pytest

from app.api.schemas import detections_of
from core.domain.outline import Outline, outline_from
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import Call, first_reading
from core.domain.sizing import size_of, size_of_row
from core.imaging.outline_polygon import polygons_of
from core.reports.report_content import reported_indications
from core.services.inspections.judging import findings_of
from tests.records import detection_result

#: Runs obliquely through the first box, which spans 29.5 x 10.25 px.
LINE = Outline(2, 3, 2, np.eye(4, 13, dtype=np.bool_) | np.eye(4, 13, 9, dtype=np.bool_), 27.7, 3.1, 18.0)
PITCH = PixelPitch(0.1, PitchSource.USER)


@pytest.fixture
def outlined():
    result = detection_result()
    return replace(result, detections=replace(result.detections, outlines=(LINE, None)))


def sizes(detections, reading):
    found = findings_of(reading, PITCH, {Call.OPEN}, detections)
    return [(one.length.mm, one.width.mm, one.length.plus_minus_mm) for one in found]


def test_a_line_is_judged_by_its_outline_and_a_box_without_one_by_its_sides(outlined) -> None:
    rows = outlined.rows()
    line, box = sizes(rows, first_reading(rows, 0.1))
    assert line == pytest.approx((2.77, 0.31, 0.4))
    assert box == pytest.approx((2.0, 0.4, 0.2))


def test_a_box_that_a_person_moved_is_judged_by_its_sides(outlined) -> None:
    rows = outlined.rows()
    moved = [replace(one, bbox=(1, 2, 33, 12)) for one in first_reading(rows, 0.1)[:1]]
    assert sizes(rows, moved) == [pytest.approx((3.2, 1.0, 0.2))]


def test_a_record_keeps_the_outline_and_its_report_says_what_was_measured(desk, inspector, outlined) -> None:
    kept = desk.inspections.record(inspector, outlined)
    stored = outline_from(desk.inspections.get(inspector, kept.inspection_id).detections[0]["outline"])
    np.testing.assert_array_equal(stored.cells, LINE.cells)
    reading = first_reading(kept.detections, 0.1)
    line, box = reported_indications(kept, reading, None, PITCH)
    assert (line.length_mm, line.width_mm, line.plus_minus_mm) == (2.77, 0.31, 0.4)
    assert (line.along, line.area_px, line.area_mm2) == ("outline", LINE.area_px, LINE.area_px / 100)
    assert (box.along, box.area_px, box.area_mm2) == (None, None, None)


def test_a_signed_line_goes_into_an_evaluation_set_with_its_polygon(outlined) -> None:
    from core.services.datasets.signed_truth import _polygon

    rows = outlined.rows()
    line, box = first_reading(rows, 0.1)
    assert polygons_of(LINE)[1:], "it has two parts, and a label one polygon"
    assert _polygon(line, rows) == ()
    whole = replace(LINE, cells=np.ones((4, 13), np.bool_)).to_dict(None)
    (polygon,) = polygons_of(outline_from(whole))
    assert _polygon(line, [rows[0] | {"outline": whole}]) == polygon
    assert _polygon(box, rows) == ()


def test_a_moved_box_is_said_to_have_lost_its_outline(desk, inspector, outlined) -> None:
    kept = desk.inspections.record(inspector, outlined)
    line, box = first_reading(kept.detections, 0.1)
    nudged = [replace(line, bbox=(2, 2, 31.5, 12.25)), replace(box, bbox=(41, 40, 45, 60))]
    told, untold = reported_indications(kept, nudged, None, PITCH)
    assert told.changes == ("box moved: the size is that of the box, no longer of the model's outline",)
    assert untold.changes == ()


def test_everywhere_the_same_size_counts(desk, inspector, outlined) -> None:
    kept = desk.inspections.record(inspector, outlined)
    read = size_of(first_reading(kept.detections, 0.1)[0], kept.detections)
    in_api = detections_of(kept)[0].size
    in_json = size_of_row(kept.detections[0])
    (line, _) = reported_indications(kept, first_reading(kept.detections, 0.1), None, PITCH)
    assert (read.length_px, read.width_px) == (line.length_px, line.width_px) == (27.7, 3.1)
    assert (in_api.length_px, in_api.width_px, in_api.of) == (27.7, 3.1, "outline")
    assert in_json == {"length_px": 27.7, "width_px": 3.1, "of": "outline"}
    assert size_of_row(kept.detections[1]) == {"length_px": 20.0, "width_px": 4.0, "of": "box"}

"""What is queued and how urgent it is."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain.correction import (
    DOUBT,
    GRAVE,
    WEIGHTS,
    CorrectionCase,
    FoundBox,
    Origin,
    Reason,
    Sent,
    found_box_from,
    sent_from,
)
from core.domain.correction_findings import (
    doubtful_findings,
    findings_of_reading,
    findings_of_review,
    findings_of_versions,
)
from core.domain.detections import Detections
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.reading import Call, DismissalKind, ReadIndication, first_reading
from core.domain.records import AnnotationSource, Inspection
from core.services.inspections.inspecting import model_reference
from tests.records import MINE, START, detection_result

BOX = (10.0, 10.0, 30.0, 20.0)


def found(reason: Reason, *boxes: FoundBox, operating: float = 0.4) -> CorrectionCase:
    return CorrectionCase(reason, "a" * 64, None, "weld", operating, boxes)


def box(
    probability: float | None = None, kind: IndicationClass = IndicationClass.POROSITY, at: float = 0
) -> FoundBox:
    return FoundBox((10 + at, 10, 30 + at, 20), kind, probability, Origin.MODEL)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (found(Reason.MISSED, box()), WEIGHTS[Reason.MISSED]),
        (found(Reason.MISSED, box(kind=IndicationClass.CRACK)), WEIGHTS[Reason.MISSED] + GRAVE),
        (found(Reason.DOUBTFUL, box(0.4)), WEIGHTS[Reason.DOUBTFUL] + DOUBT),
        (found(Reason.DOUBTFUL, box(0.2)), WEIGHTS[Reason.DOUBTFUL] + DOUBT / 2),
        (found(Reason.DOUBTFUL, box(0.7)), WEIGHTS[Reason.DOUBTFUL] + DOUBT / 2),
        (found(Reason.DOUBTFUL, box(0.0), box(1.0)), WEIGHTS[Reason.DOUBTFUL]),
        # the nearest box counts
        (found(Reason.FALSE_CALL, box(0.9), box(0.4)), WEIGHTS[Reason.FALSE_CALL] + DOUBT),
        # an operating point at an end leaves no room on that side
        (found(Reason.DOUBTFUL, box(1.0), operating=1.0), WEIGHTS[Reason.DOUBTFUL] + DOUBT),
    ],
)
def test_the_priority_is_weight_gravity_and_doubt(finding: CorrectionCase, expected: float) -> None:
    assert finding.priority == pytest.approx(expected)


def test_a_miss_comes_before_everything_else_and_a_toss_up_last() -> None:
    ordered = sorted(WEIGHTS, key=lambda reason: -WEIGHTS[reason])
    assert (ordered[0], ordered[-1]) == (Reason.MISSED, Reason.DOUBTFUL)
    assert set(WEIGHTS) == set(Reason)


def test_the_key_names_the_same_boxes_whoever_found_them() -> None:
    key = found(Reason.MISSED, box(0.3), box(0.2, at=50)).key
    assert found(Reason.MISSED, box(0.9, at=50), box(None)).key == key
    assert found(Reason.MISSED, box(0.3, at=1), box(at=50)).key != key
    assert found(Reason.EXTENT, box(0.3), box(at=50)).key != key
    assert replace(found(Reason.MISSED, box(0.3), box(at=50)), image_sha256="b" * 64).key != key
    assert len(replace(found(Reason.FALSE_CALL, box()), model_name="casting").key) <= 160


def test_what_a_person_sends_is_another_case_each_time() -> None:
    sent = Sent("0" * 32, "u-1", (1, 3), "six frames", "pores?")
    first = replace(found(Reason.SENT, box()), sent=sent)
    assert replace(first, boxes=(box(at=50),)).key == first.key
    assert replace(first, sent=replace(sent, sent_id="1" * 32)).key != first.key
    assert len(first.key) <= 160
    assert sent_from(sent.to_dict()) == sent


def test_a_box_survives_being_kept() -> None:
    kept = FoundBox(BOX, IndicationClass.CRACK, 0.25, Origin.SECOND_READER, "1011", "why")
    assert found_box_from(kept.to_dict()) == kept


@pytest.fixture
def inspection() -> Inspection:
    """Two boxes of the model: a crack at 0.8 and an unclassified one at 0.3; it reports from 0.4 on."""
    result = detection_result()
    return Inspection(
        inspection_id="i-1",
        image_sha256=result.radiograph.sha256,
        image_name=result.name,
        polarity=result.radiograph.polarity,
        inspector_id="u-1",
        model=model_reference(result),
        detections=tuple(result.rows()),
        created_at=START,
        disposition=None,
        standard=None,
        quality_level=None,
        note="",
        version=1,
        updated_at=START,
        updated_by=None,
    )


def test_every_difference_of_a_signed_reading_is_a_finding_of_its_reason(inspection: Inspection) -> None:
    crack = first_reading(inspection.detections, 0.4)[0]
    moved = replace(crack, bbox=(10, 2, 40, 12.25), call=Call.CONFIRMED)
    renamed = replace(crack, indication_class=IndicationClass.INCLUSION, call=Call.CONFIRMED)
    cases = {
        Reason.MISSED: [MINE],
        Reason.FALSE_CALL: [replace(crack, call=Call.DISMISSED)],
        Reason.EXTENT: [moved],
        Reason.CLASS: [renamed],
    }
    for reason, reading in cases.items():
        (finding,) = findings_of_reading(inspection, reading)
        assert finding.reason is reason
        assert finding.inspection_id == inspection.inspection_id
    assert findings_of_reading(inspection, [renamed])[0].boxes[0].remark == "the model said crack"
    assert findings_of_reading(inspection, [crack]) == []  # open: nothing was said
    gone = replace(crack, call=Call.DISMISSED, dismissed_as=DismissalKind.MARKER)
    assert findings_of_reading(inspection, [gone])[0].boxes[0].remark == "marker or IQI"
    in_the_part = replace(gone, dismissed_as=DismissalKind.GEOMETRY)
    assert findings_of_reading(inspection, [in_the_part]) == []  # to show it was no error of the model
    both = findings_of_reading(inspection, [MINE, replace(MINE, indication_id="h2", bbox=(50, 5, 60, 9))])
    assert [len(one.boxes) for one in both] == [2]


def test_a_toss_up_is_what_lies_near_the_operating_point_and_nobody_spoke_of(inspection: Inspection) -> None:
    assert [one.boxes[0].probability for one in doubtful_findings(inspection, [])] == [pytest.approx(0.3)]
    weak = ReadIndication(
        "m2", (40, 40, 44, 60), IndicationClass.CRACK, AnnotationSource.MODEL, Call.CONFIRMED, model_index=1
    )
    assert doubtful_findings(inspection, [weak]) == []
    assert len(doubtful_findings(inspection, [replace(weak, call=Call.OPEN)])) == 1


def test_readers_differ_where_one_of_them_says_something_else(inspection: Inspection) -> None:
    other_class = replace(MINE, indication_class=IndicationClass.CRACK)
    (finding,) = findings_of_review(inspection, [MINE], [other_class])
    assert (finding.reason, finding.boxes[0].origin) == (Reason.READERS, Origin.SECOND_READER)
    assert finding.boxes[0].remark == "the first reader said inclusion"
    (finding,) = findings_of_review(inspection, [MINE], [])
    assert finding.boxes[0].origin is Origin.INSPECTOR
    (finding,) = findings_of_review(inspection, [], [MINE])
    assert finding.boxes[0].origin is Origin.SECOND_READER
    assert findings_of_review(inspection, [MINE], [MINE]) == []
    assert findings_of_review(inspection, [replace(MINE, call=Call.OPEN)], []) == []


def answer(version: int, boxes: list[list[float]], said: list[float], kinds: str = "") -> DetectionResult:
    """A result with these probabilities; class `c`rack or `p`orosity, porosity where none is named."""
    result = detection_result(version=version, n=0)
    names = {"c": IndicationClass.CRACK, "p": IndicationClass.POROSITY}
    classes = tuple(names[one] for one in (kinds or "p" * len(boxes)))
    values = np.array(said, np.float32)
    origin = detection_result().detections.origins[0]
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    found = Detections(corners, values, classes, (origin,) * len(boxes), values)
    return replace(result, detections=found)


HERE, THERE = [0, 0, 20, 10], [50, 0, 70, 10]


@pytest.mark.parametrize(
    ("champion", "challenger", "origins"),
    [
        (answer(1, [HERE], [0.9]), answer(2, [HERE], [0.9]), []),
        (answer(1, [HERE], [0.9]), answer(2, [], []), [Origin.MODEL]),
        (answer(1, [], []), answer(2, [HERE], [0.9]), [Origin.CHALLENGER]),
        (answer(1, [], []), answer(2, [HERE], [0.39]), []),  # below its operating point
        (answer(1, [HERE], [0.9]), answer(2, [[1, 0, 20, 10]], [0.9]), []),
        (answer(1, [HERE], [0.9]), answer(2, [THERE], [0.9]), [Origin.MODEL, Origin.CHALLENGER]),
        (answer(1, [HERE], [0.9]), answer(2, [HERE], [0.9], "c"), [Origin.CHALLENGER]),
        (answer(1, [HERE], [0.41]), answer(2, [HERE], [0.39]), [Origin.CHALLENGER]),
        (answer(1, [HERE], [0.95]), answer(2, [HERE], [0.6]), [Origin.CHALLENGER]),
        (answer(1, [HERE], [0.95]), answer(2, [HERE], [0.7]), []),
        (answer(1, [HERE], [0.3]), answer(2, [HERE], [0.2], "c"), []),  # neither reports it
    ],
)
def test_versions_differ_by_box_class_and_probability(
    inspection: Inspection, champion: DetectionResult, challenger: DetectionResult, origins: list[Origin]
) -> None:
    findings = findings_of_versions(inspection, champion, challenger)
    assert [one.origin for finding in findings for one in finding.boxes] == origins

"""Finding what to queue: in a signed reading, in a review, between two model versions, near a threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.correction import CorrectionCase, FoundBox, Origin, Reason
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.reading import Call, DisagreementKind, ReadIndication, disagreements, overlap
from core.domain.reading_comparison import Agreement, compared
from core.domain.records import Inspection

#: A probability this near to the operating point is a toss-up: the model would say otherwise tomorrow.
NEAR = 0.1
#: Two model versions speak of the same place from this overlap (IoU) on.
SAME_BOX_IOU = 0.5
#: A probability that moved this far between two versions is a disagreement, on whichever side it ends.
MOVED = 0.3
_REASON_OF = {
    DisagreementKind.ADDED: Reason.MISSED,
    DisagreementKind.REMOVED: Reason.FALSE_CALL,
    DisagreementKind.CLASS: Reason.CLASS,
    DisagreementKind.EXTENT: Reason.EXTENT,
}


def findings_of_reading(inspection: Inspection, reading: Sequence[ReadIndication]) -> list[CorrectionCase]:
    """Differences between a signed reading and the model, one finding a reason.

    What was dismissed as non-relevant or geometry is left out: see `core.domain.reading.DETECTOR_ERRORS`.
    """
    by_reason: dict[Reason, list[FoundBox]] = {}
    for one in disagreements(inspection.detections, reading):
        if one.kind is DisagreementKind.REMOVED and not one.indication.is_detector_error:
            continue
        dismissed_as = one.indication.dismissed_as
        was = dismissed_as.value if dismissed_as else ""
        if one.kind is DisagreementKind.CLASS and one.indication.model_index is not None:
            was = f"the model said {inspection.detections[one.indication.model_index]['class']}"
        by_reason.setdefault(_REASON_OF[one.kind], []).append(_read_box(one.indication, remark=was))
    return [_finding(inspection, reason, boxes) for reason, boxes in by_reason.items()]


def findings_of_review(
    inspection: Inspection, first: Sequence[ReadIndication], second: Sequence[ReadIndication]
) -> list[CorrectionCase]:
    """Differences between two people's readings, as one finding; what the first left open does not count."""
    said = [one for one in first if one.call is Call.CONFIRMED]
    boxes = []
    for pair in compared(said, second):
        if pair.agreement is Agreement.ONLY_FIRST and pair.first is not None:
            boxes.append(_read_box(pair.first, remark="the second reader did not report it"))
        elif pair.second is not None and pair.agreement is not Agreement.SAME:
            was = f"the first reader said {pair.first.indication_class.value}" if pair.first else ""
            boxes.append(_read_box(pair.second, Origin.SECOND_READER, was))
    return [_finding(inspection, Reason.READERS, boxes)] if boxes else []


def doubtful_findings(inspection: Inspection, reading: Sequence[ReadIndication]) -> list[CorrectionCase]:
    """The model's boxes near its operating point that the reading says nothing about, as one finding."""
    operating = inspection.model.operating_probability
    said = {one.model_index for one in reading if one.call is not Call.OPEN}
    boxes = [
        _reported_box(found)
        for index, found in enumerate(inspection.detections)
        if index not in said and round(abs(found["probability"] - operating), 6) <= NEAR
    ]
    return [_finding(inspection, Reason.DOUBTFUL, boxes)] if boxes else []


def findings_of_versions(
    inspection: Inspection, champion: DetectionResult, challenger: DetectionResult
) -> list[CorrectionCase]:
    """Differences between two versions on one radiograph, as one finding.

    Each box that only one of them reports at its own operating point; pairs (IoU at least `SAME_BOX_IOU`,
    the most probable first) whose class differs or whose probability moved by `MOVED` or more.

    Args:
        inspection: names the image.
        champion: result on it, with probabilities.
        challenger: the other version's result on it.
    """
    said = {Origin.MODEL: _rows(champion), Origin.CHALLENGER: _rows(challenger)}
    operating = {
        Origin.MODEL: champion.model.calibration.operating_probability,
        Origin.CHALLENGER: challenger.model.calibration.operating_probability,
    }
    number = challenger.model.version
    boxes: list[FoundBox] = []
    free = list(said[Origin.CHALLENGER])
    for one in said[Origin.MODEL]:
        other = max(free, key=lambda found: overlap(one.bbox, found.bbox), default=None)
        if other is None or overlap(one.bbox, other.bbox) < SAME_BOX_IOU:
            if (one.probability or 0.0) >= operating[Origin.MODEL]:
                boxes.append(_with(one, Origin.MODEL, f"v{number} does not report it"))
            continue
        free.remove(other)
        if remark := _difference(one, other, operating):
            boxes.append(_with(other, Origin.CHALLENGER, f"v{number}: {remark}"))
    alone = [one for one in free if (one.probability or 0.0) >= operating[Origin.CHALLENGER]]
    boxes += [_with(one, Origin.CHALLENGER, f"only v{number} reports it") for one in alone]
    return [_finding(inspection, Reason.VERSIONS, boxes)] if boxes else []


def _difference(one: FoundBox, other: FoundBox, operating: Mapping[Origin, float]) -> str:
    before, after = one.probability or 0.0, other.probability or 0.0
    is_reported = before >= operating[Origin.MODEL], after >= operating[Origin.CHALLENGER]
    if not any(is_reported):
        return ""
    if one.indication_class is not other.indication_class:
        return f"{other.indication_class.value} instead of {one.indication_class.value}"
    if is_reported[0] != is_reported[1] or abs(before - after) >= MOVED:
        return f"probability {after:.2f} instead of {before:.2f}"
    return ""


def _rows(result: DetectionResult) -> list[FoundBox]:
    found = result.detections
    if found.probabilities is None:
        raise ValueError("expected calibrated detections")
    rows = [
        FoundBox((float(x1), float(y1), float(x2), float(y2)), kind, float(probability), Origin.MODEL)
        for (x1, y1, x2, y2), kind, probability in zip(
            found.boxes, found.classes, found.probabilities, strict=True
        )
    ]
    return sorted(rows, key=lambda one: -(one.probability or 0.0))


def _with(one: FoundBox, origin: Origin, remark: str) -> FoundBox:
    return FoundBox(one.bbox, one.indication_class, one.probability, origin, one.iso6520, remark, one.kind)


def _finding(inspection: Inspection, reason: Reason, boxes: Sequence[FoundBox]) -> CorrectionCase:
    return CorrectionCase(
        reason=reason,
        image_sha256=inspection.image_sha256,
        inspection_id=inspection.inspection_id,
        model_name=inspection.model.name,
        operating_probability=inspection.model.operating_probability,
        boxes=tuple(boxes),
    )


def _read_box(one: ReadIndication, origin: Origin = Origin.INSPECTOR, remark: str = "") -> FoundBox:
    return FoundBox(one.bbox, one.indication_class, one.probability, origin, one.iso6520, remark, one.kind)


def _reported_box(found: Mapping[str, Any]) -> FoundBox:
    x1, y1, x2, y2 = (float(value) for value in found["bbox"])
    kind = IndicationClass(found["class"])
    return FoundBox((x1, y1, x2, y2), kind, float(found["probability"]), Origin.MODEL)

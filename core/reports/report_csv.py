"""Inspection reports as CSV for spreadsheets: one line an indication."""

import csv
import io
from typing import Any

from core.domain.familiarity import NOT_VERIFIED
from core.reports.inspection_report import InspectionReport, ReportedIndication, disposition_word

#: The header; columns are only ever added at the end.
COLUMNS = (
    "reference", "signed", "inspection_id", "image_name", "image_sha256", "part", "weld_number",
    "disposition", "image_verdict", "standard", "edition", "level", "caveat", "model", "model_sha256",
    "calibration_id", "operating_probability", "mm_per_px", "scale_source",
    "number", "class", "iso6520", "x1_px", "y1_px", "x2_px", "y2_px", "length_px", "width_px",
    "length_mm", "width_mm", "plus_minus_mm", "probability", "reported_by", "changes", "call",
    "verdict", "clauses", "reasons", "note", "content_sha256", "reshoot_reason",
    "group_of", "covered_percent", "result", "override", "dismissed_as", "kind", "severity_level",
    "probability_verified",
    "claimed_by_model", "area_px", "area_mm2", "along",
)  # fmt: skip
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def report_csv(report: InspectionReport) -> bytes:
    """The file after RFC 4180, UTF-8 with a byte order mark. Without indications: one line that says so.

    Texts that a spreadsheet would take for a formula get a quote in front.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    every_line = _of_report(report)
    for one in report.indications:
        writer.writerow(_cells(every_line | _of_indication(one)))
    if not report.indications:
        writer.writerow(_cells(every_line | {"note": "no indication above the operating point was reported"}))
    return buffer.getvalue().encode("utf-8-sig", "backslashreplace")


def _of_report(report: InspectionReport) -> dict[str, Any]:
    image, model, judged = report.image, report.model, report.judged
    return {
        "reference": report.reference(),
        "signed": report.signed_words,
        "inspection_id": report.inspection_id,
        "image_name": image.name,
        "image_sha256": image.sha256,
        "part": report.setup.part,
        "weld_number": report.setup.weld_number,
        "disposition": disposition_word(report.disposition),
        "image_verdict": judged.words if judged.verdict else judged.full_words,
        "standard": judged.standard,
        "edition": judged.edition,
        "level": judged.level,
        "caveat": judged.caveat,
        "model": f"{model.name} v{model.version}",
        "model_sha256": model.sha256,
        "calibration_id": model.calibration_id,
        "operating_probability": model.operating_probability,
        "mm_per_px": image.mm_per_px,
        "scale_source": image.scale_source or "no scale",
        "content_sha256": report.sha256(),
        "reshoot_reason": report.reshoot_reason,
        "result": "; ".join(report.result),
        "override": report.override.reason if report.override else None,
        "probability_verified": _verified(report),
    }


def _verified(report: InspectionReport) -> str | None:
    """Whether the image looks like those that calibrated the model; None where that was not told."""
    if report.is_void:
        return report.drift
    if report.familiarity is None:
        return None
    return NOT_VERIFIED if report.is_strange else "yes"


def _of_indication(one: ReportedIndication) -> dict[str, Any]:
    x1, y1, x2, y2 = one.bbox
    clauses = dict.fromkeys(rule.clause for rule in one.rules if rule.clause)
    return {
        "number": one.number,
        "class": one.indication_class,
        "iso6520": one.iso6520,
        "kind": one.kind,
        "severity_level": one.grade,
        "x1_px": x1,
        "y1_px": y1,
        "x2_px": x2,
        "y2_px": y2,
        "length_px": one.length_px,
        "width_px": one.width_px,
        "length_mm": one.length_mm,
        "width_mm": one.width_mm,
        "plus_minus_mm": one.plus_minus_mm,
        "area_px": one.area_px,
        "area_mm2": one.area_mm2,
        "along": one.along,
        "probability": one.probability,
        "reported_by": one.reported_by,
        "changes": "; ".join(one.changes),
        "call": one.call,
        "dismissed_as": one.dismissed_as,
        "verdict": one.verdict or "not judged",
        "clauses": "; ".join(clauses),
        "reasons": "; ".join(one.reasons),
        "note": one.note,
        "group_of": len(one.members) if one.members else None,
        "covered_percent": one.covered_percent,
        "claimed_by_model": one.claim,
    }


def _cells(values: dict[str, Any]) -> list[Any]:
    return [_harmless(values.get(name)) for name in COLUMNS]


def _harmless(value: Any) -> Any:
    """The cell; a space or a quote before a formula does not hide it from every spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" '\"\ufeff").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value

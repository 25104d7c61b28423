"""Inspection reports as JSON: complete, with the digest of their content; documented in docs/reports.md."""

import json
from dataclasses import dataclass

from core.audit.canonical import digest
from core.domain.errors import BadInputError
from core.reports.inspection_report import InspectionReport, report_from

FORMAT, SCHEMA = "radikal inspection report", 1


@dataclass(frozen=True, slots=True, eq=False)
class ReadReport:
    """A report from a file.

    Attributes:
        is_whole: False when the content no longer has the digest that stands beside it.
    """

    report: InspectionReport
    content_sha256: str
    is_whole: bool


def report_json(report: InspectionReport) -> bytes:
    """The file, UTF-8, the same bytes for the same report."""
    content = {
        "format": FORMAT,
        "schema": SCHEMA,
        "reference": report.reference(),
        "signed": report.signed_words,
        "result": list(report.result),
        "content_sha256": report.sha256(),
        "content": report.to_dict(),
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def read_report_json(data: bytes) -> ReadReport:
    """The report in a file that `report_json` wrote.

    Raises:
        BadInputError: it is not one, or of a newer schema.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise BadInputError("not an inspection report: the file is no JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInputError(f'not an inspection report: expected JSON with "format": "{FORMAT}"')
    if document.get("schema") != SCHEMA:
        raise BadInputError(f"report of schema {document.get('schema')}: this release reads {SCHEMA}")
    content = document.get("content")
    if not isinstance(content, dict):
        raise BadInputError("not an inspection report: it holds no content")
    report = report_from(content)
    said = str(document.get("content_sha256"))
    try:
        is_whole = digest(content) == said and report.sha256() == said
    except (TypeError, ValueError) as error:
        raise BadInputError(f"not an inspection report: {error}") from None
    return ReadReport(report, said, is_whole)

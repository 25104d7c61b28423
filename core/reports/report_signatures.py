"""Signatures, reviews and the chain of corrections in a PDF report."""

from collections.abc import Iterator
from typing import Any

from reportlab.platypus import Flowable

from core.domain.certificates import certificate_words
from core.domain.signing import meaning_words
from core.reports.inspection_report import InspectionReport, Revision, SignedBy, disposition_word
from core.reports.report_layout import SMALL, bold, heading, labelled, listing, moment, text, together


def signature_sections(report: InspectionReport, width: float) -> Iterator[Flowable]:
    """Signatures, review and corrections; a missing signature is stated."""
    yield from _signatures(report, width)
    yield from _reviews(report, width)
    yield from _revisions(report, width)


def _signatures(report: InspectionReport, width: float) -> Iterator[Flowable]:
    if not report.signatures:
        yield together(
            "Signatures", bold("NOT SIGNED. This report is a draft; its content may still change.")
        )
        return
    rows: list[list[Any]] = [
        [
            [
                bold(one.printed_name, SMALL),
                text(f"certificate: {certificate_words(one.certificate)}", SMALL),
            ],
            text(meaning_words(one.meaning), SMALL),
            text(moment(one.signed_at), SMALL),
            bold(_seal(one), SMALL),
            text(f"{one.signature_id}, over content {one.content_sha256}", SMALL),
        ]
        for one in report.signatures
    ]
    head = ("Printed name, certificate", "Meaning", "Date and time", "Seal", "Signature")
    shares = (0.25, 0.19, 0.13, 0.18, 0.25)
    yield together("Signatures", listing(head, rows, [width * share for share in shares]))


def _seal(one: SignedBy) -> str:
    if not one.is_seal_intact:
        return "BROKEN: the signature was changed or sealed with another key"
    if one.is_as_signed is False:
        return "intact, but the record is NOT what was signed"
    return "intact" if one.is_as_signed is None else "intact; the record is what was signed"


def _reviews(report: InspectionReport, width: float) -> Iterator[Flowable]:
    if not report.reviews:
        return
    rows: list[list[Any]] = [
        [
            bold(one.printed_name, SMALL),
            text(moment(one.reviewed_at), SMALL),
            bold(one.outcome, SMALL),
            text(disposition_word(one.own_disposition) or "not recorded", SMALL),
            text(disposition_word(one.changed_disposition) or "not changed", SMALL),
        ]
        for one in report.reviews
    ]
    head = (
        "Second person",
        "Date and time",
        "Outcome",
        "Own disposition, made blind",
        "Changed after comparing",
    )
    yield from heading("Second review")
    yield listing(head, rows, [width * share for share in (0.24, 0.19, 0.13, 0.22, 0.22)])
    for one in report.reviews:
        if one.change_reason:
            yield labelled(f"Why {one.printed_name} changed the own reading:", one.change_reason, SMALL)
        if one.note:
            yield labelled(f"Note by {one.printed_name}:", one.note, SMALL)


def _revisions(report: InspectionReport, width: float) -> Iterator[Flowable]:
    if not report.earlier and not report.later:
        return
    this = Revision(
        report.inspection_id, report.created_at, report.inspector, report.state, report.disposition
    )
    rows: list[list[Any]] = [
        [
            text(one.inspection_id, SMALL),
            text("this report" if one is this else "", SMALL),
            text(moment(one.created_at), SMALL),
            text(one.inspector, SMALL),
            text(one.state, SMALL),
            text(disposition_word(one.disposition) or "none", SMALL),
        ]
        for one in (*report.earlier, this, *report.later)
    ]
    yield from heading("Revisions, oldest first")
    if report.later:
        yield bold("A later revision corrects this report.")
    head = ("Inspection", "", "Begun", "Inspector", "State", "Disposition")
    yield listing(head, rows, [width * share for share in (0.32, 0.1, 0.2, 0.16, 0.11, 0.11)])

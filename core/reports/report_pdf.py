"""Inspection reports as PDF: A4, for monochrome print, the same bytes for the same report."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy.typing as npt
import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFStream, PDFString
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from core.domain.errors import BadInputError
from core.reports.inspection_report import FAILED, UNSIGNED, InspectionReport
from core.reports.report_fonts import SANS, SANS_BOLD, register_fonts
from core.reports.report_json import ReadReport, read_report_json, report_json
from core.reports.report_sections import sections

_LAYOUT_OF = "RadiKal report layout"
#: Says what wrote the pages; those that something else wrote cannot be compared byte for byte.
LAYOUT = (
    f"{_LAYOUT_OF} 4, reportlab {reportlab.Version}, opencv {cv2.__version__}, "
    f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
)
_ATTACHMENT = re.compile(rb"/Length (\d+)\b[^>]{0,200}/Type /EmbeddedFile\b[^>]{0,200}>>\s*stream\r?\n")
ATTACHED = "report.json"
_MARGIN, _HEAD, _FOOT = 15 * mm, 12 * mm, 12 * mm
_SMALL_PT = 6.5


def report_pdf(report: InspectionReport, pixels: npt.NDArray[Any]) -> bytes:
    """The file. Its attachment `report.json` is what `report_json` writes.

    Args:
        report: the content.
        pixels: (H, W) of the radiograph at native depth.
    """
    register_fonts()
    buffer = BytesIO()
    width, height = A4
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=f"Inspection report {report.reference()}",
        author="RadiKal",
        subject=f"inspection {report.inspection_id}, content sha256 {report.sha256()}",
        creator=LAYOUT,
        lang="en",
        invariant=1,
        allowSplitting=1,
    )
    frame = Frame(
        _MARGIN,
        _MARGIN + _FOOT,
        width - 2 * _MARGIN,
        height - 2 * _MARGIN - _HEAD - _FOOT,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    document.addPageTemplates(PageTemplate(frames=[frame]))
    story: Sequence[Flowable] = sections(report, pixels, frame.width)
    document.build(list(story), canvasmaker=_canvas_of(report))
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, eq=False)
class ReadPages:
    """A report from a PDF file.

    Attributes:
        attached: what the file carries.
        is_same_layout: True when the pages were written by what is installed here, so they can be compared.
    """

    attached: ReadReport
    is_same_layout: bool


def is_pdf(data: bytes) -> bool:
    """True when the bytes begin as a PDF."""
    return data.startswith(b"%PDF-")


def read_report_pdf(data: bytes) -> ReadPages:
    """The report in a file that `report_pdf` wrote, as it was written.

    Raises:
        BadInputError: it carries no report, more than one, or another program saved it again.
    """
    found = list(_ATTACHMENT.finditer(data))
    if len(found) != 1:
        raise BadInputError(
            f"not an inspection report: expected one attached {ATTACHED}, found {len(found)}; "
            "hand in the PDF as it was written, not saved again or printed to a file"
        )
    begin, length = found[0].end(), int(found[0].group(1))
    attached = read_report_json(data[begin : begin + length])
    return ReadPages(attached, LAYOUT.encode("ascii") in data)


def _canvas_of(report: InspectionReport) -> type[Canvas]:
    """A canvas that knows how many pages there are when it draws head and foot of each."""
    reference, digest = report.reference(), report.sha256()

    class ReportCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "initialFontName": SANS})
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  # reportlab calls it so
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                _draw_head_and_foot(self, report, reference, digest, f"page {number} of {len(self._pages)}")
                super().showPage()
            _attach(self, report_json(report))
            super().save()

    return ReportCanvas


def _draw_head_and_foot(
    canvas: Canvas, report: InspectionReport, reference: str, digest: str, page: str
) -> None:
    width, height = A4
    top, right = height - _MARGIN - 6, width - _MARGIN
    canvas.setFillGray(0)
    canvas.setFont(SANS_BOLD, 9)
    canvas.drawString(_MARGIN, top, "Radiographic inspection report")
    canvas.drawRightString(right, top, reference)
    state = "" if report.is_signed else UNSIGNED
    if report.has_failed_signature:
        state = FAILED
    canvas.drawCentredString(width / 2, top, state)
    canvas.setLineWidth(0.6)
    canvas.line(_MARGIN, top - 5, right, top - 5)
    foot = _MARGIN + 14
    canvas.setLineWidth(0.3)
    canvas.line(_MARGIN, foot + 9, right, foot + 9)
    canvas.setFont(SANS, _SMALL_PT)
    canvas.drawString(_MARGIN, foot, f"inspection {report.inspection_id}")
    canvas.drawRightString(right, foot, page)
    canvas.drawString(_MARGIN, foot - 9, f"content sha256 {digest}")
    canvas.drawRightString(right, foot - 9, "RadiKal")


def _attach(canvas: Canvas, data: bytes) -> None:
    """Embed the JSON (PDF 1.7, 7.11.4), so that the file can be verified by itself."""
    document = canvas._doc
    stream = PDFStream(
        PDFDictionary({"Type": PDFName("EmbeddedFile"), "Subtype": PDFName("application/json")}),
        data,
        filters=(),
    )
    entry = PDFDictionary({"F": document.Reference(stream, "RadiKalReport")})
    specification = PDFDictionary(
        {
            "Type": PDFName("Filespec"),
            "F": PDFString(ATTACHED),
            "UF": PDFString(ATTACHED),
            "Desc": PDFString("the whole report, for radikal report verify"),
            "AFRelationship": PDFName("Data"),
            "EF": entry,
        }
    )
    reference = document.Reference(specification, "RadiKalReportFile")
    names = PDFArray([PDFString(ATTACHED), reference])
    document.Catalog.Names = PDFDictionary({"EmbeddedFiles": PDFDictionary({"Names": names})})

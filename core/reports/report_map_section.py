"""The maps in a PDF report, those that whoever wrote it chose."""

import base64
from collections.abc import Iterator
from io import BytesIO

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Image, Table

from core.reports.inspection_report import InspectionReport
from core.reports.report_layout import SMALL, bold, gap, heading, text
from core.reports.reported_map import ReportedMap

_IN_A_ROW, _HEIGHT = 3, 52 * mm
#: Stands under the title: what the maps are not.
MAPS_SAY = (
    "A map shows what the score of the model hangs on. It does not show that there is a flaw, nor that there "
    "is none; maps of false boxes look like those of true ones. Orange raised the score, blue lowered it."
)


def map_sections(report: InspectionReport, width: float) -> Iterator[Flowable]:
    """The chosen maps, three in a row, with method, version and verdict; nothing where none was chosen."""
    if not report.maps:
        return
    yield from heading("Maps of the model")
    yield text(MAPS_SAY, SMALL)
    for standing in dict.fromkeys(f"{one.version}: {one.standing}" for one in report.maps):
        yield text(f"Measured of {standing}.", SMALL)
    yield gap()
    column = width / _IN_A_ROW
    for begin in range(0, len(report.maps), _IN_A_ROW):
        cells = [_cell(one, column - 8) for one in report.maps[begin : begin + _IN_A_ROW]]
        cells += [[] for _ in range(_IN_A_ROW - len(cells))]
        row = Table([cells], colWidths=[column] * _IN_A_ROW)
        row.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
        yield row


def _cell(one: ReportedMap, width: float) -> list[Flowable]:
    data = base64.b64decode(one.picture)
    across, down = ImageReader(BytesIO(data)).getSize()
    per_px = min(width / across, _HEIGHT / down)
    return [
        Image(BytesIO(data), across * per_px, down * per_px, hAlign="LEFT"),
        bold(f"No. {one.number}, {one.method}, {one.version}", SMALL),
        text(one.figures, SMALL),
        text(f"{one.without_it[:1].upper()}{one.without_it[1:]}.", SMALL),
    ]

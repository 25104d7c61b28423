"""Styles and building blocks of PDF reports: paragraphs, tables of facts, tables with a repeated head."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from reportlab.lib.colors import black, lightgrey, whitesmoke
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, LongTable, Paragraph, Spacer, Table

from core.reports.report_fonts import SANS, marked

_RULE_PT = 0.3
#: A path or a data file, with the word that leads to it.
_FILE = re.compile(r"\s*\(?\b(?:(?:see|of|in|from) )?(?:[\w-]+/)*[\w-]+\.(?:md|yaml|yml|json|csv)\b\)?")
#: A section begins on the next page when less than this is left.
_ROOM_PT = 110
BODY = ParagraphStyle(
    "body", fontName=SANS, fontSize=8, leading=10.5, allowWidows=0, allowOrphans=0, splitLongWords=1
)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7, leading=9)
#: Of tables with a line for each indication.
TINY = ParagraphStyle("tiny", parent=BODY, fontSize=6.5, leading=7.6)
HEADING = ParagraphStyle("heading", parent=BODY, fontSize=9.5, leading=12, spaceBefore=9, spaceAfter=3)
TITLE = ParagraphStyle("title", parent=BODY, fontSize=15, leading=18)
RESULT = ParagraphStyle("result", parent=BODY, fontSize=11, leading=14)
BOXED = ParagraphStyle("boxed", parent=BODY, fontSize=12, leading=15, alignment=TA_CENTER)


def text(value: str, style: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph of plain text."""
    return Paragraph(marked(value), style)


def bold(value: str, style: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph of plain text in bold."""
    return Paragraph(f"<b>{marked(value)}</b>", style)


def labelled(label: str, value: str, style: ParagraphStyle = BODY) -> Paragraph:
    """The label in bold, then the text."""
    return Paragraph(f"<b>{marked(label)}</b> {marked(value)}", style)


def heading(value: str) -> list[Flowable]:
    """The title of a section that may be torn; there is room for a little of it below the title."""
    return [CondPageBreak(_ROOM_PT), bold(value, HEADING)]


def together(title: str, *content: Flowable) -> Flowable:
    """A section that is not torn apart where it fits on a page."""
    return KeepTogether([bold(title, HEADING), *content])


def gap(pt: float = 4) -> Spacer:
    """Room between two blocks."""
    return Spacer(1, pt)


def facts(pairs: Sequence[tuple[str, str]], width: float, label_share: float = 0.3) -> Table:
    """Two columns: what it is, and its value."""
    rows = [[bold(label, SMALL), text(value, SMALL)] for label, value in pairs]
    table = Table(rows, colWidths=[width * label_share, width * (1 - label_share)])
    table.setStyle(_tight([("LINEBELOW", (0, 0), (-1, -1), _RULE_PT, lightgrey)]))
    return table


def side_by_side(left: Flowable, right: Flowable, width: float) -> Table:
    """Two blocks of equal width, their tops aligned."""
    room = 10.0
    half = (width - room) / 2
    table = Table([[left, "", right]], colWidths=[half, room, half])
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_no_padding()])
    return table


def listing(
    head: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[float], extra: Sequence[Any] = ()
) -> LongTable:
    """A table whose head is repeated on every page; no row may be higher than a page."""
    table = LongTable(
        [[bold(one, SMALL) for one in head], *rows],
        colWidths=list(widths),
        repeatRows=1,
    )
    lines = [
        ("BACKGROUND", (0, 0), (-1, 0), whitesmoke),
        ("LINEABOVE", (0, 0), (-1, 0), 0.6, black),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, black),
        ("LINEBELOW", (0, -1), (-1, -1), 0.6, black),
        *(extra or [("LINEBELOW", (0, 1), (-1, -2), _RULE_PT, lightgrey)]),
    ]
    table.setStyle(_tight(lines))
    return table


def boxed(content: Flowable | list[Flowable], width: float, line_pt: float = 1.2) -> Table:
    """The content in a frame."""
    table = Table([[content]], colWidths=[width])
    frame = [("BOX", (0, 0), (-1, -1), line_pt, black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    table.setStyle([*frame, ("TOPPADDING", (0, 0), (-1, -1), 4), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)])
    return table


def moment(at: datetime) -> str:
    """Date and time to the second, in UTC and saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def without_files(value: str) -> str:
    """The text without what names files of this program, which says nothing to whoever reads a report.

    A clause after a semicolon goes as a whole, elsewhere the name alone.
    """
    first, *clauses = value.split("; ")
    kept = [first, *(clause for clause in clauses if not _FILE.search(clause))]
    text = _FILE.sub("", "; ".join(kept))
    return text + "." if value.endswith(".") and not text.endswith(".") else text


def number(value: float | None, unit: str = "", unknown: str = "not known") -> str:
    """A number as people write it, with its unit."""
    return unknown if value is None else f"{value:.6g} {unit}".rstrip()


def _tight(lines: Sequence[Any]) -> list[Any]:
    return [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        ("FONTSIZE", (0, 0), (-1, -1), 1),  # of empty cells, which would set the height of their row
        ("LEADING", (0, 0), (-1, -1), 1),
        *lines,
    ]


def _no_padding() -> list[Any]:
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    return [(side, (0, 0), (-1, -1), 0) for side in sides]

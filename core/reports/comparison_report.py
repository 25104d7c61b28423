"""A comparison of versions as one HTML file and as PDF, with the digests of all that it rests on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from io import BytesIO

from reportlab.lib.pagesizes import A4, landscape
from reportlab.platypus import Flowable, SimpleDocTemplate

from core.reports.report_fonts import register_fonts
from core.reports.report_layout import SMALL, TITLE, facts, gap, heading, listing, moment, text

_MARGIN_PT = 40
_FIRST_SHARE = 0.24
_STYLE = (
    "body{font:14px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#16191c}"
    "table{border-collapse:collapse;margin:.6em 0 1.4em}th,td{text-align:left;vertical-align:top;"
    "padding:.25em .8em .25em 0;border-bottom:1px solid #ccd2d8}code{word-break:break-all}"
)


@dataclass(frozen=True, slots=True)
class ComparisonTable:
    """A table in words.

    Attributes:
        title: of it.
        head: of its columns.
        rows: as many cells each.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """A comparison as it stood.

    Attributes:
        title: what was compared.
        findings: sentences.
        facts: name and value: the set, versions, digests.
        tables: figures.
        made_by: who exported it.
        made_at: UTC.
    """

    title: str
    findings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    tables: tuple[ComparisonTable, ...]
    made_by: str
    made_at: datetime

    def sha256(self) -> str:
        """Hex digest of everything but who exported it and when: the same evidence has the same digest."""
        content = {key: value for key, value in asdict(self).items() if key not in ("made_by", "made_at")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def all_facts(self) -> list[tuple[str, str]]:
        """The facts, with the digest of the content and who exported it."""
        exported = f"{self.made_by}, {moment(self.made_at)}"
        return [*self.facts, ("Exported by", exported), ("Content", f"sha256 {self.sha256()}")]


def comparison_html(report: ComparisonReport) -> bytes:
    """One file that needs nothing else; every text is escaped."""
    parts = ["<!doctype html><html lang='en'><head><meta charset='utf-8'>"]
    parts.append(f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>")
    parts.append(f"<h1>{escape(report.title)}</h1><ul>")
    parts += [f"<li>{escape(one)}</li>" for one in report.findings]
    parts.append("</ul>")
    for table in report.tables:
        head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in table.head)
        parts.append(f"<h2>{escape(table.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>")
        parts += [
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
        ]
        parts.append("</tbody></table>")
    parts.append("<h2>What it rests on</h2><table><tbody>")
    parts += [
        f"<tr><th scope='row'>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>"
        for name, value in report.all_facts()
    ]
    parts.append("</tbody></table></body></html>\n")
    return "".join(parts).encode("utf-8")


def comparison_pdf(report: ComparisonReport) -> bytes:
    """The same as PDF, A4 across."""
    register_fonts()
    buffer = BytesIO()
    page = landscape(A4)
    width = page[0] - 2 * _MARGIN_PT
    document = SimpleDocTemplate(
        buffer,
        pagesize=page,
        leftMargin=_MARGIN_PT,
        rightMargin=_MARGIN_PT,
        topMargin=_MARGIN_PT,
        bottomMargin=_MARGIN_PT,
        title=report.title,
        author="RadiKal",
        subject=f"content sha256 {report.sha256()}",
        lang="en",
        invariant=1,
    )
    story: list[Flowable] = [text(report.title, TITLE), gap()]
    story += [text(f"• {one}") for one in report.findings]
    for table in report.tables:
        story += [*heading(table.title), listing(table.head, _cells(table), _widths(table, width))]
    story += [*heading("What it rests on"), facts(report.all_facts(), width, 0.2)]
    document.build(story)
    return buffer.getvalue()


def _cells(table: ComparisonTable) -> Sequence[Sequence[Flowable]]:
    return [[text(cell, SMALL) for cell in row] for row in table.rows]


def _widths(table: ComparisonTable, width: float) -> list[float]:
    others = max(len(table.head) - 1, 1)
    return [width * _FIRST_SHARE] + [width * (1 - _FIRST_SHARE) / others] * (len(table.head) - 1)

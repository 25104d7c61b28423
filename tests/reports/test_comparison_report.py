"""The exported comparison: everything is in both files, nothing is run, and the digest tells a change."""

from dataclasses import replace
from datetime import UTC, datetime

from core.reports.comparison_report import (
    ComparisonReport,
    ComparisonTable,
    comparison_html,
    comparison_pdf,
)

REPORT = ComparisonReport(
    title="weld: v1 and v3 compared",
    findings=("v3 finds more <cracks>",),
    facts=(("Evaluation set", "sixty welds; sha256 " + "e" * 64),),
    tables=(ComparisonTable("Figures", ("Figure", "v1"), (("Recall", "0.31 & more"),)),),
    made_by="m.engineer",
    made_at=datetime(2026, 3, 1, 11, tzinfo=UTC),
)


def test_the_html_file_holds_every_text_escaped() -> None:
    page = comparison_html(REPORT).decode()
    for said in ("v3 finds more &lt;cracks&gt;", "0.31 &amp; more", "e" * 64, REPORT.sha256(), "m.engineer"):
        assert said in page
    assert "<cracks>" not in page
    assert "<script" not in page


def test_the_pdf_file_bears_the_digest_and_is_the_same_each_time() -> None:
    data = comparison_pdf(REPORT)
    assert data.startswith(b"%PDF")
    assert f"content sha256 {REPORT.sha256()}".encode() in data
    assert comparison_pdf(REPORT) == data
    many = ComparisonTable("Many", ("Figure", "v1"), (("Recall", "0.31"),) * 200)
    assert comparison_pdf(replace(REPORT, tables=(many,))).count(b"/Type /Page\n") > 2


def test_the_digest_is_that_of_the_evidence() -> None:
    again = replace(REPORT, made_by="another", made_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert again.sha256() == REPORT.sha256()
    assert replace(REPORT, findings=("v3 is worse",)).sha256() != REPORT.sha256()

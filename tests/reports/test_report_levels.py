"""Kinds and severity levels in a report."""

from dataclasses import replace

import pytest

from core.reports.inspection_report import InspectionReport, ReportedIndication
from core.reports.report_levels import kind_words, level_lines
from tests.reports.reported import report


def casting(*graded: tuple[str | None, int | None, str, str]) -> InspectionReport:
    """A report of indications given as kind, level, verdict and call."""
    kept = report(len(graded))
    lines = tuple(
        replace(one, kind=kind, grade=grade, verdict=verdict, call=call, iso6520=None, reasons=(verdict,))
        for one, (kind, grade, verdict, call) in zip(kept.indications, graded, strict=True)
    )
    return replace(
        kept, indications=lines, judged=replace(kept.judged, graded_by="ASTM E155, severity levels 1 to 8")
    )


def test_each_kind_has_one_line_with_its_worst_verdict() -> None:
    kept = casting(
        ("gas-hole", 2, "acceptable", "confirmed"),
        ("gas-hole", None, "not evaluable", "confirmed"),
        ("hot-tear", None, "not acceptable", "confirmed"),
        ("gas-hole", 8, "not acceptable", "dismissed"),
        (None, None, "not evaluable", "confirmed"),
    )
    first, second = level_lines(kept)
    assert first == "gas hole (no. 1, 2): severity level 2, not evaluable: not evaluable"
    assert second == "hot tear (no. 3): no severity level, not acceptable: not acceptable"


def test_a_table_without_levels_has_no_line() -> None:
    kept = casting(("gas-hole", 2, "acceptable", "confirmed"))
    assert level_lines(replace(kept, judged=replace(kept.judged, graded_by=None))) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"indication_class": "porosity", "iso6520": "2011"}, "porosity (2011)"),
        ({"indication_class": "unclassified", "iso6520": "602"}, "spatter (602)"),
        (
            {"indication_class": "porosity", "iso6520": None, "kind": "gas-hole", "grade": 3},
            "gas hole, level 3",
        ),
        ({"indication_class": "unclassified", "iso6520": None}, "unclassified"),
    ],
)
def test_an_indication_is_called_by_its_kind(change: dict[str, object], words: str) -> None:
    one: ReportedIndication = report(1).indications[0]
    assert kind_words(replace(one, **change)) == words


def test_what_states_neither_kind_nor_level_is_written_as_before() -> None:
    content = report(1).to_dict()
    assert not {"kind", "grade"} & set(content["indications"][0])
    assert "graded_by" not in content["judged"]

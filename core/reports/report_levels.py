"""Severity levels of a casting in a report: one line a kind."""

from collections.abc import Sequence

from core.domain.indication import IndicationClass
from core.domain.kinds import OTHER_NUMBERS, called
from core.reports.inspection_report import InspectionReport, ReportedIndication

_WORST_FIRST = ("not acceptable", "not evaluable", "acceptable")


def kind_words(one: ReportedIndication) -> str:
    """Kind, ISO 6520-1 number and severity level, such as "porosity (2011)" or "gas hole, level 3"."""
    words = OTHER_NUMBERS.get(one.iso6520 or "", one.indication_class)
    if one.kind is not None:
        words = called(IndicationClass(one.indication_class), None, one.kind)
    code = f" ({one.iso6520})" if one.iso6520 else ""
    level = "" if one.grade is None else f", level {one.grade}"
    return f"{words}{code}{level}"


def level_lines(report: InspectionReport) -> list[str]:
    """Each stated kind with its level, its verdict and the reason; empty by a table without levels."""
    if report.judged.graded_by is None:
        return []
    kinds: dict[str, list[ReportedIndication]] = {}
    for one in report.indications:
        if one.call == "confirmed" and one.kind is not None:
            kinds.setdefault(one.kind, []).append(one)
    return [_line(kind, ones) for kind, ones in kinds.items()]


def _line(kind: str, ones: Sequence[ReportedIndication]) -> str:
    worst = min(ones, key=lambda one: _WORST_FIRST.index(one.verdict or "not evaluable"))
    levels = sorted({one.grade for one in ones if one.grade is not None})
    level = f"severity level {', '.join(map(str, levels))}" if levels else "no severity level"
    numbers = ", ".join(str(one.number) for one in ones)
    name = called(IndicationClass(ones[0].indication_class), None, kind)
    why = f": {'; '.join(worst.reasons)}" if worst.reasons else ""
    return f"{name} (no. {numbers}): {level}, {worst.verdict or 'not judged'}{why}"

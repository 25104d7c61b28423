"""Severity levels of a casting in a report: one line a kind."""

from collections.abc import Sequence

from core.domain.indication import IndicationClass
from core.domain.kinds import called
from core.reports.inspection_report import InspectionReport, ReportedIndication

_WORST_FIRST = ("not acceptable", "not evaluable", "acceptable")


def kind_words(one: ReportedIndication) -> str:
    """Class, ISO 6520-1 number and severity level in words, such as "porosity (2011)", "gas hole, level 3"."""
    if one.kind is None and one.iso6520 is None:
        words = one.indication_class
    elif one.kind is None:
        words = f"{called(IndicationClass(one.indication_class), one.iso6520)}"
        words = words.removesuffix(f" {one.iso6520}") + f" ({one.iso6520})"
    else:
        words = called(IndicationClass(one.indication_class), None, one.kind)
    return words if one.grade is None else f"{words}, level {one.grade}"


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

"""The indications of a PDF report: one line each, then each reason once with the numbers it holds for."""

import re
from collections.abc import Iterator, Sequence

from reportlab.lib.colors import lightgrey
from reportlab.platypus import Flowable

from core.reports.inspection_report import EMPTY_RESULT, InspectionReport, ReportedIndication
from core.reports.report_layout import SMALL, TINY, bold, gap, heading, labelled, listing, text
from core.reports.report_levels import kind_words

#: Calls in words.
CALLS = {"confirmed": "confirmed", "dismissed": "dismissed", "open": "not assessed"}
_SHARES = (0.045, 0.22, 0.155, 0.055, 0.165, 0.175, 0.135, 0.05)
#: Lines of the table stand close.
_CLOSE = [
    ("TOPPADDING", (0, 1), (-1, -1), 0.4),
    ("BOTTOMPADDING", (0, 1), (-1, -1), 1.2),
    ("LINEBELOW", (0, 1), (-1, -2), 0.3, lightgrey),
]
_HEAD = (
    "No.",
    "Class (ISO 6520-1)",
    "Reported by, call",
    "Prob.",
    "Box, px",
    "Length × width",
    "Verdict",
    "Why",
)
#: No piece of a note is higher than a page.
_LINES_A_PIECE = 20
#: A measured size in a reason; the line of the indication states it, so that reasons can be told once.
_MEASURED = re.compile(r"\b(d|h|l|w|extent) [\d.]+(?: to [\d.]+)? mm\b")
#: What several add up to, where it decides nothing against them.
_COUNTED = re.compile(r"(?<![=<>]) [\d.]+(?: to [\d.]+)?(?: mm)?(?= <=|: )")


def indication_sections(report: InspectionReport, width: float) -> Iterator[Flowable]:
    """The table, the reasons, what was changed and noted; without indications, what that does not mean."""
    yield from heading("Indications")
    if not report.indications:
        yield bold(f"No indication was reported. {EMPTY_RESULT}")
        return
    reasons = grouped_reasons(report.indications)
    letters = {number: letter for letter, (_, numbers) in reasons.items() for number in numbers}
    rows = [
        _row(one, letters.get(one.number, ""), report.image.mm_per_px, is_strange=report.is_strange)
        for one in report.indications
    ]
    yield listing(_HEAD, rows, [width * share for share in _SHARES], _CLOSE)
    yield gap(2)
    for letter, (words, numbers) in reasons.items():
        yield labelled(f"{letter}, {'no.' if len(numbers) == 1 else 'nos.'} {runs(numbers)}:", words, TINY)
    for one in report.indications:
        yield from _remarks(one)
    yield text(_how_measured(report), SMALL)


def grouped_reasons(indications: Sequence[ReportedIndication]) -> dict[str, tuple[str, list[int]]]:
    """By letter, a reason with its clause and the numbers of the indications it holds for.

    Sizes of single indications are left out of the words, because their lines state them.
    """
    groups: dict[str, list[int]] = {}
    for one in indications:
        if words := _why(one):
            groups.setdefault(words, []).append(one.number)
    return {_letter(place): (words, numbers) for place, (words, numbers) in enumerate(groups.items())}


def runs(numbers: Sequence[int]) -> str:
    """Numbers in words, such as "3 to 5, 9"."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in found)


def _why(one: ReportedIndication) -> str:
    said = _COUNTED.sub("", _MEASURED.sub(r"\1", "; ".join(one.reasons)))
    clauses = _clauses(one)
    return f"{said}. Clause: {clauses}" if said and clauses else said or clauses


def _letter(place: int) -> str:
    """A to z, then aa, ab, ..."""
    first, last = divmod(place, 26)
    return (_letter(first - 1) if first else "") + chr(ord("a") + last)


def _probability(one: ReportedIndication, *, is_strange: bool) -> str:
    """Two figures, in brackets with a question mark where they are not verified for this kind of image."""
    if one.probability is None:
        return "-"
    return f"({one.probability:.2f} ?)" if is_strange else f"{one.probability:.2f}"


def _row(one: ReportedIndication, why: str, mm_per_px: float | None, *, is_strange: bool) -> list[Flowable]:
    x1, y1, x2, y2 = one.bbox
    size = f"{one.length_px:.1f} × {one.width_px:.1f} px"
    if (
        mm_per_px is not None and one.plus_minus_mm is not None
    ):  # of px, as the viewer does: no second rounding
        length, width = (side * mm_per_px for side in (one.length_px, one.width_px))
        size = f"{length:.2f} × {width:.2f} mm ± {one.plus_minus_mm:.2f}"
    if one.along is not None:
        size += f", around its {one.along}"
    members = f", group of {len(one.members)}" if one.members else ""
    return [
        bold(str(one.number), TINY),
        text(f"{kind_words(one)}{members}{f'; model: {one.claim}' if one.claim else ''}", TINY),
        text(f"{one.reported_by}, {one.call_words}", TINY),
        text(_probability(one, is_strange=is_strange), TINY),
        text(f"{x1:.0f}, {y1:.0f} to {x2:.0f}, {y2:.0f}", TINY),
        text(size, TINY),
        bold(one.verdict or "not judged", TINY),
        text(why, TINY),
    ]


def _clauses(one: ReportedIndication) -> str:
    """Every clause that was applied; empty when none was."""
    return "; ".join(dict.fromkeys(rule.clause for rule in one.rules if rule.clause))


def _remarks(one: ReportedIndication) -> Iterator[Flowable]:
    """What a group holds, what was changed, what somebody noted."""
    label = f"No. {one.number}:"
    if one.members:
        yield labelled(label, f"group of {_group_words(one.members, one.covered_percent)}", SMALL)
    if one.changes:
        yield labelled(label, f"changed: {'; '.join(one.changes)}", SMALL)
    lines = one.note.splitlines() if one.note else []
    for begin in range(0, len(lines), _LINES_A_PIECE):
        piece = "\n".join(lines[begin : begin + _LINES_A_PIECE])
        yield labelled("" if begin else f"{label} note:", piece, SMALL)


def _group_words(members: Sequence[int], covered_percent: float | None) -> str:
    """Such as "nos. 3 to 5, 9; they cover 12.5 % of its projected area"."""
    share = "" if covered_percent is None else f"; they cover {covered_percent:g} % of its projected area"
    return f"nos. {runs(members)}{share}"


def _how_measured(report: InspectionReport) -> str:
    cut = report.model.operating_probability
    below = f"{report.n_below} more boxes of the model lie below its operating probability {cut:.2f}"
    if report.image.mm_per_px is None:
        return f"No scale is known: lengths are in pixels, {_sides(report)}. {below}."
    return (
        f"Length and width are {_sides(report)}. "
        f"Scale: {report.image.mm_per_px:.6g} mm per px, {report.image.scale_source}. {below}."
    )


def _sides(report: InspectionReport) -> str:
    """What lengths and widths are those of, and how far they may be off."""
    box = "the sides of the box, each edge ± 1 px, so the whole ± 2 px"
    if not any(one.along for one in report.indications):
        return box
    return f"{box}, or where it says so those around the outline, each end ± 2 px, so the whole ± 4 px"

"""Sections of a PDF report, from top to bottom."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import lightgrey
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Table

from core.domain.exposure import Group, exposure_from, exposure_words
from core.domain.wire_sets import indicator_words
from core.reports.inspection_report import (
    EMPTY_RESULT,
    FAILED,
    PROBABILITY,
    UNSIGNED,
    InspectionReport,
    ReportedIndication,
)
from core.reports.report_layout import (
    BODY,
    BOXED,
    RESULT,
    SMALL,
    TITLE,
    bold,
    boxed,
    facts,
    gap,
    heading,
    labelled,
    listing,
    moment,
    number,
    side_by_side,
    text,
    together,
)
from core.reports.report_picture import FILM_HEIGHT, FilmStrip, strips
from core.reports.report_signatures import signature_sections

_QR = 24 * mm
_LONGEST_TITLE = 60
#: A row of a table is not torn where cells are joined, so none may be higher than a page.
_LINES_A_ROW = 20
_SHORT_NOTE = 600
_CALLS = {"confirmed": "confirmed", "dismissed": "dismissed", "open": "not assessed"}
_INDICATION_SHARES = (0.04, 0.20, 0.165, 0.065, 0.20, 0.20, 0.13)


def sections(report: InspectionReport, pixels: npt.NDArray[Any], width: float) -> list[Flowable]:
    """All of it, in a frame that is `width` pt wide."""
    return [
        *_top(report, width),
        *_film(report, pixels, width),
        *_indications(report, width),
        *_verdict(report, width),
        *signature_sections(report, width),
        *_facts(report, width),
        *_limits(report),
    ]


def _top(report: InspectionReport, width: float) -> Iterator[Flowable]:
    setup = report.setup
    name = " · ".join(one for one in (setup.part, setup.weld_number and f"weld {setup.weld_number}") if one)
    left = [
        text(name or report.image.name, TITLE if len(name) <= _LONGEST_TITLE else BODY),
        gap(3),
        text(f"{report.image.name} · {_count(report)}"),
        text(f"Inspected by {report.inspector}, {moment(report.created_at)}. State: {report.state}."),
    ]
    room = width - _QR - 46 * mm
    middle: list[Flowable] = []
    if not report.is_signed:
        middle.append(boxed(bold(UNSIGNED, BOXED), 42 * mm))
    if report.has_failed_signature:
        middle.append(boxed(bold(FAILED, BOXED), 42 * mm))
    table = Table([[left, middle, _qr(report)]], colWidths=[room, 46 * mm, _QR])
    table.setStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
        ]
    )
    yield table
    yield gap()
    yield boxed(_result(report), width)
    yield gap()


def _result(report: InspectionReport) -> list[Flowable]:
    """Disposition, verdict and override in one box, so that none is read without the others."""
    first, *others = report.result
    judged = report.judged
    lines = [bold(first, RESULT), *(bold(one) for one in others), text(f"By the table: {judged.full_words}")]
    return [*lines, text(judged.caveat)] if judged.caveat else lines


def _qr(report: InspectionReport) -> Drawing:
    """Inspection and digest of the content, for a phone."""
    drawing = Drawing(_QR, _QR)
    content = f"radikal:inspection:{report.inspection_id}:sha256:{report.sha256()}"
    drawing.add(QrCodeWidget(content, barWidth=_QR, barHeight=_QR, barBorder=0, barLevel="M"))
    return drawing


def _count(report: InspectionReport) -> str:
    n = len(report.indications)
    if n == 0:
        return "no indication reported"
    calls = {
        call: sum(one.call == call for one in report.indications)
        for call in ("confirmed", "dismissed", "open")
    }
    words = ", ".join(f"{count} {_CALLS[call]}" for call, count in calls.items() if count)
    return f"{n} indication{'s' if n > 1 else ''}: {words}"


def _film(report: InspectionReport, pixels: npt.NDArray[Any], width: float) -> Iterator[Flowable]:
    parts = strips(pixels.shape[1], pixels.shape[0], room=(width, FILM_HEIGHT))
    for index, strip in enumerate(parts):
        is_last = index == len(parts) - 1
        yield FilmStrip(report, pixels, strip, max_height=FILM_HEIGHT / len(parts), has_bar=is_last)
        yield gap(2)
    window = report.window
    inverted = ", inverted" if window.is_inverted else ""
    shown = (
        f"Shown: grey values {window.lo:.6g} (black) to {window.hi:.6g} (white){inverted}, {window.source}"
    )
    cut = f"; in {len(parts)} strips, left to right" if len(parts) > 1 else ""
    yield text(
        f"{shown}{cut}. Dashed: reported by the model only. Solid: confirmed or added by a person. "
        "Struck through: dismissed. Numbers as in the table.",
        SMALL,
    )
    if report.note:
        yield gap()
        yield labelled("Note:", report.note)


def _indications(report: InspectionReport, width: float) -> Iterator[Flowable]:
    yield from heading("Indications")
    if not report.indications:
        yield bold(f"No indication was reported. {EMPTY_RESULT}")
        return
    head = ("No.", "Class (ISO 6520-1)", "Reported by, call", "Prob.", "Box, px", "Length × width", "Verdict")
    rows: list[list[Any]] = []
    style: list[Any] = []
    letters = _lettered_clauses(report.indications)
    for one in report.indications:
        begin = len(rows) + 1
        rows.append(_indication_row(one))
        rows += [["", detail, "", "", "", "", ""] for detail in _details(one, letters)]
        end = len(rows)
        style += [("SPAN", (1, at), (-1, at)) for at in range(begin + 1, end + 1)]
        style += [
            ("NOSPLIT", (0, begin), (0, end if _is_short(one) else begin + 1)),
            ("LINEBELOW", (0, end), (-1, end), 0.3, lightgrey),
        ]
    yield listing(head, rows, [width * share for share in _INDICATION_SHARES], style)
    yield gap(2)
    for clauses, letter in letters.items():
        yield labelled(f"Clauses {letter}:", clauses, SMALL)
    yield text(_how_measured(report), SMALL)


def _indication_row(one: ReportedIndication) -> list[Flowable]:
    x1, y1, x2, y2 = one.bbox
    code = f" ({one.iso6520})" if one.iso6520 else ""
    size = f"{one.length_px:.1f} × {one.width_px:.1f} px"
    if one.length_mm is not None and one.width_mm is not None:
        size = f"{one.length_mm:.2f} × {one.width_mm:.2f} mm ± {one.plus_minus_mm:.2f}"
    return [
        bold(str(one.number), SMALL),
        text(one.indication_class + code + (f", group of {len(one.members)}" if one.members else ""), SMALL),
        text(f"{one.reported_by}, {_CALLS.get(one.call, one.call)}", SMALL),
        text("-" if one.probability is None else f"{one.probability:.2f}", SMALL),
        text(f"{x1:.0f}, {y1:.0f} to {x2:.0f}, {y2:.0f}", SMALL),
        text(size, SMALL),
        bold(one.verdict or "not judged", SMALL),
    ]


def _clauses(one: ReportedIndication) -> str:
    """Every clause that was applied; empty when none was."""
    applied = (
        f"{rule.clause} ({rule.rule_id})" if rule.rule_id else rule.clause
        for rule in one.rules
        if rule.clause or rule.rule_id
    )
    return "; ".join(dict.fromkeys(applied))


def _lettered_clauses(indications: Sequence[ReportedIndication]) -> dict[str, str]:
    """A letter for each set of clauses that stands more than once, so that it is printed once."""
    counts = Counter(clauses for one in indications if (clauses := _clauses(one)))
    repeated = [clauses for clauses, count in counts.items() if count > 1]
    return {clauses: chr(ord("A") + place) for place, clauses in enumerate(repeated[:26])}


def _details(one: ReportedIndication, letters: Mapping[str, str]) -> list[Flowable]:
    """Why, by which clause, what was changed, what somebody noted."""
    clauses = _clauses(one)
    lines = []
    if one.members:
        lines.append(labelled("Group of:", _group_words(one.members, one.covered_percent), SMALL))
    if one.reasons:
        lines.append(labelled("Why:", "; ".join(one.reasons), SMALL))
    if clauses:
        said = f"{letters[clauses]}, below the table" if clauses in letters else clauses
        lines.append(labelled("Clause:", said, SMALL))
    if one.changes:
        lines.append(labelled("Changed:", "; ".join(one.changes), SMALL))
    if one.note:
        lines += [labelled(label, piece, SMALL) for label, piece in _pieces(one.note)]
    return lines


def _group_words(members: Sequence[int], covered_percent: float | None) -> str:
    """Such as "nos. 3 to 5, 9; they cover 12.5 % of its projected area"."""
    runs: list[list[int]] = []
    for place in members:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    told = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    share = "" if covered_percent is None else f"; they cover {covered_percent:g} % of its projected area"
    return f"nos. {', '.join(told)}{share}"


def _is_short(one: ReportedIndication) -> bool:
    """True when all that is said about it may be kept on one page."""
    return len(one.note) < _SHORT_NOTE and one.note.count("\n") < _LINES_A_ROW


def _pieces(note: str) -> Iterator[tuple[str, str]]:
    """A note in pieces that are shorter than a page, with the label of each."""
    lines = note.splitlines() or [note]
    for begin in range(0, len(lines), _LINES_A_ROW):
        yield "" if begin else "Note:", "\n".join(lines[begin : begin + _LINES_A_ROW])


def _how_measured(report: InspectionReport) -> str:
    cut = report.model.operating_probability
    below = f"{report.n_below} more boxes of the model lie below its operating probability {cut:.2f}"
    if report.image.mm_per_px is None:
        return f"No scale is known: lengths are in pixels, sides of the box, each edge ± 1 px. {below}."
    return (
        "Length and width are the sides of the box, each edge ± 1 px. "
        f"Scale: {report.image.mm_per_px:.6g} mm per px, {report.image.scale_source}. {below}."
    )


def _verdict(report: InspectionReport, width: float) -> Iterator[Flowable]:
    judged = report.judged
    if not judged.rule_set_id:
        lines = [bold(judged.full_words)]
        yield together("Verdict by the acceptance table", *lines, *(text(one, SMALL) for one in judged.notes))
        return
    table = f"{judged.standard}, edition {judged.edition}, level {judged.level}"
    version = f"{judged.rule_set_id} version {judged.rule_set_version}, sha256 {judged.rule_set_sha256}"
    lines = [bold(judged.full_words), text(f"{table}. Table {version}.", SMALL)]
    if judged.caveat:
        lines += [gap(3), boxed(bold(judged.caveat, BODY), width, 0.6), gap(3)]
    yield together("Verdict by the acceptance table", *lines, *(text(one, SMALL) for one in judged.notes))


def _facts(report: InspectionReport, width: float) -> Iterator[Flowable]:
    image, model, setup = report.image, report.model, report.setup
    sided = {True: "one side", False: "both sides", None: "not known"}[setup.is_single_sided]
    half = (width - 10) / 2
    scale = "none" if image.mm_per_px is None else f"{image.mm_per_px:.6g} mm per px, {image.scale_source}"
    part = [
        ("Part", setup.part or "not given"),
        ("Weld number", setup.weld_number or "not given"),
        *([("Film number", setup.film_number)] if setup.film_number else []),
        *([("Position", setup.position)] if setup.position else []),
        ("Material", setup.material or "not given"),
        ("Technique", setup.technique or "not given"),
        ("Wall thickness t", number(setup.wall_mm, "mm")),
        ("Weld thickness s", number(setup.thickness_mm, "mm")),
        ("Weld length", number(setup.weld_length_mm, "mm")),
        ("Welded from", sided),
        ("Wire IQI", indicator_words(setup.wire_set, setup.required_wire) or "not stated"),
        ("SRb", number(setup.srb_mm, "mm")),
        ("Standard, level", f"{setup.standard or 'not chosen'}, {setup.quality_level or 'not chosen'}"),
    ]
    taken = [
        ("Image", image.name),
        ("Image sha256", image.sha256),
        *([("Source", image.frame)] if image.frame else []),
        ("Size", f"{image.width} × {image.height} px, {image.bit_depth} bit, {image.file_format}"),
        ("Polarity", f"{image.polarity}{f', {image.polarity_ground}' if image.polarity_ground else ''}"),
        ("Scale", scale),
        ("Inspection", f"{report.inspection_id}, version {report.version}, reading {report.reading_version}"),
        ("Last change", moment(report.updated_at)),
        (
            "Seen at 1:1 or more",
            "not stated" if report.seen_percent is None else f"{report.seen_percent:g} %",
        ),
    ]
    yield together("Part and image", side_by_side(facts(part, half, 0.36), facts(taken, half, 0.26), width))
    yield from _exposure(report, width)
    ran = [
        ("Model", f"{model.name} v{model.version}"),
        ("Weights sha256", model.sha256),
        ("Calibration", f"{model.calibration_id}, {model.calibration_method or 'method not at hand'}"),
        ("Calibrated on", model.calibrated_on or "not at hand"),
        ("Score cut", number(model.score_cut)),
        ("Operating probability", number(model.operating_probability)),
        ("Release", model.release),
        ("Training data", model.data_notice or "not at hand"),
    ]
    yield together("Model", facts(ran, width, 0.2))
    yield from _image_quality(report, width)


def _exposure(report: InspectionReport, width: float) -> Iterator[Flowable]:
    """Every field of the exposure; those that neither a person nor the file stated are said not to be."""
    said = exposure_words(exposure_from(report.exposure or {}), exposure_from(report.exposure_of_file or {}))
    groups: dict[Group, list[tuple[str, str]]] = {group: [] for group in Group}
    for group, label, words in said:
        groups[group].append((label, words))
    half = (width - 10) / 2
    left = facts(groups[Group.EXPOSURE], half, 0.36)
    right = facts([*groups[Group.PART], *groups[Group.DETECTOR]], half, 0.36)
    yield together("Exposure", side_by_side(left, right, width))
    yield together("Image quality indicators", _two_columns(groups[Group.QUALITY], width))


def _two_columns(pairs: Sequence[tuple[str, str]], width: float) -> Flowable:
    half, middle = (width - 10) / 2, (len(pairs) + 1) // 2
    return side_by_side(facts(pairs[:middle], half, 0.36), facts(pairs[middle:], half, 0.36), width)


def _image_quality(report: InspectionReport, width: float) -> Iterator[Flowable]:
    if not report.image_quality:
        yield together("Image quality", text("not evaluable: the image-quality checks did not run"))
        return
    rows = [
        [text(one.name, SMALL), bold(one.state, SMALL), text(one.message, SMALL)]
        for one in report.image_quality
    ]
    yield from heading("Image quality")
    yield listing(("Check", "Result", "Why"), rows, [width * share for share in (0.2, 0.15, 0.65)])


def _limits(report: InspectionReport) -> Iterator[Flowable]:
    model = report.model
    yield from heading("Limits")
    yield text(EMPTY_RESULT, SMALL)
    yield gap(2)
    yield text(PROBABILITY, SMALL)
    for label, lines in (("Measured on", model.measured_on), ("Limit of the model", model.limits)):
        for line in lines:
            yield gap(2)
            yield labelled(f"{label}:", line, SMALL)

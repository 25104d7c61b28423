"""Sections of a PDF report, from top to bottom."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Table

from core.domain.exposure import Group, exposure_from, exposure_words
from core.domain.familiarity import NOT_VERIFIED
from core.domain.signing import INSPECTED
from core.domain.wire_sets import indicator_words
from core.reports.inspection_report import (
    EMPTY_RESULT,
    FAILED,
    UNSIGNED,
    InspectionReport,
)
from core.reports.report_indications import CALLS, indication_sections
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
    without_files,
)
from core.reports.report_levels import level_lines
from core.reports.report_map_section import map_sections
from core.reports.report_picture import FILM_HEIGHT, FilmStrip, strips
from core.reports.report_signatures import signature_sections

_QR = 24 * mm
_LONGEST_TITLE = 60


def sections(report: InspectionReport, pixels: npt.NDArray[Any], width: float) -> list[Flowable]:
    """All of it, in a frame that is `width` pt wide."""
    return [
        *_top(report, width),
        *_film(report, pixels, width),
        *indication_sections(report, width),
        *_verdict(report, width),
        *signature_sections(report, width),
        *map_sections(report, width),
        *_facts(report, width),
        *_limits(report),
    ]


def _read_words(report: InspectionReport) -> str:
    """Who inspected it and when that was signed; until then, when the model read it."""
    signed = next((one for one in report.signatures if one.meaning.startswith(INSPECTED)), None)
    if signed is None:
        return f"Inspection of {report.inspector}, read by the model {moment(report.created_at)}."
    return f"Inspected by {report.inspector}, signed {moment(signed.signed_at)}."


def _rule_words(report: InspectionReport) -> str:
    """The title of the acceptance table and its level."""
    setup, judged = report.setup, report.judged
    if setup.standard is None:
        return "not chosen"
    title = judged.standard if judged.rule_set_id else setup.standard
    return f"{title}, level {setup.quality_level or 'not chosen'}"


def _top(report: InspectionReport, width: float) -> Iterator[Flowable]:
    setup = report.setup
    name = " · ".join(one for one in (setup.part, setup.weld_number and f"weld {setup.weld_number}") if one)
    left = [
        text(name or report.image.name, TITLE if len(name) <= _LONGEST_TITLE else BODY),
        gap(3),
        text(f"{report.image.name} · {_count(report)}"),
        text(f"{_read_words(report)} State: {report.state}."),
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
    words = ", ".join(f"{count} {CALLS[call]}" for call, count in calls.items() if count)
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
        f"{_outlined(report)}Struck through: dismissed. Numbers as in the table.",
        SMALL,
    )
    if report.note:
        yield gap()
        yield labelled("Note:", report.note)


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
    if judged.graded_by:
        lines += [labelled("Severity levels by:", judged.graded_by), *map(text, level_lines(report))]
    yield together("Verdict by the acceptance table", *lines, *(text(one, SMALL) for one in judged.notes))


def _measures(report: InspectionReport, width: float) -> Iterator[Flowable]:
    """Measurements made on the radiograph, one row each; nothing where none was made."""
    if report.measures:
        rows = [
            (
                f"{one['measure_id']} {one['kind']}",
                "; ".join(filter(None, (one["value"], one["scale_source"]))),
            )
            for one in report.measures
        ]
        yield together("Measurements", facts(rows, width, 0.2))


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
        ("Standard, level", _rule_words(report)),
    ]
    taken = [
        ("Image", image.name),
        ("Image sha256", image.sha256),
        *([("Source", image.frame)] if image.frame else []),
        *([("Also in the file", "; ".join(report.not_read))] if report.not_read else []),
        ("Size", f"{image.width} × {image.height} px, {image.bit_depth} bit, {image.file_format}"),
        ("Polarity", f"{image.polarity}{f', {image.polarity_ground}' if image.polarity_ground else ''}"),
        ("Scale", scale),
        ("Inspection", f"{report.inspection_id}, version {report.version}, reading {report.reading_version}"),
        ("Last change", moment(report.updated_at)),
        ("Seen at 1:1 or more", _seen(report)),
        *([("First look", report.first_look)] if report.first_look else []),
    ]
    yield together("Part and image", side_by_side(facts(part, half, 0.36), facts(taken, half, 0.26), width))
    yield from _measures(report, width)
    yield from _exposure(report, width)
    ran = [
        ("Model", f"{model.name} v{model.version}"),
        ("Weights sha256", model.sha256),
        ("Calibration", f"{model.calibration_id}, {model.calibration_method or 'method not at hand'}"),
        ("Calibrated on", without_files(model.calibrated_on) or "not at hand"),
        ("Score cut", number(model.score_cut)),
        ("Operating probability", number(model.operating_probability)),
        *([("Probabilities", NOT_VERIFIED)] if report.is_strange and not report.is_void else []),
        *([("Drift", report.drift)] if report.drift else []),
        *([("Qualification", report.qualification)] if report.qualification else []),
        ("Release", without_files(model.release)),
        ("Training data", without_files(model.data_notice) or "not at hand"),
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


def _seen(report: InspectionReport) -> str:
    if report.seen_percent is None:
        return "not stated"
    zone = report.zone_seen_percent
    return f"{report.seen_percent:g} %" + ("" if zone is None else f"; {zone:g} % of the zone that is judged")


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
    yield (bold if report.is_strange else text)(report.probability_words, SMALL)
    for label, lines in (("Measured on", model.measured_on), ("Limit of the model", model.limits)):
        for line in lines:
            yield gap(2)
            yield labelled(f"{label}:", without_files(line), SMALL)


def _outlined(report: InspectionReport) -> str:
    """What the dots within a box are, where there are any."""
    has_one = any(one.area_px is not None for one in report.indications)
    return "Dotted within a box: the outline that the model drew. " if has_one else ""

"""From the record to the content of its report."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.flaw_group import claim_from
from core.domain.grouping import counted, covered_share, members_of
from core.domain.indication import ISO_6520
from core.domain.kinds import Family, family_of
from core.domain.model_version import ModelVersion
from core.domain.radiograph import PixelPitch
from core.domain.reading import Call, DisagreementKind, ReadIndication, disagreements, number_of
from core.domain.records import AnnotationSource, Inspection
from core.domain.sizing import Size, has_lost_outline, size_of
from core.reports.inspection_report import (
    AppliedRule,
    DecidingNumber,
    Judged,
    ModelFacts,
    QualityCheck,
    ReportedIndication,
)
from core.standards.verdict import ImageVerdict, IndicationVerdict

_OUTLINE = "outline"
_MOVED = "box moved: the size is that of the box, no longer of the model's outline"
_DECIMALS_PX, _DECIMALS_MM, _DECIMALS_AREA = 2, 3, 4
_CHANGES = (DisagreementKind.CLASS, DisagreementKind.EXTENT)


def model_facts(inspection: Inspection, version: ModelVersion | None) -> ModelFacts:
    """The model version that ran, with figures from its card; `version` is None when no longer registered."""
    ran = inspection.model
    card: Mapping[str, Any] = {} if version is None else version.card
    release = card.get("release") or {}
    unknown = "this model version is no longer registered: its card is not at hand"
    return ModelFacts(
        name=ran.name,
        version=ran.version,
        sha256=ran.sha256,
        calibration_id=ran.calibration_id,
        score_cut=ran.score_cut,
        operating_probability=ran.operating_probability,
        calibration_method=None if version is None else version.calibration.method,
        calibrated_on="" if version is None else version.calibration.fitted_on,
        release=unknown if version is None else str(release.get("note") or "release state not recorded"),
        data_notice="" if version is None else version.data_notice,
        measured_on=tuple(_measured(figures) for figures in card.get("evaluation") or ()),
        limits=tuple(str(one) for one in card.get("limits") or ()),
    )


def quality_checks(report: Mapping[str, Any] | None) -> tuple[QualityCheck, ...] | None:
    """The checks of the image-quality gate, None when it did not run."""
    if report is None:
        return None
    return tuple(
        QualityCheck(
            name=str(one.get("name") or one.get("kind") or ""),
            state=str(one.get("state") or ""),
            message=str(one.get("message") or one.get("sentence") or ""),
        )
        for one in report.get("checks", ())
    )


def judged(
    verdict: ImageVerdict | None,
    withheld: Sequence[str],
    notes: Sequence[str],
    *,
    word: str | None = None,
    summary: str = "",
    n_open: int | None = None,
) -> Judged:
    """The verdict on the image; without one, what withheld it.

    Args:
        verdict: of the rule on what was confirmed.
        withheld: why there is none.
        notes: what to bear in mind.
        word: the verdict on the reading; None in what releases signed that judged open indications too.
        summary: of that verdict.
        n_open: indications that nobody assessed.
    """
    if verdict is None:
        told = summary if word else ""
        return Judged(word, told, tuple(withheld), tuple(notes), "", "", "", "", "", "", "", n_open)
    return Judged(
        verdict=word or verdict.verdict.value,
        summary=summary if word else verdict.summary,
        withheld=tuple(withheld),
        notes=tuple(notes),
        standard=verdict.standard,
        edition=verdict.edition,
        level=verdict.level,
        rule_set_id=verdict.rule_set_id,
        rule_set_version=verdict.rule_set_version,
        rule_set_sha256=verdict.rule_set_sha256,
        caveat=verdict.caveat,
        graded_by=None if verdict.grading is None else verdict.grading.words,
        n_open=n_open,
    )


def reported_indications(
    inspection: Inspection,
    reading: Sequence[ReadIndication],
    verdict: ImageVerdict | None,
    pitch: PixelPitch | None,
) -> tuple[ReportedIndication, ...]:
    """Every indication of the reading, dismissed ones too, numbered as the page does, in that order.

    A group has one line, which names its members; they have none.

    Args:
        inspection: whose.
        reading: as a person left it.
        verdict: None when it is withheld.
        pitch: the scale, None without one.
    """
    verdicts = {} if verdict is None else {one.finding_id: one for one in verdict.indications}
    changes: dict[str, list[str]] = {}
    for one in disagreements(inspection.detections, reading):
        if one.kind in _CHANGES:
            words = one.kind.value
            if one.kind is DisagreementKind.CLASS and one.indication.model_index is not None:
                words += f" (model: {inspection.detections[one.indication.model_index]['class']})"
            changes.setdefault(one.indication.indication_id, []).append(words)
    for read in reading:
        if has_lost_outline(read, inspection.detections):
            changes.setdefault(read.indication_id, []).append(_MOVED)
    n_detections = len(inspection.detections)
    is_casting = family_of(inspection.model.name) is Family.CASTING
    numbered = sorted(((number_of(one, n_detections), one) for one in counted(reading)), key=_first)
    return tuple(
        _indication(
            number,
            one,
            verdicts.get(one.indication_id),
            pitch,
            size=size_of(one, inspection.detections),
            changes=tuple(changes.get(one.indication_id, ())),
            members=members_of(reading, one.indication_id),
            n_detections=n_detections,
            is_casting=is_casting,
            claim=None if one.model_index is None else _claim(inspection.detections[one.model_index]),
        )
        for number, one in numbered
    )


def _first(pair: tuple[int, ReadIndication]) -> int:
    return pair[0]


def _indication(
    number: int,
    one: ReadIndication,
    verdict: IndicationVerdict | None,
    pitch: PixelPitch | None,
    *,
    size: Size,
    changes: tuple[str, ...],
    members: Sequence[ReadIndication],
    n_detections: int,
    is_casting: bool,
    claim: str | None,
) -> ReportedIndication:
    share = covered_share(one, members)
    length, width, area = size.length_px, size.width_px, size.area_px
    mm = None if pitch is None else pitch.mm_per_px
    reasons: tuple[str, ...] = () if verdict is None else verdict.reasons
    if one.call is Call.DISMISSED:
        reasons = ("dismissed: not judged",)
    return ReportedIndication(
        number=number,
        indication_id=one.indication_id,
        indication_class=one.indication_class.value,
        iso6520=one.iso6520 or (None if is_casting or one.kind else ISO_6520[one.indication_class]),
        bbox=one.bbox,
        length_px=round(length, _DECIMALS_PX),
        width_px=round(width, _DECIMALS_PX),
        length_mm=None if mm is None else round(length * mm, _DECIMALS_MM),
        width_mm=None if mm is None else round(width * mm, _DECIMALS_MM),
        plus_minus_mm=None if mm is None else round(2 * size.edge_px * mm, _DECIMALS_MM),
        probability=one.probability,
        reported_by="model" if one.source is AnnotationSource.MODEL else "inspector",
        changes=changes,
        call=one.call.value,
        dismissed_as=one.dismissed_as.value if one.dismissed_as else None,
        note=one.note,
        verdict=None if verdict is None else verdict.verdict.value,
        reasons=reasons,
        rules=() if verdict is None else _rules(verdict),
        members=tuple(sorted(number_of(member, n_detections) for member in members)) or None,
        covered_percent=None if share is None else round(100 * share, 1),
        kind=one.kind,
        grade=one.grade,
        claim=claim,
        area_px=area,
        along=_OUTLINE if size.is_along_outline else None,
        area_mm2=None if mm is None or area is None else round(area * mm**2, _DECIMALS_AREA),
    )


def _claim(found: Mapping[str, Any]) -> str | None:
    """What the model claims, such as "linear: probably crack (reliability 0.91)"."""
    claim = claim_from(found)
    return None if claim is None else f"{claim.words} (reliability {claim.reliability:.2f})"


def _rules(verdict: IndicationVerdict) -> tuple[AppliedRule, ...]:
    return tuple(
        AppliedRule(
            rule_id=outcome.rule_id,
            clause=outcome.clause,
            kinds=outcome.kinds,
            verdict=outcome.verdict.value,
            decisions=tuple(
                DecidingNumber(one.verdict.value, one.words, one.low, one.high, one.limit)
                for one in outcome.decisions
            ),
        )
        for outcome in verdict.outcomes
    )


def _measured(figures: Mapping[str, Any]) -> str:
    """One line: what it was measured on and how it did, each figure with its 95 % interval."""
    said = [f"{figures.get('n_images', '?')} images, {figures.get('n_boxes', '?')} indications"]
    for key, words in (("ap50", "AP50"), ("recall", "found"), ("precision", "of its reports real")):
        if (text := _figure(figures, key)) is not None:
            said.append(f"{words} {text}")
    if (text := _figure(figures, "false_calls_per_image")) is not None:
        said.append(f"{text} false calls an image")
    cut = figures.get("operating_probability")
    at = "" if cut is None else f" (at probability {cut:.2f})"
    return f"{figures.get('on', 'unknown parts')}: {'; '.join(said)}{at}"


def _figure(figures: Mapping[str, Any], key: str) -> str | None:
    value, interval = figures.get(key), figures.get(f"{key}_ci")
    if value is None:
        return None
    if not interval:
        return f"{value:.2f}"
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"

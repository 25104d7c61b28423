"""Verifying a report: the file itself, the record it was written from, its signatures, the detections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import ModelArtefactError, ModelNotFoundError, UnknownRecordError
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.reports.inspection_report import InspectionReport, ReviewedBy, SignedBy
from core.reports.report_json import read_report_json
from core.reports.report_pdf import is_pdf, read_report_pdf
from core.services.images.images import ImageService
from core.services.inference.detecting import DetectService
from core.services.reports.reporting import ChosenWindow, ReportingService
from core.store.blobs import BlobDamagedError, BlobNotFoundError

#: Boxes and probabilities that differ by no more are the same; processors round differently.
BOX_PX, PROBABILITY = 0.5, 1e-3
_ROUNDING = 1e-9
_LONGEST_LIST = 20
#: Fields that may change after a report was written; differences are notes.
_GOES_ON = frozenset(
    {
        "state", "signatures", "reviews", "earlier", "later", "inspector", "window", "maps",
        "drift", "qualification",  # an alarm may be raised or acknowledged since
    }
)  # fmt: skip


class Subject(StrEnum):
    """Subject of a difference."""

    FILE = "file"
    PAGES = "pages"
    RECORD = "record"
    SIGNATURE = "signature"
    DETECTION = "detection"


@dataclass(frozen=True, slots=True)
class ReportMismatch:
    """One difference between the report and what is found now, in a sentence."""

    subject: Subject
    sentence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification.

    Attributes:
        reference: of the report.
        n_boxes: of the model in the report.
        differences: none: the report is whole, is what the record says, and reproduces.
        notes: what went on since, and what could not be looked at.
    """

    reference: str
    n_boxes: int
    differences: tuple[ReportMismatch, ...]
    notes: tuple[str, ...]

    @property
    def reproduces(self) -> bool:
        """True when nothing differs."""
        return not self.differences


class VerifyingService:
    """Verifies reports against one workspace.

    Args:
        reporting: writes them.
        images: holds the radiographs.
        detect: runs the model versions.
    """

    def __init__(self, reporting: ReportingService, images: ImageService, detect: DetectService) -> None:
        self._reporting = reporting
        self._images = images
        self._detect = detect

    def verify(self, identity: Identity, data: bytes) -> Verified:
        """Differences between the report in `data` (JSON or PDF) and the stored record.

        Raises:
            BadInputError: it is no report.
            NotAllowedError: the role may not look at inspections or at radiographs.
        """
        require(identity, Action.INSPECTIONS_READ)
        pages = read_report_pdf(data) if is_pdf(data) else None
        read = read_report_json(data) if pages is None else pages.attached
        found: list[ReportMismatch] = []
        notes: list[str] = []
        if not read.is_whole:
            found.append(
                ReportMismatch(
                    Subject.FILE, "the content was changed after it was written: its sha256 differs"
                )
            )
        report = read.report
        try:
            now = self._reporting.report(identity, report.inspection_id, window=_window(report))
        except (UnknownRecordError, BlobNotFoundError, BlobDamagedError) as error:
            found.append(ReportMismatch(Subject.RECORD, str(error)))
            return Verified(report.reference(), len(report.detections), tuple(found), tuple(notes))
        found += _record_differences(report, now)
        found += _signature_differences(report, now)
        notes += _notes(report, now)
        found += self._detection_differences(now)
        if pages is not None and (found or not pages.is_same_layout):
            why = "the content differs" if found else "another release or machine wrote them"
            notes.append(f"the pages were NOT compared: {why}")
        elif pages is not None and self._reporting.pdf(report) != data:
            found.append(ReportMismatch(Subject.PAGES, "the pages are not those that belong to the content"))
        return Verified(report.reference(), len(report.detections), tuple(found), tuple(notes))

    def _detection_differences(self, report: InspectionReport) -> list[ReportMismatch]:
        """Differences between a new run on the stored original and the record.

        A report may have been made in 8-bit integers or in floating point: it reproduces when either does.
        """
        ran = report.model
        try:
            radiograph = self._images.load(report.image.sha256, polarity=Polarity(report.image.polarity))
            for in_floating_point in (False, True):
                result = self._detect.detect(
                    radiograph,
                    report.image.name,
                    model=ran.name,
                    version=ran.version,
                    min_score=ran.score_cut,
                    in_floating_point=in_floating_point,
                )
                sentences = compare_detections(report.detections, result.rows(), score_cut=ran.score_cut)
                if not sentences:
                    break
        except (ModelNotFoundError, ModelArtefactError, BlobNotFoundError, BlobDamagedError) as error:
            return [ReportMismatch(Subject.DETECTION, f"cannot be run again: {error}")]
        was = {"weights": ran.sha256, "calibration values": ran.calibration_id}
        is_now = {
            "weights": result.model.sha256,
            "calibration values": result.model.calibration.calibration_id,
        }
        differences = [
            ReportMismatch(Subject.DETECTION, f"the {name} are others: {value[:12]}, now {is_now[name][:12]}")
            for name, value in was.items()
            if value != is_now[name]
        ]
        return differences + [ReportMismatch(Subject.DETECTION, sentence) for sentence in sentences]


def compare_detections(
    reported: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]], *, score_cut: float
) -> list[str]:
    """One sentence for each box that has no equal on the other side; none when all reproduce.

    Equal: the same class, every edge within 0.5 px, the probability within 0.001. A box whose score lies
    within 0.001 of the cut may be on one side only.
    """
    left = list(again)
    missing = []
    for box in reported:
        equal = next((one for one in left if _is_equal(box, one)), None)
        if equal is not None:
            left.remove(equal)
        elif not _is_at_cut(box, score_cut):
            missing.append(box)
    added = [box for box in left if not _is_at_cut(box, score_cut)]
    sentences = [f"in the report, not found again: {_box_words(box)}" for box in missing]
    sentences += [f"found now, not in the report: {_box_words(box)}" for box in added]
    return _cut(sentences)


def _is_equal(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return (
        first.get("class") == second["class"]
        and all(abs(a - b) <= BOX_PX + _ROUNDING for a, b in zip(first["bbox"], second["bbox"], strict=True))
        and abs(first["probability"] - second["probability"]) <= PROBABILITY + _ROUNDING
    )


def _is_at_cut(box: Mapping[str, Any], score_cut: float) -> bool:
    return abs(float(box["score"]) - score_cut) <= PROBABILITY


def _box_words(box: Mapping[str, Any]) -> str:
    edges = ", ".join(f"{edge:.1f}" for edge in box["bbox"])
    return f"{box['class']} at [{edges}] px, probability {box['probability']:.4f}"


def _window(report: InspectionReport) -> ChosenWindow:
    window = report.window
    return ChosenWindow(window.lo, window.hi, window.is_inverted)


def _record_differences(report: InspectionReport, now: InspectionReport) -> list[ReportMismatch]:
    was, is_now = report.to_dict(), now.to_dict()
    sentences: list[str] = []
    for name in was:
        if name not in _GOES_ON:
            sentences += _differing(name, was[name], is_now.get(name))
    earlier = [one.inspection_id for one in report.earlier]
    if earlier != [one.inspection_id for one in now.earlier]:
        sentences.append("earlier: the chain of revisions is another one")
    return [ReportMismatch(Subject.RECORD, sentence) for sentence in _cut(sentences)]


def _differing(place: str, was: Any, is_now: Any) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(is_now, dict) and was.keys() == is_now.keys():
        for name in was:
            yield from _differing(f"{place}.{name}", was[name], is_now[name])
    elif isinstance(was, list) and isinstance(is_now, list) and len(was) == len(is_now):
        for index, (one, other) in enumerate(zip(was, is_now, strict=True), 1):
            yield from _differing(f"{place} {index}", one, other)
    elif was != is_now:
        yield f"{place}: the report says {_short(was)}, the record says {_short(is_now)}"


def _short(value: Any) -> str:
    text = f"{len(value)} entries" if isinstance(value, list) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _signature_differences(report: InspectionReport, now: InspectionReport) -> list[ReportMismatch]:
    known = {one.signature_id: one for one in now.signatures}
    sentences = []
    for one in report.signatures:
        kept = known.get(one.signature_id)
        if kept is None or _signed_content(one) != _signed_content(kept):
            sentences.append(f"{one.meaning} by {one.printed_name}: the database holds no such signature")
    for kept in now.signatures:
        if not kept.is_seal_intact:
            sentences.append(f"{kept.meaning} by {kept.printed_name}: the seal is broken")
        if kept.is_as_signed is False:
            sentences.append(f"{kept.meaning} by {kept.printed_name}: the record is not what was signed")
    reviews = {one.review_id: _review_content(one) for one in now.reviews}
    for review in report.reviews:
        if reviews.get(review.review_id) != _review_content(review):
            sentences.append(f"review by {review.printed_name}: the database holds no such review")
    return [ReportMismatch(Subject.SIGNATURE, sentence) for sentence in sentences]


def _signed_content(one: SignedBy) -> tuple[Any, ...]:
    return one.meaning, one.signed_at, one.inspection_version, one.content_sha256, one.certificate


def _review_content(one: ReviewedBy) -> tuple[str | None, ...]:
    return one.outcome, one.note, one.own_disposition, one.changed_disposition, one.change_reason


def _notes(report: InspectionReport, now: InspectionReport) -> Iterator[str]:
    if not report.is_signed:
        yield "the report is NOT SIGNED"
    if report.maps:
        yield "its maps were NOT made again: they are as whoever wrote it had them"
    if report.state != now.state:
        yield f"since then: {report.state} became {now.state}"
    for name in ("signatures", "reviews", "later"):
        n_more = len(getattr(now, name)) - len(getattr(report, name))
        if n_more > 0:
            words = "later revisions" if name == "later" else name
            yield f"since then: {n_more} more {words}"
    was = {one.signature_id: one.printed_name for one in report.signatures}
    for one in now.signatures:
        if one.signature_id in was and was[one.signature_id] != one.printed_name:
            yield f"a name changed since then: {was[one.signature_id]} is now {one.printed_name}"


def _cut(sentences: list[str]) -> list[str]:
    if len(sentences) <= _LONGEST_LIST:
        return sentences
    return [*sentences[:_LONGEST_LIST], f"and {len(sentences) - _LONGEST_LIST} more"]

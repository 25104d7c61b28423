"""A report as DICOM Comprehensive SR, laid out after TID 1500 (PS3.16), in the study of its radiograph.

Templates of DICOM are made for patients: what has no code there has one of our own (scheme 99RADIKAL), and
the document does not claim to follow the template to the letter. Whether a person answers for it stands where
every reader of SR looks: VERIFIED with the observer and the moment, or UNVERIFIED and PRELIMINARY.
"""

from collections.abc import Sequence
from datetime import datetime

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ComprehensiveSRStorage

from core.reports.dicom_study import day_and_time, file_of, header_of, made_of, reference_to, stable_uid
from core.reports.inspection_report import InspectionReport, ReportedIndication

NOT_SIGNED = "NOT SIGNED: this is what a model reported; no person has assessed it"
#: The same in the 64 characters that a value of LO may have.
NOT_SIGNED_IN_SHORT = "NOT SIGNED: reported by a model, assessed by no person"
_OWN = "99RADIKAL"
_DCM = "DCM"
_LONGEST_TEXT = 1024
_LONGEST_MEANING = 64
_ONE, _MILLIMETRE, _PIXEL = (
    ("1", "UCUM", "no units"),
    ("mm", "UCUM", "millimeter"),
    ("{pixels}", "UCUM", "pixels"),
)
_Code = tuple[str, str, str]


def structured_report(
    report: InspectionReport, source: bytes, *, frame: int | None = None, replaces: int | None = None
) -> bytes | None:
    """The bytes of a DICOM file; None where the radiograph did not come as DICOM, or without a UID.

    The same report always gives the same object with the same UID: a station that gets it twice has it once.

    Args:
        report: of the inspection as it is now.
        source: the bytes of the file that the radiograph came from.
        frame: number of the frame in that file, from 1; None in a file of one picture.
        replaces: number of signatures in the document before this one, which it names; None: it is the first.
    """
    original = header_of(source)
    if original is None or "SOPInstanceUID" not in original:
        return None
    made = made_of(original, ComprehensiveSRStorage, uid_of(report, len(report.signatures)))
    _write_in_unicode(made)
    _say_what_it_is(made, report)
    _say_who_answers(made, report)
    if replaces is not None:
        _name_predecessor(made, uid_of(report, replaces))
    series = str(original.get("SeriesInstanceUID") or stable_uid("no series", report.image.sha256))
    made.CurrentRequestedProcedureEvidenceSequence = [_in_study(made, series, reference_to(original))]
    made.ReferencedPerformedProcedureStepSequence, made.PerformedProcedureCodeSequence = [], []
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = [_code("126000", _DCM, "Imaging Measurement Report")]
    made.ContentSequence = _content(report, original, frame)
    return file_of(made)


def uid_of(report: InspectionReport, n_signatures: int) -> str:
    """UID of the document of this inspection when so many had signed."""
    signed = [one.signature_id for one in report.signatures[:n_signatures]]
    return stable_uid("report", report.inspection_id, *signed)


def written_at(report: InspectionReport) -> datetime:
    """The moment that the document speaks of: of the last signature, else of the reading by the model."""
    return report.signatures[-1].signed_at if report.signatures else report.created_at


def _write_in_unicode(made: FileDataset) -> None:
    """Names of people need not be of the alphabet that the station writes in."""
    for name in ("PatientName", "ReferringPhysicianName"):
        if name in made:
            setattr(made, name, str(getattr(made, name)))
    made.SpecificCharacterSet = "ISO_IR 192"


def _say_what_it_is(made: FileDataset, report: InspectionReport) -> None:
    made.Modality = "SR"
    made.SeriesInstanceUID = stable_uid("series", report.inspection_id)
    made.SeriesNumber, made.InstanceNumber = 1, len(report.signatures) + 1
    made.SeriesDescription = "Inspection report, RadiKal"
    made.Manufacturer, made.ManufacturerModelName = "RadiKal", f"{report.model.name} v{report.model.version}"
    made.ContentDate, made.ContentTime = day_and_time(written_at(report))
    made.InstanceCreationDate, made.InstanceCreationTime = made.ContentDate, made.ContentTime
    made.TimezoneOffsetFromUTC = "+0000"
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = _OWN, "RadiKal, industrial radiography"
    made.CodingSchemeIdentificationSequence = [scheme]


def _say_who_answers(made: FileDataset, report: InspectionReport) -> None:
    """State of the document (PS3.3 C.17.2)."""
    is_signed = report.is_signed and not report.has_failed_signature
    made.CompletionFlag = "COMPLETE" if is_signed else "PARTIAL"
    made.VerificationFlag = "VERIFIED" if is_signed else "UNVERIFIED"
    made.PreliminaryFlag = "FINAL" if is_signed else "PRELIMINARY"
    if not is_signed:
        made.CompletionFlagDescription = NOT_SIGNED_IN_SHORT
    else:
        made.VerifyingObserverSequence = [
            _observer(one.printed_name, one.signed_at) for one in report.signatures
        ]


def _name_predecessor(made: FileDataset, uid: str) -> None:
    before = Dataset()
    before.ReferencedSOPClassUID, before.ReferencedSOPInstanceUID = ComprehensiveSRStorage, uid
    made.PredecessorDocumentsSequence = [_in_study(made, made.SeriesInstanceUID, before)]


def _in_study(made: FileDataset, series_uid: str, reference: Dataset) -> Dataset:
    """The reference within its series and the study of the document."""
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = series_uid, [reference]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = made.StudyInstanceUID, [series]
    return study


def _observer(name: str, signed_at: datetime) -> Dataset:
    observer = Dataset()
    observer.VerifyingObserverName = _person(name)
    observer.VerifyingOrganization = "not stated"
    observer.VerificationDateTime = "".join(day_and_time(signed_at)) + "+0000"
    observer.VerifyingObserverIdentificationCodeSequence = []
    return observer


def _content(report: InspectionReport, original: Dataset, frame: int | None) -> list[Dataset]:
    model = report.model
    device = f"{model.name} v{model.version}, weights {model.sha256[:12]}"
    image = _item("CONTAINS", "IMAGE", ("260753009", "SCT", "Source"))
    image.ReferencedSOPSequence = [_frame(original, frame)]
    observers = [
        _coded("HAS OBS CONTEXT", ("121005", _DCM, "Observer Type"), ("121007", _DCM, "Device")),
        _text("HAS OBS CONTEXT", ("121013", _DCM, "Device Observer Name"), "RadiKal"),
        _text("HAS OBS CONTEXT", ("121015", _DCM, "Device Observer Model Name"), device),
    ]
    for one in report.signatures:
        observers.append(
            _coded("HAS OBS CONTEXT", ("121005", _DCM, "Observer Type"), ("121006", _DCM, "Person"))
        )
        observers.append(
            _named("HAS OBS CONTEXT", ("121008", _DCM, "Person Observer Name"), one.printed_name)
        )
    return [
        _coded("HAS CONCEPT MOD", ("121049", _DCM, "Language of Content Item and Descendants"),
               ("en", "RFC5646", "English")),
        *observers,
        _coded("HAS CONCEPT MOD", ("121058", _DCM, "Procedure reported"),
               ("radiographic-testing", _OWN, "Radiographic testing")),
        _container(("111028", _DCM, "Image Library"), [image]),
        _container(("126010", _DCM, "Imaging Measurements"),
                   [_measured(one, report, original, frame) for one in report.indications]),
        _container(("121070", _DCM, "Findings"), [
            _text("CONTAINS", ("121071", _DCM, "Finding"), line) for line in _conclusions(report)]),
    ]  # fmt: skip


def _conclusions(report: InspectionReport) -> list[str]:
    """The state, the result where somebody answers for it, and what a reader has to know of it."""
    if not report.is_signed:
        lines = [
            f"{NOT_SIGNED}. Indications at or above {report.model.operating_probability:.2f} are listed."
        ]
    else:
        lines = [report.signed_words, *report.result]
    return [*lines, f"Inspection {report.inspection_id}, report {report.sha256()}", report.probability_words]


def _measured(
    one: ReportedIndication, report: InspectionReport, original: Dataset, frame: int | None
) -> Dataset:
    """A group of measurements (TID 1501) of one indication: its box, class, probability and size."""
    name = one.indication_class
    items = [
        _text("HAS OBS CONTEXT", ("112039", _DCM, "Tracking Identifier"), f"Indication {one.number}"),
        _uid("HAS OBS CONTEXT", ("112040", _DCM, "Tracking Unique Identifier"),
             stable_uid("indication", report.inspection_id, one.indication_id)),
        _coded("CONTAINS", ("121071", _DCM, "Finding"), (name, _OWN, name)),
        _box(one.bbox, original, frame),
        _text("CONTAINS", ("call", _OWN, "Assessment"), one.call_words),
    ]  # fmt: skip
    if one.probability is not None:
        items.append(_number(("probability", _OWN, "Calibrated probability"), one.probability, _ONE))
    has_scale = one.length_mm is not None and one.width_mm is not None
    unit = _MILLIMETRE if has_scale else _PIXEL
    length, width = (one.length_mm, one.width_mm) if has_scale else (one.length_px, one.width_px)
    items.append(_number(("410668003", "SCT", "Length"), length or 0.0, unit))
    items.append(_number(("103355008", "SCT", "Width"), width or 0.0, unit))
    if one.iso6520:
        items.append(_text("CONTAINS", ("iso-6520-1", _OWN, "ISO 6520-1"), one.iso6520))
    if one.verdict:
        items.append(_text("CONTAINS", ("verdict", _OWN, "Verdict"), one.verdict))
    return _container(("125007", _DCM, "Measurement Group"), items)


def _box(bbox: Sequence[float], original: Dataset, frame: int | None) -> Dataset:
    """A closed polyline of columns and rows, from the top left corner of the first pixel, as in our boxes."""
    x0, y0, x1, y1 = bbox
    item = _item("CONTAINS", "SCOORD", ("111030", _DCM, "Image Region"))
    item.GraphicType = "POLYLINE"
    item.GraphicData = [x0, y0, x1, y0, x1, y1, x0, y1, x0, y0]
    selected = Dataset()
    selected.RelationshipType, selected.ValueType = "SELECTED FROM", "IMAGE"
    selected.ReferencedSOPSequence = [_frame(original, frame)]
    item.ContentSequence = [selected]
    return item


def _frame(original: Dataset, frame: int | None) -> Dataset:
    reference = reference_to(original)
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    return reference


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = value[:16], scheme
    if len(value) > 16:  # PS3.3 8.1: a longer one has a place of its own
        del code.CodeValue
        code.LongCodeValue = value
    code.CodeMeaning = meaning[:_LONGEST_MEANING]
    return code


def _item(relation: str, kind: str, concept: _Code) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = [_code(*concept)]
    return item


def _container(concept: _Code, items: Sequence[Dataset]) -> Dataset:
    item = _item("CONTAINS", "CONTAINER", concept)
    item.ContinuityOfContent = "SEPARATE"
    if items:
        item.ContentSequence = list(items)
    return item


def _coded(relation: str, concept: _Code, value: _Code) -> Dataset:
    item = _item(relation, "CODE", concept)
    item.ConceptCodeSequence = [_code(*value)]
    return item


def _text(relation: str, concept: _Code, value: str) -> Dataset:
    item = _item(relation, "TEXT", concept)
    item.TextValue = value[:_LONGEST_TEXT]
    return item


def _named(relation: str, concept: _Code, name: str) -> Dataset:
    item = _item(relation, "PNAME", concept)
    item.PersonName = _person(name)
    return item


def _uid(relation: str, concept: _Code, uid: str) -> Dataset:
    item = _item(relation, "UIDREF", concept)
    item.UID = uid
    return item


def _number(concept: _Code, value: float, unit: _Code) -> Dataset:
    item = _item("CONTAINS", "NUM", concept)
    measured = Dataset()
    measured.NumericValue = f"{value:.4g}"
    measured.MeasurementUnitsCodeSequence = [_code(*unit)]
    item.MeasuredValueSequence = [measured]
    return item


def _person(name: str) -> str:
    """A printed name as PN: one component, without what would part it (PS3.5 6.2)."""
    return "".join(" " if one in "^=\\" else one for one in name)[:64]

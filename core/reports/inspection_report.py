"""The content of an inspection report: plain values that PDF, CSV and JSON are written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.audit.canonical import digest
from core.domain.drift import VOID
from core.domain.errors import BadInputError
from core.domain.familiarity import Familiarity
from core.domain.records import Disposition
from core.reports.reported_map import ReportedMap

#: Stands on every report, most of all on one without indications.
EMPTY_RESULT = (
    "What is not reported may still be there. No indication in this report means that none was reported at "
    "this operating point on this image; it does not mean that the part is free of imperfections."
)
#: Line on every page of a report without a signature, and of one with an invalid signature.
UNSIGNED, FAILED = "NOT SIGNED", "SIGNATURE DOES NOT HOLD"
_STATED_ONLY = (
    "polarity", "polarity_ground",
    "wire_set", "required_wire", "srb_mm", "film_number", "position", "reshoot_reason", "certificate",
    "changed_disposition", "change_reason", "members", "covered_percent", "override", "n_open",
    "seen_percent", "zone_seen_percent", "measures", "first_look",
    "exposure", "exposure_of_file", "not_read",
    "dismissed_as",
    "kind", "grade", "graded_by", "claim",
    "familiarity", "maps", "drift", "qualification",
)  # fmt: skip
#: Meaning of a probability, printed once in a report.
PROBABILITY = (
    "Probability: of boxes that this model version reports like this one, the share that were real on the "
    "parts it was calibrated on. It says nothing about the size of an imperfection or its acceptability."
)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The radiograph.

    Attributes:
        sha256: of the original file, or of one frame of it.
        scale_source: where mm per px came from, in words; both are None without a scale.
        polarity_ground: in words; None where it was not kept.
        frame: in words, e.g. "frame 3 of the file with SHA-256 ..."; empty for a file of one picture.
    """

    name: str
    sha256: str
    width: int
    height: int
    bit_depth: int
    file_format: str
    polarity: str
    mm_per_px: float | None
    scale_source: str | None
    frame: str = ""
    polarity_ground: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model version that ran, with figures from its card; empty when it is no longer registered."""

    name: str
    version: int
    sha256: str
    calibration_id: str
    score_cut: float
    operating_probability: float
    calibration_method: str | None
    calibrated_on: str
    release: str
    data_notice: str
    measured_on: tuple[str, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Display window of grey values: `lo` and below black, `hi` and above white, unless inverted."""

    lo: float
    hi: float
    is_inverted: bool
    source: str


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """The part and the acceptance rule, as in `core.domain.reading.Setup`."""

    part: str
    weld_number: str
    material: str
    technique: str
    wall_mm: float | None
    thickness_mm: float | None
    weld_length_mm: float | None
    is_single_sided: bool | None
    standard: str | None
    quality_level: str | None
    wire_set: str | None = None
    required_wire: int | None = None
    srb_mm: float | None = None
    film_number: str | None = None
    position: str | None = None
    polarity: str | None = None


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One check of the image-quality gate."""

    name: str
    state: str
    message: str


@dataclass(frozen=True, slots=True)
class DecidingNumber:
    """One condition of a rule: in words, and what was compared with which limit, mm or a count."""

    verdict: str
    words: str
    low: float | None
    high: float | None
    limit: float | None


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """One rule and what it made of an indication, taken for `kinds` (ISO 6520-1)."""

    rule_id: str | None
    clause: str
    kinds: tuple[str, ...]
    verdict: str
    decisions: tuple[DecidingNumber, ...]


@dataclass(frozen=True, slots=True)
class ReportedIndication:
    """One indication as it was read.

    Attributes:
        number: as drawn on the picture, from 1.
        bbox: x1, y1, x2, y2 in px.
        length_px, width_px: of the model's outline where `along` says so; else the sides of the box.
        length_mm, width_mm, plus_minus_mm: None without a scale.
        probability: the model's, None for an added one.
        reported_by: "model" or "inspector".
        changes: what a person changed about the model's box.
        call: open, confirmed or dismissed.
        verdict: None where none was given, then `reasons` say why.
        members: numbers of the indications that were grouped as this one, which have no line of their own;
            None for what stands alone.
        covered_percent: share of its projected area that they cover; None for what stands alone.
        kind: id of a kind that has no ISO 6520-1 number, such as "gas-hole"; None where none was stated.
        grade: severity level of the kind by graded reference radiographs; None where nobody gave one.
        claim: group and type as the model claims them, in words with their reliability; None where it claims
            none.
        area_px, area_mm2: of the model's outline; None without one, or without a scale.
        along: "outline" where length and width are those of the outline; None for the box.
    """

    number: int
    indication_id: str
    indication_class: str
    iso6520: str | None
    bbox: tuple[float, float, float, float]
    length_px: float
    width_px: float
    length_mm: float | None
    width_mm: float | None
    plus_minus_mm: float | None
    probability: float | None
    reported_by: str
    changes: tuple[str, ...]
    call: str
    note: str
    verdict: str | None
    reasons: tuple[str, ...]
    rules: tuple[AppliedRule, ...]
    members: tuple[int, ...] | None = None
    covered_percent: float | None = None
    dismissed_as: str | None = None
    kind: str | None = None
    grade: int | None = None
    claim: str | None = None
    area_px: float | None = None
    area_mm2: float | None = None
    along: str | None = None

    @property
    def call_words(self) -> str:
        """The call in words, with what a dismissed one is."""
        if self.call == "open":
            return "not assessed"
        return f"{self.call}: {self.dismissed_as}" if self.dismissed_as else self.call


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on the image and the table that gave it.

    Attributes:
        verdict: None where a release signed that had no word for a verdict that is withheld.
        withheld: why the table says nothing.
        n_open: indications that nobody assessed; None where a release signed that judged them too.
        graded_by: the reference radiographs of severity levels, None in a table without any.
    """

    verdict: str | None
    summary: str
    withheld: tuple[str, ...]
    notes: tuple[str, ...]
    standard: str
    edition: str
    level: str
    rule_set_id: str
    rule_set_version: str
    rule_set_sha256: str
    caveat: str
    n_open: int | None = None
    graded_by: str | None = None

    @property
    def words(self) -> str:
        """The verdict, and how many indications are open."""
        word = self.verdict or "no verdict"
        return f"{word}, {self.n_open} open" if self.n_open else word

    @property
    def full_words(self) -> str:
        """The verdict in one line, with what it rests on or what withholds it."""
        return self.summary or f"{self.words}: {'; '.join(self.withheld) or 'not judged'}"


@dataclass(frozen=True, slots=True)
class OverrideFacts:
    """What stood against the disposition, and why and by whom it was signed all the same."""

    objections: tuple[str, ...]
    reason: str
    note: str
    printed_name: str


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signature.

    Attributes:
        is_as_signed: the record still has the digest that was signed; None: not checked.
        certificate: the signer's when they signed, as `Certificate.to_dict` writes it; None: not stated.
    """

    signature_id: str
    printed_name: str
    meaning: str
    signed_at: datetime
    inspection_version: int
    content_sha256: str
    is_seal_intact: bool
    is_as_signed: bool | None
    certificate: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ReviewedBy:
    """The second person's conclusion, and the disposition chosen before seeing the first result.

    Attributes:
        changed_disposition, change_reason: what they chose instead after they had seen it, and why; None
            where they kept to the blind one.
    """

    review_id: str
    printed_name: str
    outcome: str
    own_disposition: str | None
    note: str
    reviewed_at: datetime
    inspection_version: int
    changed_disposition: str | None = None
    change_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One link of the chain of corrections."""

    inspection_id: str
    created_at: datetime
    inspector: str
    state: str
    disposition: str | None


@dataclass(frozen=True, slots=True)
class InspectionReport:
    """The content of a report. Nothing in it depends on the moment of writing.

    Attributes:
        inspector: who asked for it.
        reading_version: 0 when nobody saved a reading: then the indications are the model's.
        n_below: boxes of the model below its operating probability.
        detections: every box of the model, as `radikal detect --json` lists them.
        earlier, later: revisions before and after this one, oldest first.
        seen_percent, zone_seen_percent: of the radiograph and of its zone, what its reader has seen at 1:1 or
            more; None where not kept.
        measures: each as `core.domain.measures.MeasureLine`; None where none was made.
        first_look: in words; None where the model was on show at once.
        familiarity: how the image looks beside those that calibrated the model, as written by
            `Familiarity.to_dict`; None where it was not told.
        maps: those that whoever wrote the report chose; None where none.
        drift: the alarm that covers the inspection, and who acknowledged it, in words; None without one.
        qualification: whether the version was qualified for this; None where no record was ever made.
    """

    inspection_id: str
    state: str
    version: int
    created_at: datetime
    updated_at: datetime
    inspector: str
    disposition: str | None
    note: str
    reading_version: int
    image: ImageFacts
    model: ModelFacts
    window: Window
    setup: SetupFacts
    image_quality: tuple[QualityCheck, ...] | None
    indications: tuple[ReportedIndication, ...]
    n_below: int
    judged: Judged
    signatures: tuple[SignedBy, ...]
    reviews: tuple[ReviewedBy, ...]
    earlier: tuple[Revision, ...]
    later: tuple[Revision, ...]
    detections: tuple[Mapping[str, Any], ...]
    reshoot_reason: str | None = None
    override: OverrideFacts | None = None
    seen_percent: float | None = None
    measures: tuple[Mapping[str, str], ...] | None = None
    first_look: str | None = None
    exposure: Mapping[str, str | float] | None = None
    exposure_of_file: Mapping[str, str | float] | None = None
    not_read: tuple[str, ...] | None = None
    zone_seen_percent: float | None = None
    familiarity: Mapping[str, float | bool] | None = None
    maps: tuple[ReportedMap, ...] | None = None
    drift: str | None = None
    qualification: str | None = None

    @property
    def is_void(self) -> bool:
        """True when nobody has acknowledged the drift that covers the inspection."""
        return self.drift is not None and self.drift.startswith(VOID)

    @property
    def is_strange(self) -> bool:
        """True when no probability is verified: the image looks strange, or a drift alarm stands."""
        seen = Familiarity.of_dict(self.familiarity)
        return self.is_void or (seen is not None and seen.is_strange)

    @property
    def probability_words(self) -> str:
        """What its probabilities mean, for this image."""
        seen = Familiarity.of_dict(self.familiarity)
        doubts = [self.drift] if self.drift else []
        doubts += [seen.words] if seen is not None and seen.is_strange else []
        return " ".join([*(f"{one[0].upper()}{one[1:]}." for one in doubts), PROBABILITY])

    @property
    def result(self) -> tuple[str, ...]:
        """Disposition and verdict in a line, then what stood between them, if anything, and the reason."""
        said = self.disposition_words.upper() or "NO DISPOSITION"
        if self.override is None:
            return (f"{said} · verdict: {self.judged.words}",)
        one = self.override
        return (
            f"{said} · OVERRIDE, {one.reason} · verdict: {self.judged.words}",
            f"Stood against it: {'; '.join(one.objections)}",
            f"Signed all the same by {one.printed_name}, {one.reason}: {one.note}",
        )

    @property
    def disposition_words(self) -> str:
        """The disposition as people read it, with the reason for another exposure; empty without one."""
        reason = f": {self.reshoot_reason}" if self.reshoot_reason else ""
        return f"{disposition_word(self.disposition)}{reason}"

    @property
    def is_signed(self) -> bool:
        """True when somebody signed."""
        return bool(self.signatures)

    @property
    def has_failed_signature(self) -> bool:
        """True when a signature was changed, or the record that it was given for."""
        return any(not one.is_seal_intact or one.is_as_signed is False for one in self.signatures)

    @property
    def signed_words(self) -> str:
        """Signed by whom as what, or a warning in capitals."""
        if not self.is_signed:
            return UNSIGNED
        names = "; ".join(f"{one.meaning}: {one.printed_name}" for one in self.signatures)
        return f"{FAILED}: {names}" if self.has_failed_signature else names

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `report_from` reads it back.

        What earlier releases did not know is left out unless somebody stated it, so that the digest of their
        reports stays.
        """
        content: dict[str, Any] = _adapter().dump_python(self, mode="json")
        content["setup"], content["judged"] = _stated(content["setup"]), _stated(content["judged"])
        content["signatures"] = [_stated(one) for one in content["signatures"]]
        content["reviews"] = [_stated(one) for one in content["reviews"]]
        content["indications"] = [_stated(one) for one in content["indications"]]
        content["image"] = _stated(content["image"])
        return _stated(content)

    def sha256(self) -> str:
        """64 hex digits: the SHA-256 of the canonical JSON of all of it."""
        return digest(self.to_dict())

    def reference(self) -> str:
        """Short and readable, for a label: the beginnings of the inspection's id and of the digest."""
        return f"RK-{self.inspection_id[:8]}-{self.sha256()[:8]}".upper()


def disposition_word(disposition: str | None) -> str:
    """The word that people read, for what was signed under an earlier name too; empty for None."""
    if disposition == Disposition.REVIEW.value:
        return Disposition.REVIEW.word
    return disposition or ""


def _stated(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None or name not in _STATED_ONLY}


def report_from(content: Mapping[str, Any]) -> InspectionReport:
    """The report in `content`.

    Raises:
        BadInputError: names the first value that is missing or wrong.
    """
    try:
        return _adapter().validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"])
        raise BadInputError(f"not an inspection report: {place or 'content'}: {first['msg']}") from None


@cache
def _adapter() -> TypeAdapter[InspectionReport]:
    return TypeAdapter(InspectionReport)

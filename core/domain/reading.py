"""A person's reading of a radiograph: the setup, the call on each indication, differences to the model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from core.domain.errors import BadInputError
from core.domain.exposure import Exposure, exposure_from
from core.domain.flaw_group import is_reported
from core.domain.indication import IndicationClass
from core.domain.kinds import HIGHEST_GRADE, called, is_imperfection, word_kind_in
from core.domain.numbering import OWN_FIELDS
from core.domain.radiograph import Polarity
from core.domain.records import AnnotationSource
from core.domain.wire_sets import WIRE_DIAMETERS_MM, WIRE_SETS, wires_of_set

#: Boxes that overlap less than this (IoU) have another extent.
SAME_EXTENT_IOU = 0.9
_LONGEST_TEXT, _LONGEST_NOTE = 128, 2_000
_MAX_MM = 1e6
#: No detector or film resolves coarser than this, mm.
_MAX_SRB_MM = 5.0


class Call(StrEnum):
    """A person's call on one indication; whether the part is accepted is another question."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class DismissalKind(StrEnum):
    """What a dismissed indication is, if it is no relevant indication of the part."""

    FALSE_CALL = "false call"
    NON_RELEVANT = "non-relevant"
    ARTEFACT = "artefact"
    GEOMETRY = "geometry"
    MARKER = "marker or IQI"


#: Dismissals that are errors of the detector, which learns from them: there is nothing, or something lies on
#: the film. What is non-relevant or comes from the geometry is in the part: to show it was no error.
DETECTOR_ERRORS = frozenset({DismissalKind.FALSE_CALL, DismissalKind.ARTEFACT, DismissalKind.MARKER})


@dataclass(frozen=True, slots=True)
class Setup:
    """The part and the acceptance rule; empty or None where not stated.

    Attributes:
        exposure: how the radiograph was made.
        weld_number, film_number, position: of this one image; see `OWN_FIELDS`.
        wall_mm: wall thickness t.
        thickness_mm: nominal butt weld thickness s.
        weld_length_mm: length of weld on the radiograph.
        is_single_sided: welded from one side only.
        standard: id of the rule set.
        quality_level: level within it.
        wire_set: wire indicator that was laid on, one of `WIRE_SETS`, such as "W10 FE".
        required_wire: number of the thinnest wire that has to be visible.
        polarity: of radiographs whose file does not state it, "film" or "digital"; None: estimated or asked.
        srb_mm: basic spatial resolution SRb of the image, from a duplex wire indicator.

    Raises:
        BadInputError: a text is too long, a length is not positive, the required wire is not in the set.
    """

    part: str = ""
    weld_number: str = ""
    material: str = ""
    technique: str = ""
    wall_mm: float | None = None
    thickness_mm: float | None = None
    weld_length_mm: float | None = None
    is_single_sided: bool | None = None
    standard: str | None = None
    quality_level: str | None = None
    wire_set: str | None = None
    required_wire: int | None = None
    srb_mm: float | None = None
    film_number: str = ""
    position: str = ""
    polarity: str | None = None
    exposure: Exposure = field(default_factory=Exposure)

    def __post_init__(self) -> None:
        for name in ("part", "material", "technique", *OWN_FIELDS):
            if len(getattr(self, name)) > _LONGEST_TEXT:
                raise BadInputError(f"{name.replace('_', ' ')}: expected at most {_LONGEST_TEXT} characters")
        for name in ("wall_mm", "thickness_mm", "weld_length_mm"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and 0 < value < _MAX_MM):
                raise BadInputError(f"{name.removesuffix('_mm').replace('_', ' ')}: expected mm above 0")
        if self.polarity not in (None, Polarity.FILM, Polarity.DIGITAL):
            raise BadInputError(f"polarity: expected film or digital, got {self.polarity!r:.40}")
        self._require_indicator()

    def _require_indicator(self) -> None:
        """Return when the wire indicator and the resolution can be."""
        if self.srb_mm is not None and not 0 < self.srb_mm <= _MAX_SRB_MM:
            raise BadInputError(f"SRb: expected mm above 0 and at most {_MAX_SRB_MM:g}, got {self.srb_mm:g}")
        if self.wire_set is not None and self.wire_set not in WIRE_SETS:
            raise BadInputError(f"wire IQI: expected a set such as W10 FE, got {self.wire_set!r:.40}")
        if self.required_wire is None:
            return
        if self.required_wire not in WIRE_DIAMETERS_MM:
            raise BadInputError(f"required wire: expected W1 to W19, got {self.required_wire!r:.40}")
        if self.wire_set is not None:
            wires = wires_of_set(WIRE_SETS[self.wire_set])
            if self.required_wire not in wires:
                raise BadInputError(
                    f"required wire: W{self.required_wire} is not in the set {self.wire_set}, "
                    f"which holds W{wires[0]} to W{wires[-1]}"
                )

    def shared(self) -> "Setup":
        """What images that are inspected alike have in common: all but each one's own numbers."""
        return self.with_own({})

    def with_own(self, numbers: Mapping[str, str]) -> "Setup":
        """The same with the numbers of one image, by field; those that are missing are empty."""
        weld, film, position = (numbers.get(name, "") for name in OWN_FIELDS)
        return replace(self, weld_number=weld, film_number=film, position=position)

    def own(self) -> dict[str, str]:
        """The numbers that belong to this one image, by field."""
        return {name: getattr(self, name) for name in OWN_FIELDS}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `setup_from` reads it back."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {
            "exposure": self.exposure.to_dict()
        }


def equipment_of(setup: Setup) -> str:
    """The equipment that a setup states: source, and detector or film system; empty where it states none."""
    exposure = setup.exposure
    return ", ".join(filter(None, (exposure.source, exposure.detector or exposure.film_system)))


def setup_from(content: Mapping[str, Any]) -> Setup:
    """The setup in `content`; unknown keys are left out, missing ones are unknown."""
    known = {one.name for one in fields(Setup)}
    values = {name: value for name, value in content.items() if name in known}
    if not isinstance(values.get("exposure"), Exposure):
        values["exposure"] = exposure_from(values.get("exposure") or {})
    return Setup(**values)


@dataclass(frozen=True, slots=True)
class ReadIndication:
    """One indication as a person reads it.

    Attributes:
        indication_id: unique within the reading; `m3` is the model's third, `h2` the second that was added.
        bbox: x1, y1, x2, y2 in px.
        source: who reported it first.
        model_index: place in the model's list from 0, None for an added one.
        probability: the model's, None for an added one.
        iso6520: a finer code than the class has, None when nobody gave one.
        group: id of the indication that this one is a part of, such as a pore of clustered porosity; the
            group counts and its members do not. None when it stands alone.
        kind: id of a kind that has no ISO 6520-1 number, such as "gas-hole"; in place of `iso6520`.
        grade: severity level by graded reference radiographs, from 1; of the kind, None when nobody gave one.
        dismissed_as: what it is instead; None unless dismissed, and where an earlier release did not ask.
    """

    indication_id: str
    bbox: tuple[float, float, float, float]
    indication_class: IndicationClass
    source: AnnotationSource
    call: Call
    model_index: int | None = None
    probability: float | None = None
    iso6520: str | None = None
    note: str = ""
    group: str | None = None
    kind: str | None = None
    grade: int | None = None
    dismissed_as: DismissalKind | None = None

    @property
    def is_detector_error(self) -> bool:
        """True for what was dismissed as an error of the detector, or without a kind."""
        is_error = self.dismissed_as is None or self.dismissed_as in DETECTOR_ERRORS
        return self.call is Call.DISMISSED and is_error

    @property
    def call_words(self) -> str:
        """The call in words, with what a dismissed one is."""
        if self.call is Call.OPEN:
            return "not assessed"
        return f"dismissed: {self.dismissed_as.value}" if self.dismissed_as else self.call.value

    @property
    def stated_kind(self) -> str | None:
        """The finer kind that somebody stated: an ISO 6520-1 number or the id of a kind without one."""
        return self.kind or self.iso6520

    @property
    def kind_words(self) -> str:
        """Class and kind in words, such as "porosity 2011" or "gas hole"."""
        return called(self.indication_class, self.iso6520, self.kind)

    def to_box(self) -> dict[str, Any]:
        """The box of an annotation that stores it; `indication_from` reads it back.

        Keys that earlier records do not have are there only when they say something.
        """
        dismissed_as = self.dismissed_as.value if self.dismissed_as else None
        later = {"group": self.group, "kind": self.kind, "grade": self.grade, "dismissed_as": dismissed_as}
        return {
            "id": self.indication_id,
            "bbox": list(self.bbox),
            "class": self.indication_class.value,
            "source": self.source.value,
            "call": self.call.value,
            "model_index": self.model_index,
            "probability": self.probability,
            "iso6520": self.iso6520,
            "note": self.note,
            **{name: value for name, value in later.items() if value is not None},
        }


def indication_from(box: Mapping[str, Any]) -> ReadIndication:
    """The indication in a kept or handed-in box.

    Raises:
        BadInputError: says what was expected.
    """
    try:
        x1, y1, x2, y2 = (float(value) for value in box["bbox"])
        index = box.get("model_index")
        probability = box.get("probability")
        note = str(box.get("note") or "")
        indication_id = f"h{int(str(box['id']).removeprefix('h'))}" if index is None else f"m{int(index) + 1}"
        if str(box["id"]) != indication_id:
            raise BadInputError(f"id of an indication: expected {indication_id}, got {str(box['id'])[:20]}")
        if len(note) > _LONGEST_NOTE:
            raise BadInputError(f"note of an indication: expected at most {_LONGEST_NOTE} characters")
        return ReadIndication(
            indication_id=indication_id,
            bbox=(x1, y1, x2, y2),
            indication_class=IndicationClass(box["class"]),
            source=AnnotationSource(box["source"]),
            call=Call(box["call"]),
            model_index=None if index is None else int(index),
            probability=None if probability is None else float(probability),
            iso6520=str(box["iso6520"]) if box.get("iso6520") else None,
            note=note,
            group=str(box["group"]) if box.get("group") else None,
            kind=word_kind_in(box),
            grade=_grade_in(box),
            dismissed_as=_dismissal_in(box),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not an indication: {type(error).__name__} {error}") from None


def _dismissal_in(box: Mapping[str, Any]) -> DismissalKind | None:
    """What a dismissed indication is; what is not dismissed is nothing else."""
    said = box.get("dismissed_as")
    return DismissalKind(said) if said and box["call"] == Call.DISMISSED.value else None


def _grade_in(box: Mapping[str, Any]) -> int | None:
    """The severity level in a box; only a stated kind has one."""
    grade = box.get("grade")
    if grade is None:
        return None
    if isinstance(grade, bool) or not isinstance(grade, int) or not 1 <= grade <= HIGHEST_GRADE:
        raise BadInputError(f"severity level: expected 1 to {HIGHEST_GRADE}, got {grade!r:.20}")
    if not (box.get("kind") or box.get("iso6520")):
        raise BadInputError("severity level: expected one of a stated kind, no kind is stated")
    return grade


def first_reading(
    detections: Sequence[Mapping[str, Any]], operating_probability: float
) -> list[ReadIndication]:
    """Start of a reading: the model's indications at or above its operating point, all still open."""
    return [
        ReadIndication(
            indication_id=f"m{index + 1}",
            bbox=tuple(float(value) for value in found["bbox"]),  # type: ignore[arg-type]
            indication_class=IndicationClass(found["class"]),
            source=AnnotationSource.MODEL,
            call=Call.OPEN,
            model_index=index,
            probability=float(found["probability"]),
        )
        for index, found in enumerate(detections)
        if is_reported(found, operating_probability)
    ]


def number_of(one: ReadIndication, n_detections: int) -> int:
    """The number that page and report show: the model's place in its list; those a person added follow.

    Args:
        one: `m3` is the model's third, `h2` the second that was added.
        n_detections: boxes of the model, those below its operating point too.
    """
    if one.model_index is not None:
        return one.model_index + 1
    return n_detections + int(one.indication_id.removeprefix("h"))


def group_ids(reading: Sequence[ReadIndication]) -> frozenset[str]:
    """Ids of the indications that are groups: others of the reading name them as theirs."""
    return frozenset(one.group for one in reading if one.group is not None)


class DisagreementKind(StrEnum):
    """Kind of disagreement between a person and a model about one indication."""

    ADDED = "added by the inspector"
    REMOVED = "dismissed by the inspector"
    CLASS = "class changed"
    EXTENT = "extent changed"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference between a reading and the model's list."""

    kind: DisagreementKind
    indication: ReadIndication


def disagreements(
    detections: Sequence[Mapping[str, Any]], reading: Sequence[ReadIndication]
) -> list[Disagreement]:
    """Differences between `reading` and the model's report; an open indication differs from nothing."""
    found: list[Disagreement] = []
    groups = group_ids(reading)
    for one in reading:
        if one.call is Call.OPEN or one.indication_id in groups:  # its members were reported, or added
            continue
        is_true = one.call is Call.CONFIRMED and is_imperfection(one.kind)
        if one.model_index is None:
            if is_true:
                found.append(Disagreement(DisagreementKind.ADDED, one))
            continue
        if not is_true:
            found.append(Disagreement(DisagreementKind.REMOVED, one))
            continue
        original = detections[one.model_index]
        if original["class"] != one.indication_class.value:
            found.append(Disagreement(DisagreementKind.CLASS, one))
        if overlap(original["bbox"], one.bbox) < SAME_EXTENT_IOU:
            found.append(Disagreement(DisagreementKind.EXTENT, one))
    return found


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """The intersection over union of two boxes (x1, y1, x2, y2), 0 to 1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return float(shared / (areas - shared))

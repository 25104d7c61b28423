"""How a radiograph was made: what a test report states besides the part and the rule.

The contents of a report by ISO 17636-1 and -2 (welds) and EN 12681 (castings), in our words; each field once,
with its label, group, unit and bounds, from which the setup is validated, drawn and reported.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Any

from core.domain.errors import BadInputError

_LONGEST = 256


class Group(StrEnum):
    """Groups of fields, in the order of the form and of the report."""

    PART = "Part"
    EXPOSURE = "Exposure"
    DETECTOR = "Film or detector"
    QUALITY = "Image quality"


def _text(label: str, group: Group, *choices: str, dicom: str = "") -> Any:
    """A text, one of `choices` where there are any; `dicom` is the keyword of a file that may state it."""
    return field(default="", metadata={"label": label, "group": group, "choices": choices, "dicom": dicom})


def _number(label: str, group: Group, unit: str, highest: float, *, dicom: str = "") -> Any:
    """A number above 0 and at most `highest`."""
    about = {"label": label, "group": group, "unit": unit, "highest": highest, "dicom": dicom}
    return field(default=None, metadata=about)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What is known of the exposure; empty or None where nobody stated it.

    Attributes:
        sfd_mm: source-to-film (or detector) distance.
        f_mm: distance from the source to the object.
        b_mm: distance from the object to the film or detector.
        exposed_on: date, ISO 8601.
        wire_reached: number of the thinnest wire that is visible.

    Raises:
        BadInputError: names the first field that cannot be.
    """

    customer: str = _text("Customer", Group.PART)
    procedure: str = _text("Procedure", Group.PART)
    testing_standard: str = _text(
        "Testing standard", Group.PART, "ISO 17636-1", "ISO 17636-2", "EN 12681-1", "EN 12681-2"
    )
    testing_class: str = _text("Testing class", Group.PART, "A", "B")
    welding_process: str = _text("Welding process", Group.PART)
    heat_treatment: str = _text("Heat treatment", Group.PART)
    source: str = _text("Source", Group.EXPOSURE, "X-ray tube", "Ir-192", "Se-75", "Co-60", "Yb-169", "linac")
    tube_kv: float | None = _number("Tube voltage", Group.EXPOSURE, "kV", 20_000, dicom="KVP")
    tube_ma: float | None = _number("Tube current", Group.EXPOSURE, "mA", 1_000, dicom="XRayTubeCurrent")
    activity_gbq: float | None = _number("Activity", Group.EXPOSURE, "GBq", 1_000_000)
    exposure_s: float | None = _number("Exposure time", Group.EXPOSURE, "s", 1e6, dicom="ExposureTime")
    focal_spot_mm: float | None = _number("Focal spot", Group.EXPOSURE, "mm", 50, dicom="FocalSpots")
    sfd_mm: float | None = _number("SFD", Group.EXPOSURE, "mm", 1e5, dicom="DistanceSourceToDetector")
    f_mm: float | None = _number("f", Group.EXPOSURE, "mm", 1e5)
    b_mm: float | None = _number("b", Group.EXPOSURE, "mm", 1e5)
    walls: str = _text("Walls penetrated", Group.EXPOSURE, "single", "double")
    n_exposures: float | None = _number("Number of exposures", Group.EXPOSURE, "", 10_000)
    exposed_on: str = _text("Date of exposure", Group.EXPOSURE, dicom="AcquisitionDate")
    place: str = _text("Place", Group.EXPOSURE, dicom="InstitutionName")
    film_system: str = _text("Film system", Group.DETECTOR, *(f"C{n}" for n in range(1, 7)))
    detector: str = _text("Detector", Group.DETECTOR, dicom="ManufacturerModelName")
    detector_pixel_um: float | None = _number("Detector pixel", Group.DETECTOR, "µm", 1_000)
    screens: str = _text("Screens", Group.DETECTOR)
    filters: str = _text("Filters", Group.DETECTOR)
    iqi_type: str = _text("IQI type", Group.QUALITY, "wire", "step-hole", "duplex wire")
    iqi_side: str = _text("IQI side", Group.QUALITY, "source", "film")
    wire_reached: float | None = _number("Wire reached", Group.QUALITY, "W", 19)
    density_required: float | None = _number("Density required", Group.QUALITY, "", 6)
    density_reached: float | None = _number("Density reached", Group.QUALITY, "", 6)
    snrn_required: float | None = _number("SNRn required", Group.QUALITY, "", 10_000)
    snrn_reached: float | None = _number("SNRn reached", Group.QUALITY, "", 10_000)
    deviations: str = _text("Deviations", Group.QUALITY)

    def __post_init__(self) -> None:
        for one in exposure_fields():
            value = getattr(self, one.name)
            if "highest" in one.metadata:
                _require_number(one, value)
            else:
                _require_text(one, value)
        for name in ("n_exposures", "wire_reached"):
            value = getattr(self, name)
            if value is not None and value != int(value):
                raise BadInputError(f"{name.replace('_', ' ')}: expected a whole number, got {value:g}")
        self._require_distances()

    def _require_distances(self) -> None:
        """Return when the date is one and the distances can be together."""
        if self.exposed_on:
            try:
                date.fromisoformat(self.exposed_on)
            except ValueError:
                raise BadInputError(
                    f"date of exposure: expected a date such as 2026-03-01, got {self.exposed_on[:20]}"
                ) from None
        if self.sfd_mm is not None and self.sfd_mm < max(self.f_mm or 0, self.b_mm or 0):
            raise BadInputError("SFD: expected at least f and b")

    @property
    def magnification(self) -> float | None:
        """M = SFD / (SFD - b), or from two other distances; None where they are not stated.

        It holds in the plane at the distance b from the film or detector.
        """
        sfd, f, b = self.sfd_mm, self.f_mm, self.b_mm
        if sfd is not None and b is not None:
            return sfd / (sfd - b) if b < sfd else None
        if f is None:
            return None
        if b is not None:
            return (f + b) / f
        return None if sfd is None else sfd / f

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON of what was stated; `exposure_from` reads it back."""
        values = {one.name: getattr(self, one.name) for one in exposure_fields()}
        return {
            name: float(value) if isinstance(value, int) else value
            for name, value in values.items()
            if value not in (None, "")
        }


def exposure_fields() -> tuple[Field[Any], ...]:
    """Every field, in the order of the form; its metadata hold `label`, `group`, and `choices` or `unit`."""
    return fields(Exposure)


def exposure_from(content: Mapping[str, Any]) -> Exposure:
    """The exposure in `content`; unknown keys are left out, missing ones were not stated."""
    known = {one.name for one in exposure_fields()}
    return Exposure(**{name: value for name, value in content.items() if name in known})


def stated_by_file(attributes: Mapping[str, str]) -> Exposure:
    """What the file says of its exposure.

    Args:
        attributes: DICOM keyword to text, as `Radiograph.fields` has them. Times are in ms there, dates
            without dashes. What cannot be read is not stated.
    """
    found: dict[str, Any] = {}
    for one in exposure_fields():
        text = attributes.get(one.metadata["dicom"] or "", "").strip() if "dicom" in one.metadata else ""
        if not text:
            continue
        value = _of_file(one, text)
        try:
            found[one.name] = getattr(Exposure(**{one.name: value}), one.name)
        except (BadInputError, ValueError):
            continue
    try:
        return Exposure(**found)
    except BadInputError:
        return Exposure()


def exposure_words(stated: Exposure, of_file: Exposure) -> Iterator[tuple[Group, str, str]]:
    """Group, label and value in words of every field: what a person stated, else what the file says."""
    for one in exposure_fields():
        value, source = getattr(stated, one.name), ""
        if value in (None, ""):
            value, source = getattr(of_file, one.name), " (DICONDE)"
        said = "not stated" if value in (None, "") else f"{value_words(one, value)}{source}"
        yield one.metadata["group"], one.metadata["label"], said


def value_words(one: Field[Any], value: Any) -> str:
    """A value with its unit."""
    if not isinstance(value, int | float):
        return str(value)
    unit = one.metadata.get("unit", "")
    return f"W{value:g}" if unit == "W" else f"{value:g} {unit}".strip()


def _of_file(one: Field[Any], text: str) -> Any:
    """The text of a file as a value of the field."""
    if "highest" in one.metadata:
        try:
            number = float(text.split(",")[0])
        except ValueError:
            return None
        return number / 1000 if one.name == "exposure_s" else number
    if one.name == "exposed_on" and len(text) == 8 and text.isdigit():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return text


def _require_number(one: Field[Any], value: float | None) -> None:
    highest, unit = one.metadata["highest"], one.metadata["unit"]
    if value is not None and not (math.isfinite(value) and 0 < value <= highest):
        raise BadInputError(
            f"{one.metadata['label']}: expected {unit or 'a number'} above 0 and at most {highest:g}, "
            f"got {value:g}"
        )


def _require_text(one: Field[Any], value: str) -> None:
    label, choices = one.metadata["label"], one.metadata["choices"]
    if len(value) > _LONGEST:
        raise BadInputError(f"{label}: expected at most {_LONGEST} characters")
    if one.name == "testing_class" and value and value not in choices:
        raise BadInputError(f"{label}: expected A or B, got {value[:20]}")

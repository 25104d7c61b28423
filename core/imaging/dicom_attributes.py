"""Attributes of a DICOM or DICONDE file: pixel pitch, polarity, values of a frame, DICONDE fields."""

import math
import threading
from collections.abc import Mapping
from types import MappingProxyType

from pydicom.datadict import add_dict_entries, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from core.domain.radiograph import PitchSource, PixelPitch, Polarity

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
#: Elements that are read, and the macro that holds each in an enhanced file.
_MACROS = {
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "ImagerPixelSpacing": "FramePixelDataPropertiesSequence",
    "PixelIntensityRelationshipSign": "FramePixelDataPropertiesSequence",
}
_SAME = 1e-3
_SQUARE_TOLERANCE = 0.01
_BY_PHOTOMETRIC = {"MONOCHROME1": Polarity.DIGITAL, "MONOCHROME2": Polarity.FILM}
_BY_SIGN = {1: Polarity.DIGITAL, -1: Polarity.FILM}
#: Tag to (VR, multiplicity, description, retired, keyword), as pydicom's dictionary has it.
DICONDE_ENTRIES: dict[int, tuple[str, str, str, str, str]] = {
    0x00081050: ("PN", "1-n", "Inspector's Name", "", "Inspector"),
    0x00081060: ("PN", "1-n", "Certifying Inspector's Name", "", "CertifyingInspector"),
    0x00100010: ("PN", "1", "Component Name", "", "ComponentName"),
    0x00100020: ("LO", "1", "Component ID", "", "ComponentID"),
    0x00102160: ("SH", "1", "Material Name", "", "Material"),
}
#: Tags of DICONDE's own group that pydicom names already.
_COMPONENT_TAGS = (0x00140023, 0x00140025, 0x00140028, 0x00140030, 0x00140042, 0x00140045, 0x00140046)
#: What a file may state of its exposure; pydicom names them.
_EXPOSURE_KEYWORDS = (
    "KVP",
    "XRayTubeCurrent",
    "ExposureTime",
    "FocalSpots",
    "DistanceSourceToDetector",
    "AcquisitionDate",
    "InstitutionName",
    "ManufacturerModelName",
)
_MAX_TEXT = 256
_register_lock = threading.Lock()

Spacing = tuple[float, float]


def from_functional_groups(dataset: Dataset, index: int) -> None:
    """Put spacing, rescale and intensity sign of frame `index`, from 0, where ordinary files have them.

    The functional groups of an enhanced file (PS3.3 section C.7.6.16) hold them: the frame's own win over
    those of all frames, and both over the same element outside of the groups. Other files stay as they are.
    """
    for groups, place in ((_SHARED, 0), (_PER_FRAME, index)):
        items = dataset.get(groups) or ()
        if place >= len(items):
            continue
        for keyword, macro in _MACROS.items():
            if (inner := items[place].get(macro)) and keyword in inner[0]:
                dataset[Tag(keyword)] = inner[0].get_item(Tag(keyword))


def dicom_pitch(dataset: Dataset) -> tuple[PixelPitch | None, tuple[str, ...]]:
    """The pitch with its plane, None when unknown or the pixels are not square; and notes.

    PS3.3 section 10.7.1.3: Pixel Spacing (0028,0030) of a projection radiograph speaks of the object only
    when Pixel Spacing Calibration Type (0028,0A02) says how it was calibrated and it differs from Imager
    Pixel Spacing (0018,1164). Otherwise it is treated as the detector's. So

    1. Pixel Spacing, calibrated and different from Imager Pixel Spacing: object plane.
    2. Imager Pixel Spacing: detector plane; over the Estimated Radiographic Magnification Factor
       (0018,1114) when that is given: object plane.
    3. Pixel Spacing alone: detector plane, uncalibrated. A magnification is not applied to it, as
       nobody can tell whether it already was.
    4. Nominal Scanned Pixel Spacing (0018,2010) of a digitised film: resolution of the file.
    """
    imager, spacing = _spacing(dataset, "ImagerPixelSpacing"), _spacing(dataset, "PixelSpacing")
    magnification = _positive(dataset.get("EstimatedRadiographicMagnificationFactor"))
    calibration = str(dataset.get("PixelSpacingCalibrationType") or "").strip()
    if spacing and imager and calibration and not _is_same(spacing, imager):
        return _pitch(spacing, PitchSource.OBJECT)
    if imager:
        notes: tuple[str, ...] = ()
        if spacing and not _is_same(spacing, imager):
            notes = ("pixel spacing (0028,0030) is not calibrated, imager pixel spacing (0018,1164) used",)
        if magnification is not None:
            at_object = (imager[0] / magnification, imager[1] / magnification)
            pitch, more = _pitch(at_object, PitchSource.OBJECT_BY_MAGNIFICATION)
            return pitch, (*notes, f"detector pitch divided by the magnification {magnification:g}", *more)
        pitch, more = _pitch(imager, PitchSource.DETECTOR)
        return pitch, notes + more
    if spacing:
        notes = ()
        if calibration:
            notes = (
                f"pixel spacing is called calibrated ({calibration[:16]}), but without imager pixel spacing "
                "to compare it is treated as the detector's",
            )
        if magnification is not None:
            notes += (f"magnification {magnification:g} not applied to an uncalibrated pixel spacing",)
        pitch, more = _pitch(spacing, PitchSource.DETECTOR_UNCALIBRATED)
        return pitch, notes + more
    scanned = _spacing(dataset, "NominalScannedPixelSpacing")
    return _pitch(scanned, PitchSource.FILE) if scanned else (None, ())


def _spacing(dataset: Dataset, keyword: str) -> Spacing | None:
    """Row and column spacing in mm; None when absent or not two positive numbers."""
    value = dataset.get(keyword)
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        return None
    row, column = _positive(value[0]), _positive(value[1])
    return None if row is None or column is None else (row, column)


def _positive(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever the file holds
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _is_same(a: Spacing, b: Spacing) -> bool:
    return all(math.isclose(x, y, rel_tol=_SAME) for x, y in zip(a, b, strict=True))


def _pitch(spacing: Spacing, source: PitchSource) -> tuple[PixelPitch | None, tuple[str, ...]]:
    row, column = spacing
    if not math.isclose(row, column, rel_tol=_SQUARE_TOLERANCE):
        return None, (f"pixels are not square ({row:g} x {column:g} mm), so millimetres are unknown",)
    return PixelPitch(row, source), ()


def dicom_polarity(
    photometric: str, *, intensity_sign: int | None, is_slope_negative: bool
) -> tuple[Polarity, str, tuple[str, ...]]:
    """Polarity of the rescaled values, its basis, and notes. UNKNOWN for colour.

    Photometric Interpretation (PS3.3 section C.7.6.3.1.2) says how values are *displayed*, and the picture
    that radiographers look at is a film on a light box, where less metal is darker. MONOCHROME2 shows the
    lowest value black: less metal is darker, `film`. MONOCHROME1 shows it white: the stored values run the
    other way, less metal is brighter, `digital`. Pixels are kept as stored (after the rescale), so the two
    encodings of one picture differ in polarity and are equal once normalised to one model.

    A detector array that writes linear intensities as MONOCHROME2 is meant to be looked at with less metal
    bright. Pixel Intensity Relationship Sign (0028,1041, section C.8.11.3.1.2) speaks of the values
    themselves: +1 says that lower *stored* values are less X-ray intensity, hence more metal: `digital`; -1
    is `film`. It decides where it is present, with a note when the two disagree. A negative rescale slope
    turns it round.

    Args:
        photometric: Photometric Interpretation (0028,0004).
        intensity_sign: Pixel Intensity Relationship Sign (0028,1041), None when absent or invalid.
        is_slope_negative: the rescale slope turned the stored values round.
    """
    displayed = _BY_PHOTOMETRIC.get(photometric, Polarity.UNKNOWN)
    if displayed is Polarity.UNKNOWN:
        return Polarity.UNKNOWN, "", ()
    if intensity_sign not in _BY_SIGN:
        return displayed, photometric, ()
    measured = _BY_SIGN[-intensity_sign if is_slope_negative else intensity_sign]
    basis = f"intensity relationship sign {intensity_sign:+d}"
    if measured is displayed:
        return measured, f"{photometric}, {basis}", ()
    note = f"{photometric} alone would mean polarity {displayed}, but the {basis} says {measured}"
    return measured, basis, (note,)


def register_diconde_names() -> None:
    """Make pydicom know the keywords that DICONDE (ASTM E2339) has for medical tags, which keep theirs, too.

    Data sets can then be written with `ds.ComponentName = ...`. Repeating it changes nothing.
    """
    with _register_lock:
        missing = {t: e for t, e in DICONDE_ENTRIES.items() if keyword_for_tag(t) != e[4]}
        if missing:
            add_dict_entries(missing)


def diconde_fields(dataset: Dataset) -> Mapping[str, str]:
    """Keyword to text of the DICONDE fields, and those of the exposure, that are present and not empty."""
    fields: dict[str, str] = {}
    for tag in (*DICONDE_ENTRIES, *_COMPONENT_TAGS):
        element = dataset.get(tag)
        text = "" if element is None else _text(element.value)
        if text:
            keyword = DICONDE_ENTRIES[tag][4] if tag in DICONDE_ENTRIES else keyword_for_tag(tag)
            fields[keyword or f"{tag:08X}"] = text
    for keyword in _EXPOSURE_KEYWORDS:
        if text := _text(dataset.get(keyword)):
            fields[keyword] = text
    return MappingProxyType(fields)


def _text(value: object) -> str:
    """One printable line; several values are joined by a comma."""
    if value is None or isinstance(value, bytes):
        return ""
    many = not isinstance(value, str) and hasattr(value, "__iter__") and type(value).__name__ == "MultiValue"
    text = ", ".join(str(v) for v in value) if many else str(value)  # type: ignore[attr-defined]  # MultiValue
    return "".join(c for c in text if c.isprintable()).strip()[:_MAX_TEXT]

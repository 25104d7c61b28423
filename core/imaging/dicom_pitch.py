"""Which millimetre a DICOM or DICONDE file means: detector plane or object plane.

PS3.3 section 10.7.1.3: Pixel Spacing (0028,0030) of a projection radiograph speaks of the object
only when Pixel Spacing Calibration Type (0028,0A02) says how it was calibrated and it differs from
Imager Pixel Spacing (0018,1164). Otherwise it is treated as the detector's.
"""

import math

from pydicom.dataset import Dataset

from core.domain.radiograph import PitchSource, PixelPitch

_SAME = 1e-3
_SQUARE_TOLERANCE = 0.01

Spacing = tuple[float, float]


def dicom_pitch(dataset: Dataset) -> tuple[PixelPitch | None, tuple[str, ...]]:
    """The pitch with its plane, None when unknown or the pixels are not square; and notes.

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

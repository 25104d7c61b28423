"""The scale of a radiograph: a typed pixel pitch, and mm at the object by geometric magnification."""

import math
import re
from dataclasses import replace

from core.domain.errors import BadInputError
from core.domain.exposure import Exposure
from core.domain.radiograph import PitchSource, PixelPitch

MM_PER_INCH = 25.4
#: No radiograph has pixels outside of these, mm.
LEAST_MM, MOST_MM = 1e-4, 10.0
_TYPED = re.compile(r"\s*(\d+(?:[.,]\d+)?|[.,]\d+)\s*(µm|μm|um|mm|dpi)\s*", re.IGNORECASE)
#: Sources that tell the pitch in the plane of the film or the detector, in the words after the pitch.
AT_DETECTOR = {
    PitchSource.DETECTOR: "(DICOM 0018,1164)",
    PitchSource.DETECTOR_UNCALIBRATED: "(DICOM 0028,0030, uncalibrated)",
    PitchSource.FILE: "written in the file",
    PitchSource.TYPED: "entered by the user",
    PitchSource.SETUP: "of the setup",
}


def typed_pitch_mm(text: str) -> float:
    """The pixel pitch in mm of a text such as "50 µm", "0.05 mm" or "600 dpi"; the viewer reads the same.

    Raises:
        BadInputError: it is none, or one that no radiograph has.
    """
    found = _TYPED.fullmatch(text)
    if found is None:
        raise BadInputError(f"pixel pitch: expected such as 50 µm, 0.05 mm or 600 dpi, got {text[:40]!r}")
    number, unit = float(found[1].replace(",", ".")), found[2].lower()
    if unit == "dpi":
        pitch_mm = MM_PER_INCH / number if number else math.inf
    else:
        pitch_mm = number if unit == "mm" else number / 1000
    if not LEAST_MM < pitch_mm < MOST_MM:
        raise BadInputError(f"pixel pitch: expected {LEAST_MM:g} to {MOST_MM:g} mm, got {text.strip()[:40]}")
    return pitch_mm


def at_object(pitch: PixelPitch, exposure: Exposure) -> PixelPitch:
    """The pitch at the object, pitch / M, where it is one at the detector and the distances are stated.

    M is that of the plane for which b is stated, see `Exposure.magnification`; otherwise the pitch stays.
    """
    magnification = exposure.magnification
    if pitch.source not in AT_DETECTOR or magnification is None:
        return pitch
    stated = (("SFD", exposure.sfd_mm), ("f", exposure.f_mm), ("b", exposure.b_mm))
    distances = ", ".join(f"{name} {value:g} mm" for name, value in stated if value is not None)
    told = (
        f"{1000 * pitch.mm_per_px:.4g} µm {AT_DETECTOR[pitch.source]} / M {magnification:.4g} ({distances})"
    )
    return replace(
        pitch, mm_per_px=pitch.mm_per_px / magnification, source=PitchSource.OBJECT_BY_DISTANCES, detail=told
    )


def scale_of(entered: PixelPitch | None, of_file: PixelPitch | None, exposure: Exposure) -> PixelPitch | None:
    """The scale that counts: what a person entered for the image, else its file, else the setup.

    None when nothing states one.
    """
    chosen = entered or of_file
    if chosen is None and exposure.detector_pixel_um is not None:
        chosen = PixelPitch(exposure.detector_pixel_um / 1000, PitchSource.SETUP)
    return None if chosen is None else at_object(chosen, exposure)

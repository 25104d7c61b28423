"""Which way brightness runs in a DICOM or DICONDE file.

How the standard is read here. Photometric Interpretation (PS3.3 section C.7.6.3.1.2) says how the
values are meant to be *displayed*: MONOCHROME2 shows the lowest value black, MONOCHROME1 shows it
white. What is meant to be displayed is the picture that radiographers look at, a film on a light
box: less metal is darker. So

- MONOCHROME2: low values are dark on the display, hence less metal: less metal is darker, `film`;
- MONOCHROME1: low values are bright on the display, hence more metal, and the stored values run the
  other way: less metal is brighter, `digital`.

Pixels are kept as stored (after the rescale), so the two encodings of one picture differ in
polarity and are equal once normalised to one model.

A detector array that writes linear intensities as MONOCHROME2 is meant to be looked at with less
metal bright, which Photometric Interpretation cannot tell. Pixel Intensity Relationship Sign
(0028,1041, section C.8.11.3.1.2) can: +1 says that lower *stored* values are less X-ray intensity,
hence more metal: `digital`; -1 is `film`. It speaks of the values themselves, so it decides where it
is present, with a note when the two disagree. A negative rescale slope turns it round.
"""

from core.domain.radiograph import Polarity

_BY_PHOTOMETRIC = {"MONOCHROME1": Polarity.DIGITAL, "MONOCHROME2": Polarity.FILM}
_BY_SIGN = {1: Polarity.DIGITAL, -1: Polarity.FILM}


def dicom_polarity(
    photometric: str, *, intensity_sign: int | None, is_slope_negative: bool
) -> tuple[Polarity, str, tuple[str, ...]]:
    """Polarity of the rescaled values, what it rests on, and notes. UNKNOWN for colour.

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

"""Elements of a DICOM header that are missing or misspelt, put right where their meaning is certain."""

import re

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from core.imaging.damage import damaged, not_supported

_DECIMALS = (
    "RescaleSlope",
    "RescaleIntercept",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
)
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?|[-+]?\d+,")
_BLANK = " \0"
#: Samples of a pixel that each photometric interpretation has (PS3.3 section C.7.6.3.1.2).
_SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3}
_YBR = "YBR_"
#: Of makers; pydicom knows those of the standard.
_PRIVATE_SYNTAXES = {"1.2.840.113619.5.2": "GE private, implicit VR with big-endian pixels"}


def settle(dataset: Dataset) -> tuple[str, ...]:
    """Put right what is certain, in place, and the notes on what was assumed.

    A blank Number of Frames is 1, case and blanks of the photometric interpretation mean nothing, decimal
    commas are points, Samples per Pixel follows from the photometric interpretation, Bits Stored from High
    Bit or Bits Allocated.

    Raises:
        UnreadableImageError: a decimal that is no number.
    """
    if "NumberOfFrames" in dataset and not _text(dataset, "NumberOfFrames"):
        del dataset.NumberOfFrames
    if photometric := " ".join(_text(dataset, "PhotometricInterpretation").upper().split()):
        dataset.PhotometricInterpretation = photometric
    settle_decimals(dataset)
    if dataset.get("SamplesPerPixel") is None:
        samples = 3 if photometric.startswith(_YBR) else _SAMPLES.get(photometric)
        if samples is not None:
            dataset.SamplesPerPixel = samples
    if dataset.get("BitsStored") is not None or dataset.get("BitsAllocated") is None:
        return ()
    high = dataset.get("HighBit")
    dataset.BitsStored = dataset.BitsAllocated if high is None else int(high) + 1
    return (f"Bits Stored is missing, taken as {dataset.BitsStored}",)


def settle_decimals(dataset: Dataset) -> None:
    """Decimal commas as points.

    Raises:
        UnreadableImageError: a decimal that is no number.
    """
    for keyword in _DECIMALS:
        if keyword not in dataset:
            continue
        words = [word.strip(_BLANK) for word in _text(dataset, keyword).split("\\")]
        if any(_DECIMAL_COMMA.fullmatch(word) for word in words):
            setattr(dataset, keyword, [word.replace(",", ".") for word in words])
        try:
            for word in words:
                float(word.replace(",", ".", 1) if _DECIMAL_COMMA.fullmatch(word) else word or 0)
        except ValueError as error:
            raise damaged("DICOM", f"{keyword} is no number: {'/'.join(words)[:40]}") from error


def check_syntax(dataset: Dataset) -> None:
    """Refuse a transfer syntax that nothing here decodes, by name.

    Raises:
        UnreadableImageError: with its name and UID.
    """
    from pydicom.pixels.decoders.base import get_decoder  # loads every decoder there is

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        is_known = get_decoder(syntax).is_available
    except NotImplementedError:
        is_known = False
    if not is_known:
        name = _PRIVATE_SYNTAXES.get(str(syntax), "unknown" if syntax.name == str(syntax) else syntax.name)
        raise not_supported("a DICOM transfer syntax that can be decoded", f"{name} ({syntax})")


def _text(dataset: Dataset, keyword: str) -> str:
    """The value as it stands in the file, several joined by a backslash; nothing is converted."""
    if keyword not in dataset:
        return ""
    value = dataset.get_item(Tag(keyword)).value
    if isinstance(value, bytes):
        return value.decode("latin-1").strip(_BLANK)
    if value is None:
        return ""
    is_many = not isinstance(value, str) and hasattr(value, "__iter__")
    return "\\".join(str(one) for one in value) if is_many else str(value).strip(_BLANK)

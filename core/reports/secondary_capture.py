"""A result as a DICOM secondary capture: the radiograph with its boxes, in the study that it came from."""

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from core.domain.inspection import DetectionResult
from core.reports.annotated_png import annotated_png
from core.reports.dicom_study import file_of, header_of, made_of, reference_to

_LONGEST_COMMENT = 10_240
_LONGEST_STRING = 64


def secondary_capture(result: DetectionResult, source: bytes) -> bytes | None:
    """The bytes of a DICOM file; None where the radiograph did not come as DICOM.

    The picture is 8-bit RGB of the size of the radiograph, boxes at the operating probability drawn in. The
    comment lists what is drawn, with class and calibrated probability; the source image is referenced.

    Args:
        result: with calibrated detections.
        source: the bytes of the file that the radiograph came from.
    """
    if (original := header_of(source)) is None:
        return None
    model, threshold = result.model, result.model.calibration.operating_probability
    picture = _pixels(annotated_png(result, threshold=threshold))
    made = made_of(original, SecondaryCaptureImageStorage, generate_uid())
    made.Modality, made.ConversionType = str(original.get("Modality") or "OT"), "WSD"
    made.SeriesInstanceUID, made.SeriesNumber, made.InstanceNumber = generate_uid(), None, 1
    made.SeriesDescription = "Indications, RadiKal"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.BurnedInAnnotation = "YES"
    made.DerivationDescription = f"{model.name} v{model.version}, weights {model.sha256[:12]}"
    made.ImageComments = _comment(result, threshold)
    made.SourceImageSequence = [reference_to(original)] if "SOPInstanceUID" in original else []
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.Rows, made.Columns = picture.shape[:2]
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    pixels = picture.tobytes()
    made.PixelData = pixels + b"\0" * (len(pixels) % 2)
    return file_of(made)


def _pixels(png: bytes) -> npt.NDArray[np.uint8]:
    """(H, W, 3) RGB of a PNG of ours."""
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return decoded.astype(np.uint8)


def _comment(result: DetectionResult, threshold: float) -> str:
    found = result.detections
    assert found.probabilities is not None  # annotated_png refused otherwise
    doubt = ", not verified for this kind of image" if result.is_strange else ""
    lines = [
        f"{index + 1} {found.classes[index].value} {found.probabilities[index]:.2f}"
        for index in found.reported(threshold)
    ]
    head = f"{len(lines)} indications at or above {threshold:.2f}{doubt}; not assessed by a person."
    return f"{head} {'; '.join(lines)}"[:_LONGEST_COMMENT]

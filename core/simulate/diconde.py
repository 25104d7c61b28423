"""A simulated radiograph as a DICONDE file (ASTM E2339: DICOM with component data in the patient module)."""

import io

import imagecodecs
import numpy as np

from core.domain.radiograph import Polarity
from core.simulate.render import SimulatedRadiograph

_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"


def encode_diconde(radiograph: SimulatedRadiograph, *, component: str) -> bytes:
    """The bytes of a DICOM Part 10 file; the same radiograph and component give the same bytes.

    Photometric interpretation follows PS3.3 C.7.6.3.1.2: digital values grow with the dose, so they are
    shown inverted (MONOCHROME1), film values are shown as they are (MONOCHROME2). UIDs derive from the
    component and the seed. The pitch is written as Imager Pixel Spacing: it is the detector's, and equal
    to the object's because nothing is magnified. Pixels are packed by JPEG-LS without loss, about half of
    what they take unpacked.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, generate_uid

    def uid(part: str) -> UID:
        return generate_uid(entropy_srcs=["radikal-simulate", component, str(radiograph.seed), part])

    is_digital = radiograph.polarity is Polarity.DIGITAL
    height, width = radiograph.pixels.shape
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(_DX_FOR_PRESENTATION)
    meta.MediaStorageSOPInstanceUID = uid("instance")
    meta.TransferSyntaxUID = UID(_JPEG_LS_LOSSLESS)
    meta.ImplementationClassUID = uid("implementation")
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study"), uid("series")
    dataset.Modality = "DX"
    dataset.StudyDate = dataset.ContentDate = "20260101"
    dataset.StudyTime = dataset.ContentTime = "120000"
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    dataset.PatientName = component  # DICONDE: component name
    dataset.PatientID = f"SIM-{radiograph.seed:05d}"  # DICONDE: component id
    dataset.add_new(0x00102160, "SH", "STEEL")  # DICONDE: material
    dataset.SeriesDescription = "SIMULATED BUTT WELD"
    dataset.ImageComments = f"Simulated radiograph, plate {radiograph.plate_mm:.1f} mm"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if is_digital else "MONOCHROME2"
    dataset.PixelIntensityRelationship = "LIN"
    dataset.PixelIntensityRelationshipSign = 1 if is_digital else -1
    dataset.Rows, dataset.Columns = height, width
    dataset.ImagerPixelSpacing = [f"{radiograph.mm_per_px:.5f}"] * 2
    dataset.BitsAllocated, dataset.BitsStored = 16, radiograph.bit_depth
    dataset.HighBit, dataset.PixelRepresentation = radiograph.bit_depth - 1, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    packed = imagecodecs.jpegls_encode(np.ascontiguousarray(radiograph.pixels, np.uint16))
    dataset.PixelData = encapsulate([bytes(packed)])
    dataset["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

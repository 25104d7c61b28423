"""What a DICOM object made of a radiograph takes over from it, so that a station files both together."""

from datetime import UTC, datetime
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

#: The standard wants a place for these even where nothing is known (type 2): it is left empty then.
_WANTED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
#: What names the component, its inspection and the study: DICONDE uses the same places (ASTM E2339).
_KEPT = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
    "InstitutionName",
)


def header_of(source: bytes) -> Dataset | None:
    """The header of a DICOM file; None of any other file."""
    try:
        return dcmread(BytesIO(source), stop_before_pixels=True)
    except InvalidDicomError:
        return None


def made_of(original: Dataset, kind: UID, uid: str) -> FileDataset:
    """A new object of the class `kind` in the study of the original, with its component's names."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for name in _KEPT:
        if name in original:
            setattr(made, name, getattr(original, name))
    for name in _WANTED:
        if name not in made:
            setattr(made, name, "")
    made.setdefault("StudyInstanceUID", stable_uid("no study", str(original.get("SOPInstanceUID", uid))))
    made.SOPClassUID, made.SOPInstanceUID = kind, UID(uid)
    return made


def reference_to(original: Dataset) -> Dataset:
    """A reference to the original as an object."""
    reference = Dataset()
    reference.ReferencedSOPClassUID = original.get("SOPClassUID", "")
    reference.ReferencedSOPInstanceUID = original.SOPInstanceUID
    return reference


def file_of(made: FileDataset) -> bytes:
    """The object as a file."""
    out = BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def stable_uid(*names: str) -> str:
    """The UID that always belongs to these names."""
    return str(generate_uid(entropy_srcs=["\0".join(("radikal", *names))]))


def day_and_time(moment: datetime) -> tuple[str, str]:
    """A moment as DA and TM, UTC."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y%m%d}", f"{utc:%H%M%S}"

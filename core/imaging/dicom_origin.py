"""Where a frame that was cut out of a multi-frame DICOM file came from, as written in the frame's own file.

The Frame Extraction Module (PS3.3 section C.12.3) names source and frame number; it has no place for the
digest of the source file and the number of its frames, so these are private elements of the same item.
"""

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset

_SEQUENCE = "FrameExtractionSequence"
_GROUP, _CREATOR = 0x0009, "RADIKAL FRAME"
_DIGEST, _COUNT = 0x01, 0x02
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FrameOrigin:
    """One frame of one file.

    Attributes:
        sha256: of the whole multi-frame file.
        number: of the frame, from 1.
        n_frames: how many the file has.
    """

    sha256: str
    number: int
    n_frames: int


def write_origin(dataset: Dataset, origin: FrameOrigin, source_uid: str) -> None:
    """Add the origin behind those that the source was itself cut by.

    Args:
        dataset: of the frame.
        origin: what to write.
        source_uid: SOP Instance UID of the source; may be empty.
    """
    item = Dataset()
    item.MultiFrameSourceSOPInstanceUID = source_uid
    item.SimpleFrameList = [origin.number]
    block = item.private_block(_GROUP, _CREATOR, create=True)
    block.add_new(_DIGEST, "LO", origin.sha256)
    block.add_new(_COUNT, "IS", str(origin.n_frames))
    dataset.add_new(_SEQUENCE, "SQ", [*(dataset.get(_SEQUENCE) or ()), item])


def origin_note(dataset: Dataset) -> tuple[str, ...]:
    """One line that names frame and source; none for a file that this program did not cut out of another."""
    if not (items := dataset.get(_SEQUENCE)):
        return ()
    item = items[-1]
    try:
        block = item.private_block(_GROUP, _CREATOR)
        sha256, count = _text(block[_DIGEST].value), _text(block[_COUNT].value)
    except KeyError:
        return ()
    number = str(item.get("SimpleFrameList") or "")
    if not (_SHA256.fullmatch(sha256) and number.isdecimal() and count.isdecimal()):
        return ()
    return (f"frame {number} of {count} of the file with SHA-256 {sha256}",)


def _text(value: object) -> str:
    """Private values come as bytes from files that do not state their type."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text.strip(" \0")

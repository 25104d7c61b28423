"""A multi-frame DICOM file as single-frame files, cut out one at a time and always with the same bytes.

A frame keeps the attributes of its file, its transfer syntax and, when compressed, its own codestream: no
pixel is decoded. New are its SOP Instance UID (made from the file's digest and the frame number), its
Instance Number, the record of where it came from (`core.imaging.dicom_origin`) and a plain file header. Of
the functional groups, those of all frames and its own stay. Tables over several frames go, and so do values
of more than 256 KiB beside the pixels. Nothing depends on the file's name, the clock or chance.
"""

import hashlib
import uuid
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from core.domain.errors import UnreadableImageError
from core.imaging.dicom_fragments import Span, encapsulated, frame_spans
from core.imaging.dicom_frames import check_header, check_native, n_frames, native_frame_bits
from core.imaging.dicom_groups import PER_FRAME
from core.imaging.dicom_origin import FrameOrigin, write_origin
from core.imaging.dicom_parse import PIXEL_TAGS, parse_dicom
from core.imaging.limits import MAX_ARCHIVE_BYTES, MAX_FRAMES, most_unpacked
from core.imaging.quiet import quiet_codec

_ERRORS = (BytesLengthException, InvalidDicomError)
_PREAMBLE_BYTES = 128
#: Of this program's files (PS3.7 section D.3.3.2); a UID made from a UUID (PS3.5 section B.2).
_IMPLEMENTATION_UID = UID("2.25.114922392489100201278733942467783130329")
_IMPLEMENTATION_NAME = "RADIKAL"
#: Speak of several frames, or of pixels that are elsewhere now.
_DROPPED = (
    "FrameIncrementPointer",
    "FrameDimensionPointer",
    "FrameTimeVector",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)


def count_frames(data: bytes) -> int:
    """Number of Frames of a DICOM file, from its header; 1 when that cannot be read: its reader says why."""
    try:
        with quiet_codec("DICOM", *_ERRORS):
            return n_frames(parse_dicom(data, has_pixels=False))
    except UnreadableImageError:
        return 1


class MultiFrame:
    """A parsed file of several frames; holds its pixels once, as they are stored."""

    def __init__(self, data: bytes) -> None:
        """The file, its header checked and its frames found; none is cut yet.

        Raises:
            UnreadableImageError: damaged, fewer frames than it says, too many, or too much in total.
        """
        with quiet_codec("DICOM", *_ERRORS):
            dataset = parse_dicom(data)
            check_header(dataset, len(data))
            self.n_frames = _checked_count(n_frames(dataset))
            self._sha256 = hashlib.sha256(data).hexdigest()
            self._is_compressed = bool(dataset.file_meta.TransferSyntaxUID.is_encapsulated)
            self._tag = next(tag for tag in PIXEL_TAGS if tag in dataset)
            element = dataset[self._tag]
            self._pixels, self._vr = bytes(element.value), str(element.VR)
            self._frame_bits = native_frame_bits(dataset)
            self._spans: tuple[tuple[Span, ...], ...] = ()
            if self._is_compressed:
                self._spans = frame_spans(self._pixels, self.n_frames)
            else:
                check_native(dataset, len(self._pixels))
            self._groups = list(dataset.get(PER_FRAME) or ())
            self._header = _without(dataset, (*PIXEL_TAGS, *_DROPPED, PER_FRAME))
            self._check_total(len(data))

    def cut(self, index: int) -> bytes:
        """Frame `index`, from 0, as a DICOM file of its own.

        Raises:
            UnreadableImageError: attributes that cannot be written.
        """
        with quiet_codec("DICOM", *_ERRORS):
            return self._written(index, self._frame_pixels(index))

    def _check_total(self, n_file_bytes: int) -> None:
        """Refuse a header so large that, written once for each frame, it would fill the disk."""
        n_most = min(MAX_ARCHIVE_BYTES, most_unpacked(n_file_bytes))
        n_header = len(self._written(0, b""))
        if self.n_frames * n_header + len(self._pixels) > n_most:
            raise UnreadableImageError(
                f"expected frames of at most {n_most // 2**20} MiB together, got {self.n_frames} frames "
                f"that each repeat a header of {n_header} bytes"
            )

    def _written(self, index: int, pixels: bytes) -> bytes:
        frame = _without(self._header, ())
        if index < len(self._groups):
            frame.add_new(PER_FRAME, "SQ", [self._groups[index]])
        number = index + 1
        source_uid, own_uid = str(frame.get("SOPInstanceUID") or ""), _uid(self._sha256, number)
        # New elements: the ones of the header are shared by all frames.
        frame.add_new("NumberOfFrames", "IS", 1)
        frame.add_new("InstanceNumber", "IS", number)
        frame.add_new("SOPInstanceUID", "UI", own_uid)
        write_origin(frame, FrameOrigin(self._sha256, number, self.n_frames), source_uid)
        frame.add_new(self._tag, self._vr, encapsulated(pixels) if self._is_compressed else pixels)
        if self._is_compressed:
            frame[self._tag].is_undefined_length = True
        frame.file_meta = _file_meta(self._header, own_uid)
        frame.preamble = bytes(_PREAMBLE_BYTES)
        stream = BytesIO()
        dcmwrite(stream, frame, enforce_file_format=False)
        return stream.getvalue()

    def _frame_pixels(self, index: int) -> bytes:
        if self._is_compressed:
            return b"".join(self._pixels[start:end] for start, end in self._spans[index])
        first_bit = index * self._frame_bits
        start, end = first_bit // 8, -(-(first_bit + self._frame_bits) // 8)
        if first_bit % 8 == 0:
            return self._pixels[start:end]
        bits = np.unpackbits(np.frombuffer(self._pixels[start:end], np.uint8), bitorder="little")
        own = bits[first_bit % 8 :][: self._frame_bits]
        return np.packbits(own, bitorder="little").tobytes()


def _checked_count(count: int) -> int:
    if count > MAX_FRAMES:
        raise UnreadableImageError(f"expected a DICOM file of at most {MAX_FRAMES} frames, got {count}")
    return count


def _without(dataset: Dataset, dropped: tuple[int | str, ...]) -> Dataset:
    """A data set of the same elements, not parsed again, except some."""
    kept = Dataset()
    is_implicit, is_little = dataset.original_encoding
    kept.set_original_encoding(is_implicit, is_little, dataset.original_character_set)
    for tag in dataset.keys():  # noqa: SIM118 - keys alone convert nothing
        kept[tag] = dataset.get_item(tag)
    for unwanted in dropped:
        if unwanted in kept:
            del kept[unwanted]
    kept.file_meta = dataset.file_meta
    return kept


def _uid(sha256: str, number: int) -> UID:
    """A UID that belongs to this frame of this file (PS3.5 section B.2)."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{sha256} frame {number}').int}")


def _file_meta(header: Dataset, instance_uid: UID) -> FileMetaDataset:
    """File meta information without anything of the program that wrote the source."""
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # counted by the writer
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(str(header.get("SOPClassUID") or ""))
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = header.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = _IMPLEMENTATION_UID
    meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    return meta

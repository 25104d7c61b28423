"""Labels in and out as files: COCO, YOLO, Pascal VOC; the originals beside them at their full depth."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import IO, Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, DatasetError
from core.domain.labels import Label, labels_of
from core.domain.permissions import Action, require
from core.domain.records import LABELS
from core.imaging.encode import encode_tiff
from core.imaging.read import read_radiograph
from core.labelling.coco_exchange import coco_chunks, images_of_coco
from core.labelling.labelled import LabelledBox, LabelledImage, file_names
from core.labelling.voc import image_of_voc, voc_xml
from core.labelling.yolo import data_yaml, names_of, yolo_text
from core.services.labels.label_matching import NamedBoxes, matched
from core.services.labels.labels import LabelService
from core.store.blobs import BlobStore
from core.store.images import StoredImage
from core.store.unit_of_work import Store

#: A file of annotations is read whole; more than this is no file of labels.
LARGEST_TEXT_BYTES = 256 * 2**20
MOST_MEMBERS = 200_000
_AT_ONCE = 200


class LabelFormat(StrEnum):
    """File format of labels."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"


@dataclass(frozen=True, slots=True)
class Exported:
    """Counts of an export: images, boxes, originals."""

    n_images: int
    n_boxes: int
    n_originals: int


@dataclass(frozen=True, slots=True)
class Imported:
    """Counts of an import.

    Attributes:
        n_images: images whose labels are another version now.
        n_same: images whose labels were the same already.
        n_boxes: boxes in both.
        problems: one line for each image or box that was not taken.
    """

    n_images: int
    n_same: int
    n_boxes: int
    problems: tuple[str, ...]


class LabelFiles:
    """Exports and imports the labels of one workspace.

    Args:
        store: the workspace's.
        blobs: its originals.
        labels: saves what is imported.
    """

    def __init__(self, store: Store, blobs: BlobStore, labels: LabelService) -> None:
        self._store = store
        self._blobs = blobs
        self._labels = labels

    def export(
        self, identity: Identity, target: IO[bytes], form: LabelFormat, *, with_images: bool
    ) -> Exported:
        """Write a ZIP file of all labels; one image is in memory at a time.

        Inside: `labels.json` (COCO); `labels/*.txt` with `data.yaml` (YOLO); `annotations/*.xml` (VOC). With
        images, the original bytes lie in `images/`, so that no bit of their depth is lost; a frame of a
        file of several is a TIFF of its pixels.

        Args:
            identity: who exports.
            target: writable and seekable.
            form: how.
            with_images: the originals, too.

        Raises:
            NotAllowedError: the role may not look at annotations.
            BlobNotFoundError, BlobDamagedError: an original is gone or changed.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            images = list(work.annotations.images_of(LABELS))
            kept = {sha256: work.images.find(sha256) for sha256, *_ in images}
        frames = {sha256 for sha256, one in kept.items() if one is not None and one.frame is not None}
        names = file_names(
            (sha256, f"{PurePosixPath(name).stem}.tif" if with_images and sha256 in frames else name)
            for sha256, name, _, _ in images
        )
        listed = [LabelledImage(names[one], width, height, (), one) for one, _, width, height in images]
        n_originals = 0
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            n_boxes = self._write_labels(archive, form, listed)
            for sha256, name in names.items() if with_images else ():
                info = zipfile.ZipInfo(f"images/{name}")
                info.compress_type = zipfile.ZIP_STORED
                archive.writestr(info, self._original(kept[sha256], sha256))
                n_originals += 1
        self._tell(identity, "labels.exported", form, n_images=len(names), n_boxes=n_boxes)
        return Exported(len(names), n_boxes, n_originals)

    def import_(
        self, identity: Identity, source: IO[bytes], name: str, form: LabelFormat, *, voc_origin: int = 1
    ) -> Imported:
        """Take over the labels of a file: they become the next version of those that an image has.

        Images are found by their digest where the file says it, else by name; an image that is not here, or a
        name that several bear, is left out and told. Boxes are cut at the edge of the image.

        Args:
            identity: whose labels they become.
            source: a COCO file, or a ZIP file of any of the formats; readable and seekable.
            name: of the file, for messages.
            form: how it is written.
            voc_origin: number of the first pixel in VOC files, 1 or 0.

        Raises:
            NotAllowedError: the role may not annotate.
            DatasetError: the file is not understood; nothing was taken.
        """
        require(identity, Action.ANNOTATIONS_SAVE)
        read = read_labels(source, name, form, voc_origin=voc_origin)
        n_images = n_same = n_boxes = 0
        problems: list[str] = []
        for one in read:
            with self._store.read() as work:
                image, labels, trouble = matched(work, one)
                kept = work.annotations.latest(image.sha256, LABELS) if image else None
            problems += trouble
            if image is None:
                continue
            n_boxes += len(labels)
            if kept is not None and _same(labels, labels_of(kept.boxes)):
                n_same += 1
                continue
            try:
                self._labels.save(
                    identity,
                    image.sha256,
                    labels,
                    note=f"imported from {name}"[:200],
                    expected_version=kept.version if kept else 0,
                )
            except BadInputError as error:
                problems.append(f"{one.name}: {error}")
                continue
            n_images += 1
        self._tell(identity, "labels.imported", form, n_images=n_images, n_boxes=n_boxes)
        return Imported(n_images, n_same, n_boxes, tuple(problems))

    def _original(self, image: StoredImage | None, sha256: str) -> bytes:
        """The file as it came; a frame of several as a TIFF of its pixels."""
        if image is None or image.frame is None:
            return self._blobs.get(sha256)
        data = self._blobs.get(image.file_sha256)
        return encode_tiff(read_radiograph(data, image.name, frame=image.frame).pixels)

    def _write_labels(
        self, archive: zipfile.ZipFile, form: LabelFormat, listed: Sequence[LabelledImage]
    ) -> int:
        """Write the boxes; returns their number."""
        counted = _Counted(self._with_boxes(listed))
        if form is LabelFormat.COCO:
            with archive.open("labels.json", "w", force_zip64=True) as out:
                for chunk in coco_chunks(listed, counted):
                    out.write(chunk.encode("utf-8"))
            return counted.n_boxes
        if form is LabelFormat.YOLO:
            archive.writestr("data.yaml", data_yaml())
        for image in counted:
            stem = PurePosixPath(image.file_name).stem
            if form is LabelFormat.YOLO:
                archive.writestr(f"labels/{stem}.txt", yolo_text(image))
            else:
                archive.writestr(f"annotations/{stem}.xml", voc_xml(image))
        return counted.n_boxes

    def _with_boxes(self, listed: Sequence[LabelledImage]) -> Iterator[LabelledImage]:
        """The images in the same order with their newest boxes; one that is gone meanwhile has none."""
        for begin in range(0, len(listed), _AT_ONCE):
            some = listed[begin : begin + _AT_ONCE]
            after = listed[begin - 1].sha256 or "" if begin else ""
            with self._store.read() as work:
                found = work.annotations.newest_of(LABELS, 2 * _AT_ONCE, after=after)
            newest = {one.image_sha256: one for one in found}
            for image in some:
                kept = newest.get(image.sha256 or "")
                yield replace(image, boxes=_boxes(kept.boxes) if kept else ())

    def _tell(
        self, identity: Identity, action: str, form: LabelFormat, *, n_images: int, n_boxes: int
    ) -> None:
        with self._store.write() as work:
            work.audit.record(
                identity,
                action=action,
                object_type="labels",
                object_id=form.value,
                details={"n_images": n_images, "n_boxes": n_boxes},
            )


def read_labels(source: IO[bytes], name: str, form: LabelFormat, *, voc_origin: int = 1) -> list[NamedBoxes]:
    """Labels by image as the file states them.

    Raises:
        DatasetError: the file is not understood.
    """
    if not zipfile.is_zipfile(source):
        source.seek(0)
        text = source.read(LARGEST_TEXT_BYTES + 1)
        if form is not LabelFormat.COCO:
            raise DatasetError(f"{name}: expected a ZIP file of {form.value.upper()} labels")
        return _of_coco(_decoded(text, name), name)
    source.seek(0)
    try:
        with zipfile.ZipFile(source) as archive:
            return _of_archive(archive, name, form, voc_origin)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"{name}: the ZIP file cannot be read: {error}") from error


def _of_archive(archive: zipfile.ZipFile, name: str, form: LabelFormat, voc_origin: int) -> list[NamedBoxes]:
    suffix = {LabelFormat.COCO: ".json", LabelFormat.YOLO: ".txt", LabelFormat.VOC: ".xml"}[form]
    members = [one for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename]
    if len(members) > MOST_MEMBERS:
        raise DatasetError(f"{name}: expected at most {MOST_MEMBERS} files in it, got {len(members)}")
    texts = [one for one in members if one.filename.casefold().endswith(suffix)]
    if sum(one.file_size for one in texts) > LARGEST_TEXT_BYTES:
        raise DatasetError(f"{name}: more than {LARGEST_TEXT_BYTES // 2**20} MB of labels")
    if form is LabelFormat.YOLO:
        return _of_yolo(archive, members, texts, name)
    if not texts:
        raise DatasetError(f"{name}: there is no {suffix} file in it")
    found: list[NamedBoxes] = []
    for one in texts:
        text = _member(archive, one)
        if form is LabelFormat.COCO:
            found += _of_coco(text, one.filename)
        else:
            image = image_of_voc(text, one.filename, origin=voc_origin)
            found.append(NamedBoxes(image.file_name, image.sha256, boxes=image.boxes))
    return found


def _of_yolo(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], texts: Sequence[zipfile.ZipInfo], name: str
) -> list[NamedBoxes]:
    """Label files; their names are those of the images without the suffix, which only the images know."""
    described = [one for one in members if PurePosixPath(one.filename).name in ("data.yaml", "classes.txt")]
    if not described:
        raise DatasetError(f"{name}: neither data.yaml nor classes.txt says the names of the classes")
    names = names_of(_member(archive, described[0]))
    apart = ("classes.txt", "train.txt", "val.txt", "test.txt", "notes.txt")
    return [
        NamedBoxes(PurePosixPath(one.filename).stem, None, yolo=_member(archive, one), yolo_names=names)
        for one in texts
        if PurePosixPath(one.filename).name not in apart
    ]


def _of_coco(text: str, name: str) -> list[NamedBoxes]:
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        raise DatasetError(f"{name}: not JSON: {error}") from error
    return [NamedBoxes(one.file_name, one.sha256, boxes=one.boxes) for one in images_of_coco(content, name)]


def _member(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> str:
    """The text of a member; no more than it says it holds."""
    with archive.open(one) as held:
        return _decoded(held.read(one.file_size), one.filename)


def _decoded(data: bytes, name: str) -> str:
    if len(data) > LARGEST_TEXT_BYTES:
        raise DatasetError(f"{name}: larger than {LARGEST_TEXT_BYTES // 2**20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{name}: expected UTF-8 text") from None


def _same(one: Sequence[Label], other: Sequence[Label]) -> bool:
    def said(labels: Sequence[Label]) -> list[tuple[object, ...]]:
        return sorted(
            (*one.bbox, one.indication_class.value, one.iso6520 or "", one.kind or "") for one in labels
        )

    return said(one) == said(other)


def _boxes(kept: Sequence[Mapping[str, Any]]) -> tuple[LabelledBox, ...]:
    return tuple(
        LabelledBox(one.bbox, one.indication_class.value, one.iso6520, one.kind) for one in labels_of(kept)
    )


class _Counted:
    """Goes through images and counts their boxes on the way."""

    def __init__(self, images: Iterator[LabelledImage]) -> None:
        self._images = images
        self.n_boxes = 0

    def __iter__(self) -> Iterator[LabelledImage]:
        for image in self._images:
            self.n_boxes += len(image.boxes)
            yield image

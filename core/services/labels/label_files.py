"""Labels out as files of other tools; the originals beside them at their full depth."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO, Any

from core.domain.accounts import Identity
from core.domain.labels import labels_of
from core.domain.permissions import Action, require
from core.domain.records import LABELS
from core.imaging.encode import encode_tiff
from core.imaging.read import read_radiograph
from core.labelling.coco_exchange import coco_chunks
from core.labelling.cvat import cvat_chunks
from core.labelling.datumaro import datumaro_chunks
from core.labelling.entries import LabelFormat
from core.labelling.label_studio import label_studio_chunks
from core.labelling.labelled import LabelledBox, LabelledImage, file_names
from core.labelling.labelme import labelme_json
from core.labelling.voc import voc_xml
from core.labelling.yolo import data_yaml, yolo_text
from core.store.blobs import Blobs
from core.store.images import StoredImage
from core.store.unit_of_work import Store

_AT_ONCE = 200
#: One file of all images, written an image at a time.
_WHOLE: Mapping[LabelFormat, tuple[str, Callable[[Iterable[LabelledImage]], Iterator[str]]]] = {
    LabelFormat.CVAT: ("annotations.xml", cvat_chunks),
    LabelFormat.LABEL_STUDIO: ("tasks.json", label_studio_chunks),
    LabelFormat.DATUMARO: ("annotations/default.json", datumaro_chunks),
}
#: One file an image: its folder, its suffix and its writer.
_EACH: Mapping[LabelFormat, tuple[str, str, Callable[[LabelledImage], str]]] = {
    LabelFormat.YOLO: ("labels", ".txt", yolo_text),
    LabelFormat.VOC: ("annotations", ".xml", voc_xml),
    LabelFormat.LABELME: ("annotations", ".json", labelme_json),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """Counts of an export: images, boxes, originals."""

    n_images: int
    n_boxes: int
    n_originals: int


class LabelFiles:
    """Exports the labels of one workspace.

    Args:
        store: the workspace's.
        blobs: its originals.
    """

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    def export(
        self, identity: Identity, target: IO[bytes], form: LabelFormat, *, with_images: bool
    ) -> Exported:
        """Write a ZIP file of all labels; one image is in memory at a time.

        Inside: `labels.json` (COCO); `labels/*.txt` with `data.yaml` (YOLO); `annotations/*.xml` (VOC);
        `annotations.xml` (CVAT); `tasks.json` (Label Studio); `annotations/*.json` (LabelMe);
        `annotations/default.json` (Datumaro). With images, the original bytes lie in `images/`, so that no
        bit of their depth is lost; a frame of a file of several is a TIFF of its pixels.

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
        self._tell(identity, form, n_images=len(names), n_boxes=n_boxes)
        return Exported(len(names), n_boxes, n_originals)

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
        if form in _WHOLE:
            name, write = _WHOLE[form]
            with archive.open(name, "w", force_zip64=True) as out:
                for chunk in write(counted):
                    out.write(chunk.encode("utf-8"))
            return counted.n_boxes
        if form is LabelFormat.YOLO:
            archive.writestr("data.yaml", data_yaml())
        folder, suffix, text_of = _EACH[form]
        for image in counted:
            stem = PurePosixPath(image.file_name).stem
            archive.writestr(f"{folder}/{stem}{suffix}", text_of(image))
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

    def _tell(self, identity: Identity, form: LabelFormat, *, n_images: int, n_boxes: int) -> None:
        with self._store.write() as work:
            work.audit.record(
                identity,
                action="labels.exported",
                object_type="labels",
                object_id=form.value,
                details={"n_images": n_images, "n_boxes": n_boxes},
            )


def _boxes(kept: Sequence[Mapping[str, Any]]) -> tuple[LabelledBox, ...]:
    return tuple(
        LabelledBox(one.bbox, one.indication_class.value, one.iso6520, one.kind, one.polygon, one.own_class)
        for one in labels_of(kept)
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

"""The images that a new data version is made from: those labelled here, and those of a COCO file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.data_manifest import ImageOrigin, LabelledBox, ManifestImage, Part
from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity, Radiograph
from core.labelling.coco import CocoImage, read_coco
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.store.blobs import BlobStore
from core.store.data_versions import LabelledRow
from core.store.images import StoredImage
from core.store.unit_of_work import Store, Work

#: Told after each image: how many are done, and of how many.
Progress = Callable[[int, int], None]
_CLASSES = {c.value: c for c in IndicationClass}


def labelled_images(work: Work, model_name: str) -> tuple[list[ManifestImage], int]:
    """Every image of the store that is labelled, all in the part TRAIN, and how many still wait in the queue.

    Those that wait are left out: nobody said yet that their labels are complete.
    """
    found, n_waiting = [], 0
    for row in work.data_versions.labelled(model_name):
        if row.is_waiting:
            n_waiting += 1
        elif (image := work.images.find(row.image_sha256)) is not None:
            found.append(_labelled(row, image))
    return found, n_waiting


def import_coco(
    coco: Path, images_dir: Path, store: Store, blobs: BlobStore, *, polarity: Polarity, progress: Progress
) -> list[ManifestImage]:
    """The images of a COCO file, their originals now stored, all in the part TRAIN.

    A category that is none of our classes becomes `unclassified`: it teaches where, not what.

    Args:
        coco: the COCO file.
        images_dir: the folder that its file names are relative to.
        store: gets a row for each image, so that its original is kept.
        blobs: gets the originals.
        polarity: where neither image nor file say.
        progress: called after each image; what it raises ends the import.

    Raises:
        DatasetError: the file and its images do not belong together.
        UnreadableImageError: an image cannot be read.
    """
    images = select_images(read_coco(coco), images_dir)
    found = []
    for done, image in enumerate(images, 1):
        radiograph = read_recorded(image, images_dir, polarity)
        data = (images_dir / image.file_name).read_bytes()
        blobs.put(data)
        with store.write() as work:
            work.images.add(radiograph, Path(image.file_name).name, len(data), at=work.now)
        found.append(_imported(image, radiograph))
        progress(done, len(images))
    return found


def joined(labelled: Sequence[ManifestImage], imported: Sequence[ManifestImage]) -> list[ManifestImage]:
    """Each image once; what was labelled here wins over what was imported.

    Raises:
        DatasetError: a COCO file lists an image twice with different boxes.
    """
    found: dict[str, ManifestImage] = {}
    for image in imported:
        if found.setdefault(image.sha256, image).boxes != image.boxes:
            raise DatasetError(f"{image.name} was imported twice with different boxes")
    for image in labelled:
        series = found[image.sha256].series if image.sha256 in found else image.series
        found[image.sha256] = replace(image, series=series)
    return list(found.values())


def series_of(setup: Mapping[str, Any], fields: Mapping[str, str], sha256: str) -> str:
    """The part that an image shows: as its inspection says, else its DICONDE fields, else the image alone."""
    said = str(setup.get("part") or "").strip() or str(fields.get("ComponentID") or "").strip()
    return f"part {said}" if said else f"image {sha256[:12]}"


def _labelled(row: LabelledRow, image: StoredImage) -> ManifestImage:
    return ManifestImage(
        sha256=image.sha256,
        name=image.name,
        series=series_of(row.setup, image.fields, image.sha256),
        part=Part.TRAIN,
        polarity=image.polarity,
        width=image.width,
        height=image.height,
        boxes=tuple(labelled_box(box["bbox"], str(box.get("class"))) for box in row.boxes),
        origin=ImageOrigin.LABELS,
        annotation_version=row.version,
        file_sha256=image.file_sha256,
        frame=image.frame,
    )


def labelled_box(corners: Sequence[float], label: str) -> LabelledBox:
    """The box with corners to 0.01 px; a label that is none of our classes is `unclassified`."""
    x1, y1, x2, y2 = (round(float(v), 2) for v in corners)
    return LabelledBox((x1, y1, x2, y2), _CLASSES.get(label, IndicationClass.UNCLASSIFIED))


def _imported(image: CocoImage, radiograph: Radiograph) -> ManifestImage:
    return ManifestImage(
        sha256=radiograph.sha256,
        name=Path(image.file_name).name,
        series=image.series or image.parent_film or f"image {radiograph.sha256[:12]}",
        part=Part.TRAIN,
        polarity=radiograph.polarity,
        width=image.width,
        height=image.height,
        boxes=tuple(
            labelled_box([float(v) for v in box], label)
            for box, label in zip(image.boxes, image.labels, strict=True)
        ),
        origin=ImageOrigin.IMPORTED,
    )

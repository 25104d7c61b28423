"""The images of a COCO file as those of a data version, and images of several sources together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.data_manifest import ImageOrigin, ManifestImage, Part
from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity, Radiograph
from core.labelling.coco import CocoImage, read_coco
from core.services.datasets.labelled_images import labelled_box
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.store.blobs import Blobs
from core.store.unit_of_work import Store

#: Told after each image: how many are done, and of how many.
Progress = Callable[[int, int], None]


def import_coco(
    coco: Path, images_dir: Path, store: Store, blobs: Blobs, *, polarity: Polarity, progress: Progress
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
    if crowded := [image.file_name for image in images if len(image.ignored)]:
        raise DatasetError(
            f"{crowded[0]}: a crowd or a box to be ignored cannot teach; take it out of {coco.name}"
        )
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
            labelled_box([float(v) for v in box], label, outline)
            for box, label, outline in zip(image.boxes, image.labels, image.outlines, strict=True)
        ),
        origin=ImageOrigin.IMPORTED,
    )

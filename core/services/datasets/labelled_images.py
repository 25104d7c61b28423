"""The images that were labelled here, as those of a data version."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core.domain.data_manifest import IgnoredBox, ImageOrigin, LabelledBox, ManifestImage, Part
from core.domain.indication import IndicationClass
from core.store.data_versions import LabelledRow
from core.store.images import StoredImage
from core.store.unit_of_work import Work

_CLASSES = {c.value: c for c in IndicationClass}


def labelled_images(work: Work, model_name: str) -> tuple[list[ManifestImage], int]:
    """Every image of the store that is labelled, all in the part TRAIN, and how many still wait in the queue.

    Those that wait are left out: nobody said yet that their labels are complete.
    """
    found, n_waiting = [], 0
    unknown = {one.code for one in work.own_classes.all() if not one.is_known_to_models}
    for row in work.data_versions.labelled(model_name):
        if row.is_waiting:
            n_waiting += 1
        elif (image := work.images.find(row.image_sha256)) is not None:
            found.append(_labelled(row, image, unknown))
    return found, n_waiting


def series_of(setup: Mapping[str, Any], fields: Mapping[str, str], sha256: str) -> str:
    """The part that an image shows: as its inspection says, else its DICONDE fields, else the image alone."""
    said = str(setup.get("part") or "").strip() or str(fields.get("ComponentID") or "").strip()
    return f"part {said}" if said else f"image {sha256[:12]}"


def _labelled(row: LabelledRow, image: StoredImage, unknown: Collection[str]) -> ManifestImage:
    """The image; boxes of the own classes `unknown`, which models do not know, are ignored."""
    taught = [box for box in row.boxes if box.get("own_class") not in unknown]
    ignored = [box for box in row.boxes if box.get("own_class") in unknown]
    boxes = [labelled_box(box["bbox"], str(box.get("class")), box.get("polygon") or ()) for box in taught]
    left_out = [ignored_box(box["bbox"], str(box["own_class"])) for box in ignored]
    return recorded_image(image, row.setup, boxes, left_out, annotation_version=row.version)


def recorded_image(
    image: StoredImage,
    setup: Mapping[str, Any],
    boxes: Sequence[LabelledBox],
    ignored: Sequence[IgnoredBox],
    *,
    annotation_version: int | None = None,
) -> ManifestImage:
    """The stored image in the part TRAIN, with what people recorded on it.

    Args:
        image: as stored.
        setup: of its inspection, which may name the part.
        boxes: that teach.
        ignored: that neither teach nor count as missed.
        annotation_version: of the labels, None where the boxes are none.
    """
    return ManifestImage(
        sha256=image.sha256,
        name=image.name,
        series=series_of(setup, image.fields, image.sha256),
        part=Part.TRAIN,
        polarity=image.polarity,
        width=image.width,
        height=image.height,
        boxes=tuple(boxes),
        origin=ImageOrigin.LABELS,
        annotation_version=annotation_version,
        file_sha256=image.file_sha256,
        frame=image.frame,
        ignored=tuple(ignored),
    )


def labelled_box(
    corners: Sequence[float], label: str, polygon: Sequence[Sequence[float]] = ()
) -> LabelledBox:
    """The box with corners to 0.01 px; a label that is none of our classes is `unclassified`."""
    outline = tuple((round(float(x), 2), round(float(y), 2)) for x, y in polygon)
    return LabelledBox(_rounded(corners), _CLASSES.get(label, IndicationClass.UNCLASSIFIED), outline)


def ignored_box(corners: Sequence[float], why: str) -> IgnoredBox:
    """The box with corners to 0.01 px, and why it is ignored."""
    return IgnoredBox(_rounded(corners), why)


def _rounded(corners: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(v), 2) for v in corners)
    return x1, y1, x2, y2

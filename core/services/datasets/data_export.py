"""A data version as COCO files beside their images, as everything that trains and measures reads them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.domain.data_manifest import DataManifest, ManifestImage, Part
from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.store.blobs import Blobs

IMAGES, SPLIT = "images", "split.yaml"


def export(manifest: DataManifest, blobs: Blobs, out: Path) -> list[Path]:
    """The COCO files now in `out`, one for each part that has images, `train.json` and so on.

    Images are copied to `out/images`; `out/split.yaml` says which series is in which part.

    Raises:
        DatasetError: an original is missing or was changed.
    """
    written = []
    for part in Part:
        if images := manifest.of_part(part):
            written.append(write_coco(out / f"{part.value}.json", images, blobs, are_linked=False))
    write_split(out / SPLIT, manifest.images)
    return written


def write_coco(path: Path, images: Sequence[ManifestImage], blobs: Blobs, *, are_linked: bool) -> Path:
    """The path of a COCO file, now written, whose images lie in `images/` beside it.

    Args:
        path: of the file.
        images: what it lists.
        blobs: the originals.
        are_linked: link to the originals instead of copying them.

    Raises:
        DatasetError: an original is missing or was changed.
    """
    folder = path.parent / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        _place(image, folder / file_name(image), blobs, is_linked=are_linked)
    path.write_text(json.dumps(coco_of(images), indent=1) + "\n", encoding="utf-8")
    return path


def write_split(path: Path, images: Iterable[ManifestImage]) -> Path:
    """The path of a split list of these images, now written."""
    parts: dict[str, list[str]] = {}
    for series, part in sorted({(image.series, image.part.value) for image in images}):
        parts.setdefault(part, []).append(series)
    path.write_text(yaml.safe_dump({"parts": parts}, allow_unicode=True), encoding="utf-8")
    return path


def coco_of(images: Sequence[ManifestImage]) -> dict[str, Any]:
    """The content of a COCO file; images carry `series`, `polarity`, `sha256` and
    the `dicom_frame` in a file of several, boxes are [x, y, w, h].

    Categories are the classes that occur. Boxes that teach nothing are crowds: neither found nor missed.
    """
    used = {box.indication_class for image in images for box in image.boxes}
    used |= {IndicationClass.UNCLASSIFIED for image in images if image.ignored}
    categories = [one for one in IndicationClass if one in used]
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(images, 1):
        boxes = [(box.bbox, box.indication_class, box.polygon, 0) for box in image.boxes]
        boxes += [(box.bbox, IndicationClass.UNCLASSIFIED, (), 1) for box in image.ignored]
        for (x1, y1, x2, y2), indication, polygon, is_crowd in boxes:
            outline = [[value for corner in polygon for value in corner]]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": categories.index(indication) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": is_crowd,
                    **({"segmentation": outline} if polygon else {}),
                }
            )
    return {
        "images": [
            {
                "id": image_id,
                "file_name": f"{IMAGES}/{file_name(image)}",
                "width": image.width,
                "height": image.height,
                "series": image.series,
                "polarity": image.polarity.value,
                "sha256": image.sha256,
                **({} if image.frame is None else {"dicom_frame": image.frame}),
            }
            for image_id, image in enumerate(images, 1)
        ],
        "annotations": annotations,
        "categories": [{"id": n, "name": c.value} for n, c in enumerate(categories, 1)],
    }


def file_name(image: ManifestImage) -> str:
    """The name of the image's file: digest and the name that people know, without what a path could read."""
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in image.name)[-80:]
    return f"{image.sha256[:16]}_{kept}"


def _place(image: ManifestImage, target: Path, blobs: Blobs, *, is_linked: bool) -> None:
    if not blobs.has(image.file_sha256):
        raise DatasetError(f"the original of {image.name} ({image.sha256[:12]}) is missing: restore a backup")
    target.unlink(missing_ok=True)
    blobs.place(image.file_sha256, target, is_linked=is_linked)

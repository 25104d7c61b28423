"""Reading COCO detection files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class CocoImage:
    """One image of a COCO file with its boxes.

    Attributes:
        file_name: relative to the images folder.
        width, height: px, as the file says.
        boxes: (N, 4) float32 xyxy, absolute px.
        labels: N category names.
        series: the part this frame belongs to, None when the file does not say.
        parent_film: the film this is a crop of, None when the file does not say.
        extra: every other key of the image entry.
        annotations: the N annotation entries as they stand in the file.
    """

    file_name: str
    width: int
    height: int
    boxes: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    series: str | None
    parent_film: str | None
    extra: Mapping[str, Any]
    annotations: tuple[Mapping[str, Any], ...]

    @property
    def frame(self) -> int | None:
        """Number of the frame in a multi-frame DICOM file, from 1; None where the entry names none.

        Raises:
            DatasetError: it is no whole number from 1.
        """
        frame = self.extra.get("dicom_frame")
        if frame is not None and (isinstance(frame, bool) or not isinstance(frame, int) or frame < 1):
            raise DatasetError(f"{self.file_name}: dicom_frame must be a whole number from 1, got {frame!r}")
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class CocoDataset:
    """A COCO file: its images in file order and its category names."""

    images: tuple[CocoImage, ...]
    categories: tuple[str, ...]


def read_coco(path: Path) -> CocoDataset:
    """The dataset in the COCO file at `path`; images without annotations have zero boxes.

    Raises:
        DatasetError: when the file is missing, not JSON, or contradicts itself.
    """
    return dataset_from(read_json(path), path.name)


def dataset_from(content: Any, name: str) -> CocoDataset:
    """The dataset in the parsed content of a COCO file; `name` is for messages.

    Raises:
        DatasetError: when the content contradicts itself.
    """
    try:
        names = {c["id"]: str(c["name"]) for c in content["categories"]}
        by_image: dict[Any, list[Mapping[str, Any]]] = {image["id"]: [] for image in content["images"]}
        for annotation in content["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        images = tuple(_image(entry, by_image[entry["id"]], names) for entry in content["images"])
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{name}: not a COCO detection file: {type(error).__name__} {error}; "
            "expected images, annotations with bbox [x, y, width, height], and categories"
        ) from error
    return CocoDataset(images, tuple(names.values()))


def read_json(path: Path) -> Any:
    """The parsed content of the file at `path`.

    Raises:
        DatasetError: when the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"cannot read the COCO file {path}: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"{path.name}: not JSON: {error}") from error


def _image(
    entry: Mapping[str, Any], annotations: list[Mapping[str, Any]], names: Mapping[Any, str]
) -> CocoImage:
    xywh = np.array([a["bbox"] for a in annotations], np.float32).reshape(-1, 4)
    if not np.isfinite(xywh).all() or (xywh[:, 2:] < 0).any():
        raise ValueError(f"image {entry['file_name']} has a box that is not finite or has negative size")
    known = {"id", "file_name", "width", "height", "series", "parent_film"}
    return CocoImage(
        file_name=str(entry["file_name"]),
        width=int(entry["width"]),
        height=int(entry["height"]),
        boxes=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        labels=tuple(names[a["category_id"]] for a in annotations),
        series=entry.get("series"),
        parent_film=entry.get("parent_film"),
        extra={key: value for key, value in entry.items() if key not in known},
        annotations=tuple(annotations),
    )

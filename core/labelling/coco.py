"""COCO detection files as data sets to train and to measure on."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import DatasetError
from core.labelling.coco_annotations import (
    CocoAnnotation,
    CocoContent,
    Standing,
    coco_content,
    plain_path,
    size_of,
)
from core.labelling.label_text import parsed_json
from core.labelling.outlines import Corner, is_rectangle


@dataclass(frozen=True, slots=True, eq=False)
class CocoImage:
    """One image of a COCO file with its boxes.

    Attributes:
        file_name: relative to the images folder, with slashes.
        width, height: px, as the file says.
        boxes: (N, 4) float32 xyxy, absolute px.
        labels: N category names.
        series: the part this frame belongs to, None when the file does not say.
        parent_film: the film this is a crop of, None when the file does not say.
        extra: every other key of the image entry.
        annotations: the N annotation entries as they stand in the file.
        ignored: (M, 4) float32 xyxy of crowds and of boxes to be ignored: neither found nor missed.
        outlines: corners x, y px around each of the N; empty where the file gives a box alone, turned or not.
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
    ignored: npt.NDArray[np.float32]
    outlines: tuple[tuple[Corner, ...], ...] = ()

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


def read_coco(path: Path, *, tell: Callable[[str], None] | None = None) -> CocoDataset:
    """The dataset in the COCO file at `path`; images without annotations have zero boxes.

    Args:
        path: of the file.
        tell: see `dataset_from`.

    Raises:
        DatasetError: when the file is missing, not JSON, or contradicts itself.
    """
    return dataset_from(read_json(path), path.name, tell=tell)


def dataset_from(content: Any, name: str, *, tell: Callable[[str], None] | None = None) -> CocoDataset:
    """The dataset in the parsed content of a COCO file.

    Args:
        content: the file, parsed.
        name: of the file, for messages.
        tell: called with one line for each annotation that is left out because it counts neither way, has no
            area or lies outside of its image; None refuses a file with one of the latter two.

    Raises:
        DatasetError: when the content contradicts itself: an annotation of no image or class, a box that is
            none, an image that is listed twice or does not say its size.
    """
    read = coco_content(content, name)
    if not read.says_boxes:
        raise DatasetError(f"{name}: no annotations; expected a list, which may be empty")
    if twice := listed_twice(read.images):
        raise DatasetError(f"{name}: the image {twice[0]} is listed twice")
    for one in read.annotations:
        if one.standing is Standing.FAULTY or (one.standing is Standing.NOTHING and tell is None):
            raise DatasetError(f"{name}: {one.words} {one.fault}")
        if one.standing is not Standing.COUNTS and one.image is not None and tell is not None:
            tell(f"{read.images[one.image]['file_name']}: {one.words} {one.fault}")
    return dataset_of(read, name)


def dataset_of(read: CocoContent, name: str) -> CocoDataset:
    """The dataset in a COCO file that was read; what is faulty in it is left out.

    Raises:
        DatasetError: an image does not say its size.
    """
    by_image: list[list[CocoAnnotation]] = [[] for _ in read.images]
    for one in read.annotations:
        if one.image is not None:
            by_image[one.image].append(one)
    images = tuple(_image(*pair, name) for pair in zip(read.images, by_image, strict=True))
    return CocoDataset(images, tuple(read.categories.values()))


def read_json(path: Path) -> Any:
    """The parsed content of the file at `path`.

    Raises:
        DatasetError: when the file is missing or not JSON.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read the COCO file {path}: {error.strerror}") from error
    return parsed_json(data, path.name)


def listed_twice(images: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the images of a file that are listed more than once, by id or by name and frame."""
    seen: set[object] = set()
    found = []
    for image in images:
        path = unicodedata.normalize("NFC", plain_path(str(image["file_name"])))
        keys = {("id", image["id"]), ("name", path, str(image.get("dicom_frame")))}
        if keys & seen:
            found.append(str(image["file_name"]))
        seen |= keys
    return found


def file_in(folder: Path, file_name: str) -> str:
    """The path below `folder` of the file that a COCO file calls `file_name`; itself where there is none.

    Umlauts count the same whether they are written as one character or as two. Of a path that begins outside
    of the folder, as that of another computer, the longest end that is there counts.
    """
    path = plain_path(file_name)
    if (folder / path).is_file():
        return path
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    for begin in range(len(parts)):
        end = "/".join(parts[begin:])
        for form in (end, unicodedata.normalize("NFC", end), unicodedata.normalize("NFD", end)):
            if (folder / form).is_file():
                return form
    return path


def _image(entry: Mapping[str, Any], annotations: Sequence[CocoAnnotation], name: str) -> CocoImage:
    size = size_of(entry)
    if size is None:
        raise DatasetError(
            f"{name}: the image {entry['file_name']} does not say its size: expected width and height in px"
        )
    counted = [one for one in annotations if one.standing is Standing.COUNTS]
    ignored = [one.box for one in annotations if one.standing is Standing.IGNORED and one.box is not None]
    known = {"id", "file_name", "width", "height", "series", "parent_film"}
    return CocoImage(
        file_name=plain_path(str(entry["file_name"])),
        width=size[0],
        height=size[1],
        boxes=np.array([one.box for one in counted], np.float64).reshape(-1, 4).astype(np.float32),
        labels=tuple(one.label for one in counted),
        series=entry.get("series"),
        parent_film=entry.get("parent_film"),
        extra={key: value for key, value in entry.items() if key not in known},
        annotations=tuple(one.entry for one in counted),
        ignored=np.array(ignored, np.float32).reshape(-1, 4),
        outlines=tuple(() if is_rectangle(one.polygon) else one.polygon for one in counted),
    )

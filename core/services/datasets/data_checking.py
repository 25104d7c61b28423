"""Checking data sets before anything is trained or measured on them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.errors import DatasetError, UnreadableImageError
from core.domain.ports import ModelSource
from core.domain.radiograph import Radiograph
from core.imaging.read import read_radiograph_file
from core.labelling.box_checks import box_findings
from core.labelling.coco import CocoDataset, CocoImage, file_in, read_json
from core.labelling.coco_structure import class_findings, split_sound
from core.labelling.finding import DataIssue, FindingKind, error, warning
from core.labelling.leak_checks import (
    ImageIdentity,
    NearDuplicateSearch,
    same_image_findings,
    split_findings,
    trained_findings,
)
from core.labelling.split import read_parts
from core.registry.seen import seen_by

#: Parts of a split list that judge or calibrate, unless told otherwise.
HELD_OUT_PARTS = ("calibration", "test")
#: (images done, images in all); called after each image.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A request to check COCO files.

    Attributes:
        recorded: COCO files.
        clean: COCO files whose images are declared free of indications.
        images_dir: the folder that their file names are relative to.
        split: split list, None for none.
        model: name of a registered model whose training images must not be held out; None for none.
        version: of the model; None takes the one that bears `alias`.
        alias: "champion" or "challenger".
        held_out: parts of the split list that judge or calibrate; None takes those of `HELD_OUT_PARTS` that
            it has. Without a split list every image counts as held out.
        should_search_copies: False leaves the search for near-duplicates out, which takes most of the time.
    """

    recorded: tuple[Path, ...]
    clean: tuple[Path, ...]
    images_dir: Path
    split: Path | None = None
    model: str | None = None
    version: int | None = None
    alias: str = "champion"
    held_out: tuple[str, ...] | None = None
    should_search_copies: bool = True


@dataclass(frozen=True, slots=True)
class DataCheck:
    """The result of a check.

    Attributes:
        n_images: images looked at.
        n_boxes: their boxes.
        findings: errors first, else in the order they were found.
    """

    n_images: int
    n_boxes: int
    findings: tuple[DataIssue, ...]

    @property
    def n_errors(self) -> int:
        """The number of findings that are errors."""
        return sum(finding.is_error for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {
            "n_images": self.n_images,
            "n_boxes": self.n_boxes,
            "n_errors": self.n_errors,
            "n_warnings": len(self.findings) - self.n_errors,
            "counts": dict(sorted(Counter(finding.kind.value for finding in self.findings).items())),
            "findings": [finding.to_dict() for finding in self.findings],
        }


class DataCheckService:
    """Runs every check on COCO files, their images, a split list and a model's data manifest.

    Args:
        models: where the model of a request is looked up.
    """

    def __init__(self, models: ModelSource) -> None:
        self._models = models

    def check(self, request: CheckRequest, *, progress: Progress | None = None) -> DataCheck:
        """Faults and doubts of the files; `progress` is called after each image.

        Raises:
            DatasetError: when a file cannot be read at all, or a part to hold out does not exist.
            ModelNotFoundError: when there is no such model version.
        """
        parts = {} if request.split is None else read_parts(request.split)
        held_out = _held_out(request, parts)
        trained_on, model = self._trained_on(request)
        part_of = {series: part for part, members in parts.items() for series in members}
        recorded, found = _read_files(request.recorded)
        clean, more = _read_files(request.clean)
        found += [*more, *class_findings([*recorded, *clean]), *_unmarked(recorded, request.recorded)]
        found += [finding for dataset in clean for image in dataset.images for finding in _not_clean(image)]
        images = [image for dataset in (*recorded, *clean) for image in dataset.images]
        search = NearDuplicateSearch() if request.should_search_copies else None
        identities = []
        for number, image in enumerate(images, 1):
            identity, more = _check_image(image, request.images_dir, part_of, search)
            found += more
            if identity is not None:
                identities.append(identity)
            if progress is not None:
                progress(number, len(images))
        found += same_image_findings(identities)
        if request.split is not None:
            found += split_findings(parts, [_series(image) for image in images])
        judged = [i for i in identities if request.split is None or i.split_part in held_out]
        found += trained_findings(judged, trained_on, model=model)
        found.sort(key=lambda finding: not finding.is_error)
        return DataCheck(len(images), sum(len(image.boxes) for image in images), tuple(found))

    def _trained_on(self, request: CheckRequest) -> tuple[frozenset[str], str]:
        """The digests in the model's data manifest and its name; none without a model."""
        if request.model is None:
            return frozenset(), ""
        resolved, folder = self._models.resolve(request.model, version=request.version, alias=request.alias)
        return seen_by(self._models, resolved, folder).trained_on, f"{resolved.name} v{resolved.version}"


def _held_out(request: CheckRequest, parts: dict[str, list[str]]) -> frozenset[str]:
    if request.held_out is None:
        held_out = frozenset(HELD_OUT_PARTS).intersection(parts)
    else:
        held_out = frozenset(request.held_out)
    if unknown := sorted(held_out - set(parts)):
        raise DatasetError(f"the split list has no part {unknown[0]!r}, only {', '.join(parts) or 'none'}")
    if request.model is not None and request.split is not None and not held_out:
        raise DatasetError(f"which of the parts {', '.join(parts)} are held out from {request.model}?")
    return held_out


def _read_files(paths: Sequence[Path]) -> tuple[list[CocoDataset], list[DataIssue]]:
    datasets, found = [], []
    for path in paths:
        dataset, faults = split_sound(read_json(path), path.name)
        datasets.append(dataset)
        found += faults
    return datasets, found


def _unmarked(datasets: Sequence[CocoDataset], paths: Sequence[Path]) -> list[DataIssue]:
    """One warning a file for images without a box: nobody says that they are clean."""
    found = []
    for dataset, path in zip(datasets, paths, strict=True):
        empty = Counter(_series(image) for image in dataset.images if not len(image.boxes))
        if empty:
            listed = ", ".join(f"{series} ({count})" for series, count in sorted(empty.items()))
            message = f"{path.name}: {empty.total()} images have no box and are not declared clean: {listed}"
            found.append(warning(FindingKind.WITHOUT_BOX, message))
    return found


def _not_clean(image: CocoImage) -> list[DataIssue]:
    if not len(image.boxes):
        return []
    return [error(FindingKind.BOX_ON_CLEAN, f"declared clean, {len(image.boxes)} boxes", image.file_name)]


def _check_image(
    image: CocoImage, images_dir: Path, part_of: dict[str, str], search: NearDuplicateSearch | None
) -> tuple[ImageIdentity | None, list[DataIssue]]:
    """The identity of an image, None when it cannot be read, and the issues of it and its boxes."""
    size, name = (image.width, image.height), image.file_name
    try:
        radiograph = read_radiograph_file(images_dir / file_in(images_dir, name))
    except UnreadableImageError as fault:
        found = [error(FindingKind.UNREADABLE, str(fault), name)]
        return None, found + box_findings(name, image.boxes, size=size, pixels=None)
    found = []
    is_as_recorded = size == (radiograph.width, radiograph.height)
    if not is_as_recorded:
        message = f"{radiograph.width}x{radiograph.height} px, recorded as {size[0]}x{size[1]}"
        found.append(error(FindingKind.OTHER_SIZE, message, name))
    pixels = radiograph.pixels if is_as_recorded else None
    found += box_findings(name, image.boxes, size=size, pixels=pixels)
    identity = _identity(image, radiograph, part_of)
    if search is not None and (copy := search.add(identity, radiograph)) is not None:
        found.append(copy)
    return identity, found


def _identity(image: CocoImage, radiograph: Radiograph, part_of: dict[str, str]) -> ImageIdentity:
    series = _series(image)
    return ImageIdentity(
        file_name=image.file_name,
        series=series,
        split_part=part_of.get(series),
        sha256=radiograph.sha256,
        pixel_sha256=hashlib.sha256(radiograph.pixels.tobytes()).hexdigest(),
        width=radiograph.width,
        height=radiograph.height,
    )


def _series(image: CocoImage) -> str:
    return image.series or image.file_name

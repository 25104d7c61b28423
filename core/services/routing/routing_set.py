"""The parts that a routing certificate rests on: whose images, which of them were used before."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.errors import BadInputError, DatasetError, ModelArtefactError
from core.domain.radiograph import Polarity
from core.labelling.coco import CocoImage, read_coco
from core.registry.artefact import MANIFEST
from core.registry.seen import Seen, calibration_parts
from core.services.evaluation.recorded_images import cluster_name, count_trained_on, select_images

_SERIES = "series:"


@dataclass(frozen=True, slots=True)
class RoutingSet:
    """The images to certify on.

    Attributes:
        coco: COCO file of parts with recorded indications.
        images_dir: the folder that file names are relative to.
        clean: COCO file of parts that are known to hold no defect; without it rejecting has no bound.
        series: only images of these series; None takes all.
        same_part: groups of series that show one part.
        polarity: of images when neither they nor the COCO file say.
    """

    coco: Path
    images_dir: Path
    clean: Path | None = None
    series: Collection[str] | None = None
    same_part: tuple[tuple[str, ...], ...] = ()
    polarity: Polarity = Polarity.UNKNOWN


@dataclass(slots=True)
class Parts:
    """Images by part, and what is to be told of those that are not judged."""

    defective: dict[str, list[CocoImage]]
    clean: dict[str, list[CocoImage]]
    left_out: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def images(self) -> Iterator[tuple[str, bool, CocoImage]]:
        """(part, is defective, image), part by part."""
        for is_defective, parts in ((True, self.defective), (False, self.clean)):
            for name, images in parts.items():
                for image in images:
                    yield name, is_defective, image

    def leave_out(self, names: Collection[str], why: str) -> None:
        """Drop these parts and say so."""
        for parts in (self.defective, self.clean):
            for name in [name for name in parts if name in names]:
                del parts[name]
        if names:
            self.left_out.append(f"{why}: {', '.join(sorted(names))}")


def parts_of(asked: RoutingSet) -> Parts:
    """The images by part. An image without a recorded indication is neither defective nor clean.

    Raises:
        DatasetError: the COCO files contradict each other or the images, or a series is not there.
    """
    images = select_images(read_coco(asked.coco), asked.images_dir, asked.series)
    recorded = [image for image in images if len(image.boxes)]
    clean = _clean_images(asked)
    names = _part_names([*images, *clean], asked.same_part)
    parts = Parts(_by_part(recorded, names), _by_part(clean, names))
    if both := sorted(parts.defective.keys() & parts.clean.keys()):
        raise DatasetError(f"{', '.join(both)}: recorded with indications and called clean")
    if n_silent := len(images) - len(recorded):
        parts.unchecked.append(f"{n_silent} images without a recorded indication: whether they show one")
    if n_alone := sum(name.startswith("image:") for name in (*parts.defective, *parts.clean)):
        parts.unchecked.append(
            f"{n_alone} images without series or film, each taken for a part: whether they show the same one"
        )
    return parts


def _clean_images(asked: RoutingSet) -> list[CocoImage]:
    if asked.clean is None:
        return []
    dataset = read_coco(asked.clean)
    if marked := [image.file_name for image in dataset.images if len(image.boxes)]:
        raise DatasetError(f"{asked.clean.name}: {marked[0]} has recorded boxes, so it is not clean")
    here = {image.series for image in dataset.images}
    if asked.series is not None and here.isdisjoint(asked.series):
        return []
    return select_images(dataset, asked.images_dir, asked.series)


def _part_names(images: Sequence[CocoImage], same_part: Sequence[Collection[str]]) -> Mapping[str, str]:
    """The part of each cluster name; series of one group are one part."""
    names = {cluster_name(image): cluster_name(image) for image in images}
    grouped = [series for group in same_part for series in group]
    if unknown := sorted(s for s in set(grouped) if _SERIES + s not in names):
        raise DatasetError(f"no image is of series {', '.join(unknown)}, said to show the same part")
    if len(grouped) != len(set(grouped)):
        raise DatasetError("a series is said to show two parts")
    for group in same_part:
        names |= {_SERIES + series: _SERIES + "+".join(sorted(group)) for series in group}
    return names


def _by_part(images: Sequence[CocoImage], names: Mapping[str, str]) -> dict[str, list[CocoImage]]:
    parts: dict[str, list[CocoImage]] = defaultdict(list)
    for image in images:
        parts[names[cluster_name(image)]].append(image)
    return dict(parts)


def leave_out_what_was_used(parts: Parts, images_dir: Path, folder: Path, seen: Seen) -> None:
    """Drop the parts of which the version in `folder` or an ancestor has seen an image, by digest or series.

    Raises:
        BadInputError: an image cannot be read.
        ModelArtefactError: manifest or calibration of the version are damaged.
    """
    trained_series = _trained_series(folder / MANIFEST)
    trained = {
        name
        for name, _, image in parts.images()
        if image.series in trained_series or count_trained_on([image], images_dir, seen.trained_on)
    }
    parts.leave_out(trained, "trained the version")
    if not calibration_parts(folder):
        parts.unchecked.append("which parts calibrated the version: its calibration does not name them")
    for ancestor in seen.unknown:
        parts.unchecked.append(f"what {ancestor} saw, from which it goes on: it is not registered here")
    used = {name for name, _, image in parts.images() if cluster_name(image) in seen.calibrated}
    parts.leave_out(used, "calibrated the version")


def _trained_series(manifest: Path) -> frozenset[str]:
    images = _read_json(manifest)["images"]  # read_artefact looked at it
    return frozenset(str(image["series"]) for image in images if image.get("series"))


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelArtefactError(f"cannot read {path.parent.name}/{path.name}: {error}") from error
    if not isinstance(content, dict):
        raise ModelArtefactError(f"{path.parent.name}/{path.name}: expected keys and values")
    return content


def set_digest(parts: Parts, images_dir: Path) -> str:
    """Hex sha256 over each image's part, bytes and recorded boxes; their order does not matter."""
    lines = []
    for name, is_defective, image in parts.images():
        try:
            digest = hashlib.sha256((images_dir / image.file_name).read_bytes()).hexdigest()
        except OSError as error:
            raise BadInputError(f"cannot read {image.file_name}: {error.strerror}") from error
        lines.append(json.dumps([name, is_defective, digest, image.boxes.tolist()]))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

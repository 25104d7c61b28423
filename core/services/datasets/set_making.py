"""Evaluation sets made from labels, from signed inspections, or from an archive that somebody hands in."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from core.domain.accounts import Identity
from core.domain.data_manifest import LabelledBox, ManifestImage
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.domain.records import new_id
from core.imaging.archive import Archive
from core.services.datasets.labelled_images import labelled_images
from core.services.datasets.signed_truth import HistoryBounds, signed_truth
from core.services.evaluation.evaluation_sets import EvaluationSets
from core.store.blobs import Blobs
from core.store.evaluations import EvaluationSet
from core.store.recent import Recent
from core.store.unit_of_work import Store, Work

#: Kind of the source of sets that were made from signed inspections.
HISTORY = "history"
_COCO = "labels.json"


@dataclass(frozen=True, slots=True)
class SetFilter:
    """Which images belong to a set; what is empty asks for nothing.

    Attributes:
        part: text in the name of the part that an image shows.
        equipment: text in the equipment that its newest inspection names.
        classes: an image has a label of one of these.
        least_px, most_px: an image has a label whose longer side lies between both; 0 is no bound.
    """

    part: str = ""
    equipment: str = ""
    classes: frozenset[str] = frozenset()
    least_px: float = 0.0
    most_px: float = 0.0

    def takes(self, image: ManifestImage, equipment: str) -> bool:
        """True for an image that belongs to the set."""
        if self.part.lower() not in image.series.lower() or self.equipment.lower() not in equipment.lower():
            return False
        asks = bool(self.classes) or self.least_px > 0 or self.most_px > 0
        return not asks or any(self._wants(box) for box in image.boxes)

    def _wants(self, box: LabelledBox) -> bool:
        x1, y1, x2, y2 = box.bbox
        side = max(x2 - x1, y2 - y1)
        is_class = not self.classes or box.indication_class.value in self.classes
        return is_class and side >= self.least_px and (not self.most_px or side <= self.most_px)


@dataclass(frozen=True, slots=True, eq=False)
class HistoryCount:
    """What a set from the history would hold.

    Attributes:
        n_images, n_clean: images, and those of them without a recorded box.
        n_boxes: recorded boxes.
        read_by: numbers of the versions that read the images for their inspectors.
        left_out: reason to number of images, whatever the filter of images.
    """

    n_images: int
    n_clean: int
    n_boxes: int
    read_by: tuple[int, ...]
    left_out: Mapping[str, int]

    @property
    def left_out_words(self) -> str:
        """Such as "3 not signed, 1 returned by the second reader"; empty where nothing is left out."""
        return ", ".join(f"{n:,} {why}" for why, n in self.left_out.items())


class SetMaker:
    """Makes evaluation sets with the images beside them. Raises NotAllowedError without the right to it.

    Args:
        store: holds the labels.
        blobs: the originals.
        sets: gets the new ones.
        folder: where images of sets are put.
    """

    def __init__(self, store: Store, blobs: Blobs, sets: EvaluationSets, folder: Path) -> None:
        self._store, self._blobs, self._sets, self._folder = store, blobs, sets, folder
        self._labelled = Recent(self._count_labelled)
        self._signed = Recent(self._count_signed)

    def count(self, identity: Identity, model: str, wanted: SetFilter) -> tuple[int, int]:
        """The number of labelled images that a filter takes, and of their boxes, as of a moment ago."""
        require(identity, Action.EVALUATIONS_MANAGE)
        return self._labelled.get((model, wanted))

    def _count_labelled(self, asked: tuple[str, SetFilter]) -> tuple[int, int]:
        with self._store.read() as work:
            images = _wanted(work, *asked)
        return len(images), sum(len(one.boxes) for one in images)

    def from_labels(self, identity: Identity, name: str, model: str, wanted: SetFilter) -> EvaluationSet:
        """The set of the labelled images that the filter takes; from then on they train nothing.

        Images whose labels still wait in the queue, and frames of files of several, are left out.

        Raises:
            BadInputError: there is none, or name or content are there already.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        with self._store.read() as work:
            images = _wanted(work, model, wanted)
        if not images:
            raise BadInputError("no labelled image is like this")
        return self._made(identity, name, model, images, {"kind": "labels"})

    def count_history(
        self, identity: Identity, model: str, wanted: SetFilter, bounds: HistoryBounds
    ) -> HistoryCount:
        """What `from_history` would make a set of, as of a moment ago."""
        require(identity, Action.EVALUATIONS_MANAGE)
        return self._signed.get((model, wanted, bounds))

    def _count_signed(self, asked: tuple[str, SetFilter, HistoryBounds]) -> HistoryCount:
        return self._history(*asked)[1]

    def from_history(
        self, identity: Identity, name: str, model: str, wanted: SetFilter, bounds: HistoryBounds
    ) -> EvaluationSet:
        """The set of the images with a signed record that the filter takes; from then on they train nothing.

        Recorded is what `signed_truth` says. Who read for the inspectors is kept with the set.

        Raises:
            BadInputError: there is none, or name or content are there already.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        images, count = self._history(model, wanted, bounds)
        if not images:
            why = f": {count.left_out_words}" if count.left_out else ""
            unreviewed = " What nobody assessed and signed is the output of the model itself." * bool(why)
            raise BadInputError(f"no signed record is like this{why}.{unreviewed}")
        return self._made(identity, name, model, images, {"kind": HISTORY, "read_by": list(count.read_by)})

    def _history(
        self, model: str, wanted: SetFilter, bounds: HistoryBounds
    ) -> tuple[list[ManifestImage], HistoryCount]:
        with self._store.read() as work:
            truth = signed_truth(work, model, bounds)
        taken = [(image, row) for image, row in truth.images if wanted.takes(image, _equipment(row.setup))]
        images = [image for image, _ in taken]
        return images, HistoryCount(
            n_images=len(images),
            n_clean=sum(not one.boxes for one in images),
            n_boxes=sum(len(one.boxes) for one in images),
            read_by=tuple(sorted({row.model_version for _, row in taken})),
            left_out=truth.left_out,
        )

    def _made(
        self,
        identity: Identity,
        name: str,
        model: str,
        images: Sequence[ManifestImage],
        source: dict[str, Any],
    ) -> EvaluationSet:
        folder = self._folder / new_id()
        folder.mkdir(parents=True)
        try:
            for image in images:
                (folder / _file_name(image)).write_bytes(self._blobs.get(image.file_sha256))
            (folder / _COCO).write_text(json.dumps(_coco(images)), encoding="utf-8")
            return self._sets.add_files(identity, name, model, folder / _COCO, folder, source=source)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def from_archive(self, identity: Identity, name: str, model: str, data: bytes) -> EvaluationSet:
        """The set in a ZIP file of images and one COCO file.

        Raises:
            BadInputError: there is not exactly one JSON file, a name leads elsewhere, or name or content are
                there already.
            UnreadableImageError: the archive is damaged or too large.
            DatasetError: file and images do not belong together.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        archive = Archive(data, f"{name}.zip")
        found = [one for one in archive.members if one.name.lower().endswith(".json")]
        if len(found) != 1:
            raise BadInputError(f"expected one COCO file (.json) in the archive, found {len(found)}")
        folder = self._folder / new_id()
        try:
            for member in archive.members:
                path = folder / (_COCO if member is found[0] else _inside(member.name))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
            source = {"kind": "upload"}
            return self._sets.add_files(identity, name, model, folder / _COCO, folder, source=source)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _wanted(work: Work, model: str, wanted: SetFilter) -> list[ManifestImage]:
    images, _ = labelled_images(work, model)
    equipment = {row.image_sha256: _equipment(row.setup) for row in work.data_versions.labelled(model)}
    return [one for one in images if one.frame is None and wanted.takes(one, equipment[one.sha256])]


def _equipment(setup: Mapping[str, Any]) -> str:
    exposure = setup.get("exposure") or {}
    named = (exposure.get(key) for key in ("source", "detector", "film_system"))
    return ", ".join(str(one) for one in named if one)


def _file_name(image: ManifestImage) -> str:
    return f"{image.sha256[:12]}{PurePosixPath(image.name).suffix}"


def _inside(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or path.name == _COCO:
        raise BadInputError(f"the archive names a file {name[:80]!r}, which is refused")
    return path.as_posix()


def _coco(images: Sequence[ManifestImage]) -> dict[str, Any]:
    classes = sorted({box.indication_class.value for one in images for box in one.boxes})
    entries, boxes = [], list[dict[str, Any]]()
    for number, one in enumerate(images, start=1):
        entries.append({"id": number, "file_name": _file_name(one), "width": one.width, "height": one.height,
                        "series": one.series, "polarity": one.polarity.value})  # fmt: skip
        for box in one.boxes:
            boxes.append(_annotation(len(boxes) + 1, number, box.bbox)
                         | {"category_id": classes.index(box.indication_class.value) + 1})  # fmt: skip
        for ignored in one.ignored:
            boxes.append(_annotation(len(boxes) + 1, number, ignored.bbox) | {"iscrowd": 1})
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]
    return {"images": entries, "annotations": boxes, "categories": categories}


def _annotation(number: int, image: int, bbox: tuple[float, float, float, float]) -> dict[str, Any]:
    x1, y1, x2, y2 = bbox
    return {"id": number, "image_id": image, "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}  # fmt: skip

"""Sets of images with recorded boxes that versions are measured on: made once, known by their content."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, DatasetError
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity, Radiograph
from core.domain.records import new_id
from core.imaging.names import clean_name
from core.labelling.coco import CocoDataset, CocoImage, dataset_from, read_coco
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.store.evaluations import EvaluationSet
from core.store.unit_of_work import Store

#: Kinds of sources of a set.
FILES, SIMULATED = "files", "simulated"
LONGEST_NAME = 128
_KEPT_KEYS = ("series", "parent_film", "mm_per_px", "polarity", "seed", "bit_depth")


@dataclass(frozen=True, slots=True, eq=False)
class SetContent:
    """The content of a set.

    Attributes:
        images: in order, each with its recorded boxes.
        digests: sha256 of each image's file as it was when the set was made.
        categories: that boxes may bear.
        folder: where the images lie.
        polarity: of images that do not say.
    """

    images: tuple[CocoImage, ...]
    digests: tuple[str, ...]
    categories: tuple[str, ...]
    folder: Path
    polarity: Polarity

    @property
    def dataset(self) -> CocoDataset:
        """The same as a COCO data set."""
        return CocoDataset(self.images, self.categories)


class EvaluationSets:
    """The evaluation sets. Images stay where they are; their list with the boxes is kept.

    Every method that is handed an identity raises NotAllowedError for a role without the right to it.

    Args:
        store: where sets are listed.
        folder: of the lists, and of simulated images.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def all(self, identity: Identity, model: str | None = None) -> list[EvaluationSet]:
        """Every set, the newest first; None takes those of every model."""
        require(identity, Action.EVALUATIONS_READ)
        with self._store.read() as work:
            return work.evaluations.sets(model)

    def add_files(
        self,
        identity: Identity,
        name: str,
        model: str,
        coco: Path,
        folder: Path,
        *,
        series: Collection[str] | None = None,
        polarity: Polarity = Polarity.UNKNOWN,
        source: Mapping[str, Any] | None = None,
    ) -> EvaluationSet:
        """The new set of the images of a COCO file.

        Args:
            identity: who adds it.
            name: to choose it by.
            model: "weld" or "casting".
            coco: the COCO file.
            folder: that its file names are relative to.
            series: only images of these; None takes all.
            polarity: of images that do not say.
            source: what else to keep of where it came from.

        Raises:
            BadInputError: the name or the same content is there already.
            DatasetError: file and images do not belong together.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        if not 0 < len(name.strip()) <= LONGEST_NAME:
            raise BadInputError(f"an evaluation set needs a name: expected 1 to {LONGEST_NAME} characters")
        dataset = read_coco(coco)
        images = select_images(dataset, folder, series)
        content = _listed(images, [_digest(folder, image) for image in images], dataset.categories)
        told = {"kind": FILES, "folder": str(folder.resolve()), "polarity": polarity.value, **(source or {})}
        return self._add(identity, name.strip(), model, content, told)

    def subset(
        self, identity: Identity, chosen: EvaluationSet, keep: Sequence[bool], name: str
    ) -> EvaluationSet:
        """The set of some of the images of another one, made now or before.

        Args:
            identity: who makes it.
            chosen: the other one.
            keep: for each of its images, whether it belongs to the new one.
            name: of the new one where it has to be made.

        Raises:
            BadInputError: the name is taken.
            DatasetError: the list of the other one is missing or damaged.
        """
        require(identity, Action.EVALUATIONS_MANAGE)
        content = self.content(chosen)
        images = list(compress(content.images, keep))
        listed = _listed(images, list(compress(content.digests, keep)), content.categories)
        digest = _digest_of(chosen.model_name, json.dumps(listed, sort_keys=True))
        with self._store.read() as work:
            known = next((one for one in work.evaluations.sets() if one.digest == digest), None)
        if known is not None:
            return known
        source = {**chosen.source, "part_of": chosen.set_id}
        return self._add(identity, name[:LONGEST_NAME], chosen.model_name, listed, source)

    def _add(
        self, identity: Identity, name: str, model: str, content: dict[str, Any], source: Mapping[str, Any]
    ) -> EvaluationSet:
        body = json.dumps(content, sort_keys=True)
        digest = _digest_of(model, body)
        with self._store.write() as work:
            added = EvaluationSet(
                set_id=new_id(),
                name=name,
                model_name=model,
                digest=digest,
                source=source,
                n_images=len(content["images"]),
                n_boxes=sum("category_id" in box for box in content["annotations"]),
                created_by=identity.account_id,
                created_at=work.now,
            )
            work.evaluations.add_set(added)
            self._list_path(digest).parent.mkdir(parents=True, exist_ok=True)
            self._list_path(digest).write_text(body, encoding="utf-8")
            work.audit.record(
                identity,
                action="evaluation_set.added",
                object_type="evaluation_set",
                object_id=added.set_id,
                details={"set": added.name, "model": model, "n_images": added.n_images},
            )
        return added

    def simulated_folder(self, count: int, seed: int) -> Path:
        """The folder of the simulated images of a set, whether it exists or not."""
        return self._folder / f"simulated-{seed}-{count}"

    def find(self, identity: Identity, set_id: str) -> EvaluationSet:
        """The set with this id.

        Raises:
            BadInputError: there is none.
        """
        require(identity, Action.EVALUATIONS_READ)
        with self._store.read() as work:
            return work.evaluations.find_set(set_id)

    def content(self, one: EvaluationSet) -> SetContent:
        """The content of a set.

        Raises:
            DatasetError: its list is missing or damaged.
        """
        try:
            body = self._list_path(one.digest).read_text(encoding="utf-8")
        except OSError as error:
            raise DatasetError(f"the list of the evaluation set {one.name} is missing") from error
        if _digest_of(one.model_name, body) != one.digest:
            raise DatasetError(f"the list of the evaluation set {one.name} was changed: restore a backup")
        content = json.loads(body)
        dataset = dataset_from(content, one.name)
        return SetContent(
            images=dataset.images,
            digests=tuple(str(entry["sha256"]) for entry in content["images"]),
            categories=dataset.categories,
            folder=Path(str(one.source["folder"])),
            polarity=Polarity(str(one.source.get("polarity", Polarity.UNKNOWN))),
        )

    def digests_of(self, model: str) -> frozenset[str]:
        """The sha256 of every image of every set of a model: none of them may train.

        Raises:
            DatasetError: a list is missing or was changed.
        """
        return frozenset(digest for digests in self.held_by(model).values() for digest in digests)

    def held_by(self, model: str) -> dict[str, frozenset[str]]:
        """The sha256 of the images of each set of a model, by the name of the set.

        Raises:
            DatasetError: a list is missing or was changed.
        """
        with self._store.read() as work:
            sets = work.evaluations.sets(model)
        found: dict[str, frozenset[str]] = {}
        for one in sets:
            found[one.name] = found.get(one.name, frozenset()).union(self.content(one).digests)
        return found

    def read(self, content: SetContent, sha256: str) -> Radiograph:
        """One image of a set, by the sha256 of its file.

        Raises:
            BadInputError: the set holds no such image.
            DatasetError: its file was changed since the set was made.
            UnreadableImageError: it cannot be read.
        """
        if sha256 not in content.digests:
            raise BadInputError("the evaluation set holds no such image")
        image = content.images[content.digests.index(sha256)]
        if _digest(content.folder, image) != sha256:
            raise DatasetError(f"{clean_name(image.file_name)} was changed since the evaluation set was made")
        return read_recorded(image, content.folder, content.polarity)

    def _list_path(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"


def _digest_of(model: str, body: str) -> str:
    return hashlib.sha256(f"{model}\n{body}".encode()).hexdigest()


def _listed(images: Sequence[CocoImage], digests: Sequence[str], categories: Sequence[str]) -> dict[str, Any]:
    """The images with their boxes as COCO content, with the sha256 of each file."""
    number = {name: index for index, name in enumerate(categories, start=1)}
    entries: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for index, (image, sha256) in enumerate(zip(images, digests, strict=True), start=1):
        known = {"series": image.series, "parent_film": image.parent_film, **image.extra}
        entry = {
            "id": index,
            "file_name": image.file_name,
            "width": image.width,
            "height": image.height,
            "sha256": sha256,
        }
        entries.append(entry | {key: known[key] for key in _KEPT_KEYS if known.get(key) is not None})
        for (x1, y1, x2, y2), label in zip(image.boxes.astype(float), image.labels, strict=True):
            bbox = [x1, y1, x2 - x1, y2 - y1]
            boxes.append(
                {"id": len(boxes) + 1, "image_id": index, "category_id": number[label], "bbox": bbox}
            )
        for x1, y1, x2, y2 in image.ignored.astype(float):
            bbox = [x1, y1, x2 - x1, y2 - y1]
            boxes.append({"id": len(boxes) + 1, "image_id": index, "bbox": bbox, "iscrowd": 1})
    named = [{"id": index, "name": name} for name, index in number.items()]
    return {"images": entries, "annotations": boxes, "categories": named}


def _digest(folder: Path, image: CocoImage) -> str:
    """The sha256 of an image's file, which must lie below the folder."""
    path = (folder / image.file_name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DatasetError(f"{clean_name(image.file_name)} lies outside of the folder of the images")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"cannot read {clean_name(image.file_name)}: {error.strerror}") from error

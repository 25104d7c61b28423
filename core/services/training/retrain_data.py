"""The training data of a retraining: new images, and old ones so that nothing is forgotten."""

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from core.domain.data_manifest import DataManifest, ManifestImage, Part
from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.engine.detector import read_network
from core.registry.artefact import MANIFEST, WEIGHTS
from core.services.datasets.data_export import write_coco
from core.services.training.outlook import held_back_words
from core.services.training.retraining import RetrainRequest
from core.store.blobs import Blobs
from core.training.recipe import Recipe, recipe_from

log = logging.getLogger(__name__)
NEW, OLD, CALIBRATION_FILE, TEST_FILE = "new.json", "old.json", "calibration.json", "test.json"
#: Simulated films by what they are for. The ranges never meet; the first is for bases that name none.
FRESH_SEED, CALIBRATION_SEED, TEST_SEED, VALIDATION_SEED = 120_000, 300_000, 310_000, 320_000
_LONGEST_WARM_UP = 300


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Files of a retraining below one folder.

    Attributes:
        folder: holds the COCO files and `images/`.
        new: images in TRAIN that the base version never learnt, or learnt with other boxes.
        old: images in TRAIN that it did learn.
        simulated_seed: of the first simulated film that is mixed in.
        n_simulated: how many are.
    """

    folder: Path
    new: tuple[ManifestImage, ...]
    old: tuple[ManifestImage, ...]
    simulated_seed: int
    n_simulated: int

    @property
    def train(self) -> tuple[ManifestImage, ...]:
        """All images in TRAIN."""
        return self.new + self.old


def prepare(
    manifest: DataManifest, base: Path, request: RetrainRequest, blobs: Blobs, folder: Path
) -> TrainingData:
    """The data of a retraining, written below `folder`.

    Args:
        manifest: of the data version.
        base: artefact folder of the base version.
        request: says how many simulated films are mixed in.
        blobs: the originals.
        folder: for the COCO files.

    Raises:
        DatasetError: nothing trains, or an original is missing.
    """
    learnt = _learnt(base / MANIFEST)
    train = manifest.of_part(Part.TRAIN)
    if not train:
        raise DatasetError("the data version has no image to train on")
    old = tuple(image for image in train if _is_known(image, learnt))
    new = tuple(image for image in train if not _is_known(image, learnt))
    seeds = simulated_seeds(learnt.values()) if request.model_name == "weld" else range(0)
    first = seeds.start if len(seeds) else FRESH_SEED
    n_simulated = 0
    if request.model_name == "weld":
        n_simulated = min(request.n_simulated, len(seeds)) if len(seeds) else request.n_simulated
    for name, images in (
        (NEW, new),
        (OLD, old),
        (CALIBRATION_FILE, manifest.of_part(Part.CALIBRATION)),
        (TEST_FILE, manifest.of_part(Part.TEST)),
    ):
        if images:
            write_coco(folder / name, images, blobs, are_linked=True)
    log.info("%d new images, %d old ones, %d simulated films", len(new), len(old), n_simulated)
    return TrainingData(folder, new, old, first, n_simulated)


def refuse_held_back(train: Iterable[ManifestImage], held_back: Collection[str]) -> None:
    """Return when no image that trains judges or calibrates anywhere.

    Args:
        train: what is about to train.
        held_back: sha256 of every image in a calibration or test part or an evaluation set.

    Raises:
        DatasetError: names the first that does.
    """
    if refusal := held_back_words(train, held_back):
        raise DatasetError(refusal)


def title_of(request: RetrainRequest) -> str:
    """The name of the recipe, and of its run."""
    return f"{request.model_name} v{request.base_version} on data version {request.data_number}"


def write_recipe(path: Path, request: RetrainRequest, base: Path, data: TrainingData) -> Recipe:
    """The recipe, now written as YAML to `path`, so that the run can be done again without the product.

    New images get `new_share` of the crops; old ones and simulated films share the rest evenly. Without any
    old data all crops are new, and the other way round.
    """
    _, header = read_network(base / WEIGHTS)
    content: dict[str, Any] = {
        "model": request.model_name,
        "title": title_of(request),
        "polarity": Polarity(header["polarity"]).value,
        "seed": request.seed,
        "sources": _sources(request, data),
        "schedule": {
            "steps": request.steps,
            "batch": request.batch,
            "learning_rate": request.learning_rate,
            "warmup_steps": max(1, min(_LONGEST_WARM_UP, request.steps // 10)),
            "coarse_share": 0.1,
        },
        "network": json.loads(header["network"]),
        "initial_weights": str(base / WEIGHTS),
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return recipe_from(content)


def simulated_seeds(entries: Iterable[dict[str, Any]]) -> range:
    """The longest run of seeds of simulated films in a data manifest, without those of an older simulator."""
    seeds = sorted({int(entry["seed"]) for entry in entries if "seed" in entry and "phase" not in entry})
    best = range(0)
    for _, group in groupby(enumerate(seeds), key=lambda pair: pair[1] - pair[0]):
        run = [seed for _, seed in group]
        if len(run) > len(best):
            best = range(run[0], run[-1] + 1)
    return best


def write_manifest_labels(path: Path, train: Sequence[ManifestImage], data_sha256: str) -> None:
    """Add to the data manifest of a run which labels of which data version each image was learnt with."""
    content = json.loads(path.read_text(encoding="utf-8"))
    by_digest = {image.sha256: image for image in train}
    for entry in content["images"]:
        if (image := by_digest.get(entry["sha256"])) is not None:
            entry["file_name"] = image.name
            entry["labels"] = labels_digest(image)
            if image.annotation_version is not None:
                entry["labels_version"] = image.annotation_version
    content["data_version"] = data_sha256
    path.write_text(json.dumps(content, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def labels_digest(image: ManifestImage) -> str:
    """12 hex digits that change with any box of the image."""
    boxes = sorted((*box.bbox, box.indication_class.value) for box in image.boxes)
    return hashlib.sha256(json.dumps(boxes).encode()).hexdigest()[:12]


def _sources(request: RetrainRequest, data: TrainingData) -> list[dict[str, Any]]:
    old: list[dict[str, Any]] = []
    if data.old:
        old.append({"coco": OLD, "are_classes_known": True})
    if data.n_simulated:
        old.append({"count": data.n_simulated, "seed": data.simulated_seed})
    new = [{"coco": NEW, "are_classes_known": True}] if data.new else []
    new_share = 1.0 if not old else request.new_share
    old_share = 1.0 if not new else 1.0 - request.new_share
    weighted = [source | {"weight": new_share} for source in new]
    return weighted + [source | {"weight": max(old_share, 1e-6) / len(old)} for source in old]


def _learnt(path: Path) -> dict[str, dict[str, Any]]:
    """The images that a version learnt: the entries of its data manifest by sha256."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {str(entry["sha256"]): entry for entry in content["images"]}


def _is_known(image: ManifestImage, learnt: dict[str, dict[str, Any]]) -> bool:
    """True when the base learnt the image, as far as it says with these boxes."""
    entry = learnt.get(image.sha256)
    return entry is not None and entry.get("labels", labels_digest(image)) == labels_digest(image)

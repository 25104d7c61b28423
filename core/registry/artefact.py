"""The folder of one model version: weights, card, calibration and data manifest that belong together."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.domain.errors import ModelArtefactError
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity

WEIGHTS, CARD, CALIBRATION, MANIFEST = (
    "weights.safetensors",
    "card.yaml",
    "calibration.json",
    "manifest.json",
)
FILES = (WEIGHTS, CARD, CALIBRATION, MANIFEST)
#: May lie beside them: what the images looked like that the version learnt from. Earlier versions lack it.
FAMILIARITY = "familiarity.json"
#: The second stage, which only some versions have.
GROUPS = "groups.json"
#: The ranges that its network needs to run in 8-bit integers. Versions without them run in floating point.
RANGES = "ranges.json"
#: How much less is believed of calls beside the weld. Versions without it believe all places alike.
ZONE_PRIOR = "zone_prior.json"


@dataclass(frozen=True, slots=True, eq=False)
class ModelArtefact:
    """A model version before (or without) a registry.

    Attributes:
        folder: holds the four `FILES`, and perhaps `FAMILIARITY`, `GROUPS`, `RANGES` and `ZONE_PRIOR`.
        name: "weld" or "casting", from the card.
        sha256: hex digest of the weights file.
        manifest_sha256: hex digest of the data manifest.
        digest: hex sha256 over the digests of its files; changes with any of them.
        polarity: the polarity the network was trained in, from the card.
        calibration: the record of its calibration.
        card: the card's content.
        trained_on: sha256 of every training image's file.
        trained_parts: the parts that these show ("series:C0001"), where the manifest names them.
    """

    folder: Path
    name: str
    sha256: str
    manifest_sha256: str
    digest: str
    polarity: Polarity
    calibration: CalibrationRecord
    card: Mapping[str, Any]
    trained_on: frozenset[str]
    trained_parts: frozenset[str] = frozenset()

    @property
    def weights(self) -> Path:
        """Path of the weights file."""
        return self.folder / WEIGHTS

    def as_version(self, version: int, aliases: tuple[str, ...] = ()) -> ModelVersion:
        """The value that crosses every boundary, with the number that a registry gave."""
        return ModelVersion(
            self.name, version, self.sha256, self.polarity, self.calibration, self.card, aliases
        )


def read_artefact(folder: Path) -> ModelArtefact:
    """The artefact in `folder`.

    Raises:
        ModelArtefactError: when a file is missing or damaged, a key is missing, or the card names
            other weights than those beside it.
    """
    digests = digest_files(folder)
    card = _read_mapping(folder / CARD)
    trained_on, trained_parts = _training_images(folder / MANIFEST)
    if (named := card.get("weights_sha256")) not in (None, digests[WEIGHTS]):
        raise ModelArtefactError(
            f"{folder.name}: the card describes weights {str(named)[:12]}, "
            f"the file is {digests[WEIGHTS][:12]}"
        )
    second = card.get("second_stage") or {}
    if (named := second.get("sha256")) not in (None, digests.get(GROUPS)):
        raise ModelArtefactError(
            f"{folder.name}: the card describes a second stage {str(named)[:12]}, "
            f"the file is {digests.get(GROUPS, 'missing')[:12]}"
        )
    for name in (FAMILIARITY, RANGES, ZONE_PRIOR):
        if (
            name in digests
            and (named := _read_mapping(folder / name).get("weights_sha256")) != digests[WEIGHTS]
        ):
            raise ModelArtefactError(
                f"{folder.name}: {name} was made with weights {str(named)[:12]}, "
                f"the file is {digests[WEIGHTS][:12]}"
            )
    try:
        name, polarity = str(card["name"]), Polarity(card["polarity"])
    except (KeyError, ValueError) as error:
        raise ModelArtefactError(
            f"{folder.name}/{CARD}: name or polarity missing or unknown: {error}"
        ) from error
    return ModelArtefact(
        folder=folder,
        name=name,
        sha256=digests[WEIGHTS],
        manifest_sha256=digests[MANIFEST],
        digest=combined_digest(digests),
        polarity=polarity,
        calibration=read_calibration(folder / CALIBRATION),
        card=card,
        trained_on=trained_on,
        trained_parts=trained_parts,
    )


def read_calibration(path: Path) -> CalibrationRecord:
    """The calibration record in `path`; its id is the first 12 hex digits of the file's sha256.

    Raises:
        ModelArtefactError: when the file is missing, damaged or lacks a key.
    """
    content = _read_mapping(path)
    try:
        return CalibrationRecord(
            calibration_id=file_sha256(path)[:12],
            method=str(content["method"]),
            parameters=tuple(float(p) for p in content["parameters"]),
            score_cut=float(content["score_cut"]),
            operating_probability=float(content["operating_probability"]),
            fitted_on=str(content["fitted_on"]),
            inherited_from=str(content.get("inherited_from") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelArtefactError(
            f"{path.parent.name}/{path.name}: not a calibration: {type(error).__name__} {error}"
        ) from error


def files_of(folder: Path) -> tuple[str, ...]:
    """Names of the files of the version in `folder`: the four `FILES`, and of the others those there are."""
    optional = (FAMILIARITY, GROUPS, RANGES, ZONE_PRIOR)
    return (*FILES, *(name for name in optional if (folder / name).is_file()))


def digest_files(folder: Path) -> dict[str, str]:
    """Hex sha256 of each of the files of a version.

    Raises:
        ModelArtefactError: when one is missing.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelArtefactError(f"{folder} is not a model version: {', '.join(missing)} missing")
    return {name: file_sha256(folder / name) for name in files_of(folder)}


def combined_digest(digests: Mapping[str, str]) -> str:
    """One hex sha256 for the digests of the files of a version, in the order of `files_of`."""
    return hashlib.sha256("\n".join(digests.values()).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hex sha256 of the bytes of `path`.

    Raises:
        ModelArtefactError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelArtefactError(f"cannot read {path.name}: {error.strerror}") from error


def _read_mapping(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ModelArtefactError(f"cannot read {path.parent.name}/{path.name}: {error}") from error
    if not isinstance(content, Mapping):
        raise ModelArtefactError(f"{path.parent.name}/{path.name}: expected keys and values")
    return content


def _training_images(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """sha256 of each training image, and the parts that they show."""
    images = _read_mapping(path)
    try:
        found = images["images"]
        parts = frozenset(f"series:{image['series']}" for image in found if image.get("series"))
        return frozenset(str(image["sha256"]) for image in found), parts
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelArtefactError(f"{path.parent.name}/{path.name}: an image lacks its sha256") from error

"""Every image that a version has seen: what trained or calibrated it or a version that it goes on from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.errors import ModelArtefactError, ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.registry.artefact import CALIBRATION, read_artefact

_VERSION = re.compile(r"(\S+) v(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a version and its ancestors have seen. "weld v3" names a version.

    Attributes:
        trained: sha256 of each image that trained one of them (of the file, or of the pixels of a rendered
            one), to the nearest version that it trained.
        calibrated: each part ("series:C0001") that fitted a calibrator and chose an operating point, to the
            nearest version.
        unknown: ancestors that are not registered here: what they saw is not known.
        parts: each part ("series:C0001") that images which trained one of them show, to the nearest version.
    """

    trained: Mapping[str, str]
    calibrated: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def trained_on(self) -> frozenset[str]:
        """The sha256 of each image that trained one of them."""
        return frozenset(self.trained)


def seen_by(models: ModelSource, version: ModelVersion, folder: Path) -> Seen:
    """What the version in `folder` has seen, along its lineage as the cards tell it.

    Raises:
        ModelArtefactError: files of one of the versions are damaged.
    """
    trained: dict[str, str] = {}
    calibrated: dict[str, str] = {}
    parts: dict[str, str] = {}
    unknown: list[str] = []
    met: set[str] = set()
    words: str | None = f"{version.name} v{version.version}"
    while words is not None and words not in met:
        met.add(words)
        artefact = read_artefact(folder)
        trained |= {digest: words for digest in artefact.trained_on if digest not in trained}
        parts |= {part: words for part in artefact.trained_parts if part not in parts}
        calibrated |= {part: words for part in calibration_parts(folder) if part not in calibrated}
        named = _VERSION.fullmatch(str(artefact.card.get("lineage") or ""))
        words = None if named is None else named[0]
        if named is not None:
            found = _folder_of(models, named[1], int(named[2]))
            if found is None:
                unknown.append(named[0])
                break
            folder = found
    return Seen(trained, calibrated, tuple(unknown), parts)


def calibration_parts(folder: Path) -> frozenset[str]:
    """The parts that calibrated a version, as its calibration file lists them; none where it does not.

    Raises:
        ModelArtefactError: the file cannot be read.
    """
    try:
        content = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelArtefactError(f"cannot read {folder.name}/{CALIBRATION}: {error}") from error
    return frozenset(str(part) for part in content.get("parts") or ())


def _folder_of(models: ModelSource, name: str, number: int) -> Path | None:
    """The folder of a version; None where it is not registered here."""
    try:
        return models.resolve(name, version=number)[1]
    except ModelNotFoundError:
        return None

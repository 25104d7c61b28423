"""The last answers of the registry, on disk, so that inference never waits for it."""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain.errors import ModelArtefactError
from core.domain.model_version import ModelVersion, VersionAbout
from core.registry.artefact import FILES, ModelArtefact, files_of, read_artefact


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One registered model as last seen: version number to artefact digest, alias to version number.

    `about` may lack versions that an earlier release wrote into the index.
    """

    versions: Mapping[int, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[int, VersionAbout] = field(default_factory=dict)


class VersionCache:
    """A JSON index and one immutable artefact folder a digest, below `root`.

    Every write replaces a file or folder in one step, so readers in other processes see the old
    state or the new one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._index = root / "registry.json"
        self._read: dict[str, ModelArtefact] = {}
        self._lock = threading.Lock()

    def known(self) -> dict[str, KnownModel]:
        """Every model by name; empty before the first registration.

        Raises:
            ModelArtefactError: when the index is damaged.
        """
        try:
            content = json.loads(self._index.read_text(encoding="utf-8"))
            return {name: _known_from(entry) for name, entry in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelArtefactError(
                f"the registry cache {self._index} is damaged ({error}); remove it and run `radikal setup`"
            ) from error

    def record(self, models: Mapping[str, KnownModel], *, as_of: float | None = None) -> None:
        """Replace the index.

        Args:
            models: all there are.
            as_of: when they were asked for, seconds since 1970; None for now.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        content = {name: _entry(model) for name, model in models.items()}
        handle, temporary = tempfile.mkstemp(dir=self._root, suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        if as_of is not None:
            os.utime(temporary, (as_of, as_of))
        Path(temporary).replace(self._index)

    def as_of(self) -> float | None:
        """When what the index holds was asked for, seconds since 1970; None when there is no index."""
        try:
            return self._index.stat().st_mtime
        except FileNotFoundError:
            return None

    def folder(self, digest: str) -> Path:
        """Folder of the artefact with that digest, whether it exists or not."""
        return self._root / "artefacts" / digest[:32]

    def has(self, digest: str) -> bool:
        """True when that artefact is here."""
        return all((self.folder(digest) / name).is_file() for name in FILES)

    def store(self, source: Path, digest: str) -> Path:
        """A copy of the files of the version in `source`; nothing to do when it is there already."""
        target = self.folder(digest)
        if self.has(digest):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            complete = Path(temporary) / "artefact"
            complete.mkdir()
            for name in files_of(source):
                shutil.copyfile(source / name, complete / name)
            if target.exists():
                shutil.rmtree(target)
            complete.rename(target)
        return target

    def artefact(self, digest: str) -> ModelArtefact:
        """The artefact with that digest; checked once a process.

        Raises:
            ModelArtefactError: when it is missing or its bytes have changed.
        """
        with self._lock:
            if digest not in self._read:
                artefact = read_artefact(self.folder(digest))
                if artefact.digest != digest:
                    raise ModelArtefactError(
                        f"the cached model {artefact.name} {digest[:12]} has changed on disk; "
                        f"remove {artefact.folder} and run `radikal setup`"
                    )
                self._read[digest] = artefact
            return self._read[digest]

    def version(self, model: KnownModel, number: int) -> tuple[ModelVersion, Path]:
        """One version with the aliases it bears, and its folder."""
        artefact = self.artefact(model.versions[number])
        aliases = tuple(sorted(alias for alias, bearer in model.aliases.items() if bearer == number))
        return artefact.as_version(number, aliases), artefact.folder


def _entry(model: KnownModel) -> dict[str, Any]:
    """The model as the index holds it."""
    return {
        "versions": {str(number): digest for number, digest in model.versions.items()},
        "aliases": dict(model.aliases),
        "about": {
            str(number): {
                "run_id": one.run_id,
                "registered_at": one.registered_at.isoformat() if one.registered_at else None,
                "author": one.author,
                "shipped_as": one.shipped_as,
            }
            for number, one in model.about.items()
        },
    }


def _known_from(entry: Mapping[str, Any]) -> KnownModel:
    return KnownModel(
        {int(number): str(digest) for number, digest in entry["versions"].items()},
        {str(alias): int(number) for alias, number in entry["aliases"].items()},
        {int(number): _about_from(about) for number, about in entry.get("about", {}).items()},
    )


def _about_from(entry: Mapping[str, Any]) -> VersionAbout:
    at = entry["registered_at"]
    return VersionAbout(
        str(entry["run_id"]),
        None if at is None else datetime.fromisoformat(at),
        str(entry["author"]),
        entry.get("shipped_as"),
    )

"""Model versions in MLflow, and what inference asks of them without waiting for MLflow."""

import logging
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import ModelNotFoundError, RegistryUnavailableError
from core.domain.model_version import ModelVersion
from core.registry.artefact import combined_digest, digest_files, read_artefact
from core.registry.mlflow_store import ARTEFACT_PATH, MlflowStore
from core.registry.version_cache import KnownModel, VersionCache

log = logging.getLogger(__name__)


class MlflowRegistry:
    """Registered models, versions and aliases, with a disk cache in front.

    `resolve`, `versions` and `names` answer from the cache and never touch MLflow, except that a name,
    version or alias the cache lacks is looked up once. `refresh` brings the cache up to date.

    Args:
        tracking_uri: "sqlite:///..." or the address of an MLflow server.
        cache_dir: for the cache, and for MLflow's artefacts when the store is SQLite.
        pyfunc_script: the model-from-code script that MLflow stores with each version.
    """

    def __init__(self, tracking_uri: str, cache_dir: Path, *, pyfunc_script: Path) -> None:
        self._store = MlflowStore(tracking_uri, cache_dir / "mlflow-artifacts", pyfunc_script)
        self._cache = VersionCache(cache_dir)
        self._lock = threading.RLock()

    def register(self, folder: Path, *, alias: str | None = None) -> int:
        """The version number of the artefact in `folder`, registered now or before.

        The same weights are the same version: when only card, calibration or manifest changed, that
        version's artefact is replaced and keeps its number.

        Raises:
            ModelArtefactError: when the folder is not a sound model version.
            RegistryUnavailableError: when MLflow does not answer.
        """
        artefact = read_artefact(folder)
        with self._lock:
            number = self._store.register(artefact)
            self._cache.store(folder, artefact.digest)
            known = self._cache.known()
            model = known.get(artefact.name, KnownModel())
            known[artefact.name] = KnownModel({**model.versions, number: artefact.digest}, model.aliases)
            self._cache.record(known)
            if alias is not None:
                self.set_alias(artefact.name, alias, number)
        return number

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let `alias` of the model point to `version`.

        Raises:
            ModelNotFoundError: when there is no such version.
            RegistryUnavailableError: when MLflow does not answer.
        """
        with self._lock:
            if version not in self._known(name).versions:
                raise ModelNotFoundError(self._unknown(name, f"version {version}"))
            self._store.set_alias(name, alias, version)
            known = self._cache.known()
            model = known[name]
            known[name] = KnownModel(model.versions, {**model.aliases, alias: version})
            self._cache.record(known)

    def names(self) -> list[str]:
        """The registered models that the cache knows."""
        return sorted(self._cache.known())

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model, lowest first.

        Raises:
            ModelNotFoundError: when there is no such model.
        """
        model = self._known(name)
        return [self._cache.version(model, number)[0] for number in sorted(model.versions)]

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version with that number, else the one that bears `alias`, and its artefact folder.

        Raises:
            ModelNotFoundError: when there is no such model, version or alias.
            ModelArtefactError: when its cached files are damaged.
        """
        wanted = f"version {version}" if version is not None else f"alias {alias!r}"
        model = self._known(name)
        number = version if version is not None else model.aliases.get(alias)
        if number not in model.versions and self.refresh():
            model = self._cache.known().get(name, model)
            number = version if version is not None else model.aliases.get(alias)
        if number is None or number not in model.versions:
            raise ModelNotFoundError(self._unknown(name, wanted))
        return self._cache.version(model, number)

    def registered_as(self, folder: Path) -> tuple[str, int] | None:
        """(name, version) when exactly these four files are registered, by the cache alone; else None.

        Takes milliseconds and does not load MLflow.

        Raises:
            ModelArtefactError: when the folder is not a model version.
        """
        if not self._store.has_database():
            return None
        digest = combined_digest(digest_files(folder))
        for name, model in self._cache.known().items():
            for number, known_digest in model.versions.items():
                if known_digest == digest and self._cache.has(digest):
                    return name, number
        return None

    def aliases(self, name: str) -> Mapping[str, int]:
        """Alias to version number of a model, by the cache; empty when it is unknown."""
        return self._cache.known().get(name, KnownModel()).aliases

    def is_reachable(self) -> bool:
        """True when MLflow answers now."""
        return self._store.is_reachable()

    def refresh(self) -> bool:
        """Bring names, versions, aliases and artefacts of the cache up to date with MLflow.

        Returns:
            False, and the cache as it was, when MLflow does not answer.
        """
        try:
            with self._lock, tempfile.TemporaryDirectory() as temporary:
                self._cache.record(
                    {
                        name: self._fetch(name, entry, Path(temporary))
                        for name, entry in self._store.models().items()
                    }
                )
        except RegistryUnavailableError as error:
            log.warning("%s; answering from the cache", error)
            return False
        return True

    def _fetch(self, name: str, entry: Mapping[str, Any], temporary: Path) -> KnownModel:
        """The model with every artefact that the cache lacks downloaded."""
        for number, digest in entry["versions"].items():
            if not self._cache.has(digest):
                folder = self._store.download(name, number, temporary / f"{name}-{number}")
                self._cache.store(folder / ARTEFACT_PATH, digest)
        return KnownModel(entry["versions"], entry["aliases"])

    def _known(self, name: str) -> KnownModel:
        known = self._cache.known()
        if name not in known and self.refresh():
            known = self._cache.known()
        if name not in known:
            names = ", ".join(sorted(known)) or "none, run `radikal setup`"
            raise ModelNotFoundError(f"no registered model {name!r}; known: {names}")
        return known[name]

    def _unknown(self, name: str, wanted: str) -> str:
        model = self._cache.known().get(name, KnownModel())
        known = ", ".join(f"{number}" for number in sorted(model.versions))
        aliases = ", ".join(f"{alias} -> {number}" for alias, number in sorted(model.aliases.items()))
        return f"model {name!r} has no {wanted}; versions: {known}; aliases: {aliases or 'none'}"

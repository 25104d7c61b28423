"""Model versions in MLflow, and what inference asks of them without waiting for MLflow."""

import logging
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.domain.errors import ModelArtefactError, ModelNotFoundError, RegistryUnavailableError
from core.domain.model_version import ModelVersion, VersionAbout, VersionEntry
from core.registry.artefact import combined_digest, digest_files, read_artefact
from core.registry.curve_plots import Plot
from core.registry.mlflow_store import ARTEFACT_PATH, MlflowStore
from core.registry.version_cache import KnownModel, VersionCache

log = logging.getLogger(__name__)
#: Files of a version that could not be downloaded are asked for again after so long.
_RETRY_S = 60.0


class MlflowRegistry:
    """Registered models, versions and aliases, with a disk cache in front.

    `resolve`, `versions` and `names` answer from the cache and never touch MLflow, except that a name,
    version or alias the cache lacks is looked up once. `refresh` brings the cache up to date; `is_stale`
    tells cheaply whether that may be needed.

    Args:
        tracking_uri: "sqlite:///..." or the address of an MLflow server.
        cache_dir: for the cache, and for MLflow's artefacts when the store is SQLite.
        pyfunc_script: the model-from-code script that MLflow stores with each version.
    """

    def __init__(self, tracking_uri: str, cache_dir: Path, *, pyfunc_script: Path) -> None:
        self._store = MlflowStore(tracking_uri, cache_dir / "mlflow-artifacts", pyfunc_script)
        self._cache = VersionCache(cache_dir)
        self._lock = threading.RLock()
        self._seen_mark: float | None = None
        self._is_away = False
        self._retry_at: dict[str, float] = {}

    def register(
        self, folder: Path, *, alias: str | None = None, author: str = "", shipped_as: int | None = None
    ) -> int:
        """The version number of the artefact in `folder`, registered now or before.

        The same weights are the same version: when only card, calibration or manifest changed, that
        version's artefact is replaced and keeps its number.

        Args:
            folder: holds the artefact.
            alias: to point to it.
            author: id of the account that had it made; empty when nobody did.
            shipped_as: the number it ships under. It gets that number unless the registry is past it, then
                the next one; numbers between are left out.

        Raises:
            ModelArtefactError: when the folder is not a sound model version.
            RegistryUnavailableError: when MLflow does not answer.
        """
        artefact = read_artefact(folder)
        with self._lock:
            number, about = self._store.register(artefact, author=author, shipped_as=shipped_as)
            self._cache.store(folder, artefact.digest)
            known = self._cache.known()
            model = known.get(artefact.name, KnownModel())
            known[artefact.name] = KnownModel(
                {**model.versions, number: artefact.digest}, model.aliases, {**model.about, number: about}
            )
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
            known[name] = replace(model, aliases={**model.aliases, alias: version})
            self._cache.record(known)

    def log_figures(self, name: str, version: int, file_name: str, figures: Mapping[str, Any]) -> None:
        """Store figures as a JSON file in the run of a version, plain numbers as metrics too.

        Raises:
            RegistryUnavailableError: when MLflow does not answer.
        """
        self._store.log_figures(name, version, file_name, figures)

    def log_plot(self, name: str, version: int, file_name: str, plot: Plot) -> None:
        """Store a plot as a PNG file in the run of a version.

        Raises:
            RegistryUnavailableError: when MLflow does not answer.
        """
        self._store.log_plot(name, version, file_name, plot)

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

    def entries(self, name: str) -> list[VersionEntry]:
        """Every version of a model as the cache knows it, newest first; damaged ones say so.

        Raises:
            ModelNotFoundError: when there is no such model.
        """
        model = self._known(name)
        return [self._entry(model, number) for number in sorted(model.versions, reverse=True)]

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

    def as_of(self) -> datetime | None:
        """When MLflow was last asked with success, by whichever process; None when it never was."""
        as_of = self._cache.as_of()
        return None if as_of is None else datetime.fromtimestamp(as_of, UTC)

    def is_stale(self) -> bool:
        """False when a SQLite store was not written to since the cache was filled; a server is always asked.

        Takes microseconds and does not load MLflow.
        """
        mark = self._store.mark()
        if mark is None:
            return True
        return mark != self._seen_mark and mark > (self._cache.as_of() or -1.0)

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
                mark, as_of = self._store.mark(), time.time()
                models = self._store.models()
                for name, model in models.items():
                    self._fetch(name, model, Path(temporary))
                self._cache.record(models, as_of=as_of)
                self._seen_mark = mark
        except RegistryUnavailableError as error:
            if not self._is_away:
                log.warning("%s; answering from the cache", error)
            self._is_away = True
            return False
        if self._is_away:
            log.info("MLflow answers again")
        self._is_away = False
        return True

    def _fetch(self, name: str, model: KnownModel, temporary: Path) -> None:
        """Download every artefact that the cache lacks; one that cannot be had is left for later."""
        for number, digest in model.versions.items():
            if self._cache.has(digest) or time.monotonic() < self._retry_at.get(digest, 0.0):
                continue
            try:
                folder = self._store.download(name, number, temporary / f"{name}-{number}")
                self._cache.store(folder / ARTEFACT_PATH, digest)
            except (RegistryUnavailableError, OSError) as error:
                if not self._store.is_reachable():
                    raise RegistryUnavailableError(str(error)) from error
                log.warning("the files of %s v%d cannot be had: %s", name, number, error)
                self._retry_at[digest] = time.monotonic() + _RETRY_S

    def _entry(self, model: KnownModel, number: int) -> VersionEntry:
        digest = model.versions[number]
        folder = self._cache.folder(digest)
        about = model.about.get(number, VersionAbout())
        aliases = tuple(sorted(alias for alias, bearer in model.aliases.items() if bearer == number))
        try:
            artefact = self._cache.artefact(digest)
        except ModelArtefactError as error:
            return VersionEntry(number, aliases, about, folder, None, problem=str(error))
        version = artefact.as_version(number, aliases)
        return VersionEntry(
            number, aliases, about, folder, version, artefact.manifest_sha256, len(artefact.trained_on)
        )

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

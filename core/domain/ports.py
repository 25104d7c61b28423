"""Ports: small interfaces that adapters implement."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.domain.model_version import ModelVersion, VersionEntry


class RunLog(Protocol):
    """Log of a training run: its parameters and the figures it reached."""

    def parameters(self, values: Mapping[str, str | float | int]) -> None:
        """Record the inputs of the run."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record figures reached at `step`."""


class JobLog(Protocol):
    """Log of a long job: its progress, and whether it should stop."""

    def progress(self, done: int, total: int, message: str) -> None:
        """Record that `done` of `total` units of work are finished."""

    def is_cancelled(self) -> bool:
        """True when the user asked the job to stop."""


class ModelSource(Protocol):
    """Source of registered model versions."""

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and the folder of its artefacts; `version` wins over `alias`.

        Raises:
            ModelNotFoundError: when there is no such model, version or alias.
        """


class Registry(ModelSource, Protocol):
    """Registered models, versions and aliases. Everything but changes and `refresh` comes from its cache."""

    def names(self) -> list[str]:
        """The registered models."""

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model, lowest first.

        Raises:
            ModelNotFoundError: when there is no such model.
        """

    def entries(self, name: str) -> list[VersionEntry]:
        """Every version of a model, newest first; damaged ones say so.

        Raises:
            ModelNotFoundError: when there is no such model.
        """

    def aliases(self, name: str) -> Mapping[str, int]:
        """Alias to version number of a model; empty when it is unknown."""

    def registered_as(self, folder: Path) -> tuple[str, int] | None:
        """(name, version) when exactly the artefact in `folder` is registered; else None."""

    def register(
        self, folder: Path, *, alias: str | None = None, author: str = "", shipped_as: int | None = None
    ) -> int:
        """The version number of the artefact in `folder`, registered now or before.

        With `shipped_as` it gets that number unless the registry is past it.

        Raises:
            ModelArtefactError: when the folder is not a sound model version.
            RegistryUnavailableError: when the registry does not answer.
        """

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let `alias` of the model point to `version`.

        Raises:
            ModelNotFoundError: when there is no such version.
            RegistryUnavailableError: when the registry does not answer.
        """

    def refresh(self) -> bool:
        """Bring the cache up to date; False, and the cache as it was, when the registry does not answer."""

    def is_stale(self) -> bool:
        """True when the registry may know something newer than the cache."""

    def is_reachable(self) -> bool:
        """True when the registry itself answers now."""

    def as_of(self) -> datetime | None:
        """When the registry was last asked with success, by whichever process; None when it never was."""

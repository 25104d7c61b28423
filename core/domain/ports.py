"""Ports: small interfaces that adapters implement."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from core.domain.model_version import ModelVersion


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

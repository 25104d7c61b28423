"""Which model versions are in charge, asked of the registry at most every few seconds."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from core.domain.model_version import ModelVersion

_FRESH_S = 2.0


class Resolves(Protocol):
    """What is needed of the registry."""

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version that bears the alias, and its folder."""


class Champions:
    """The champion of each registered model, remembered for two seconds."""

    def __init__(self, registry: Resolves, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._known: dict[str, tuple[float, ModelVersion]] = {}
        self._lock = threading.Lock()

    def champion(self, name: str) -> ModelVersion:
        """The champion of the model `name`.

        Raises:
            ModelNotFoundError: nothing of that name is registered, or nothing is champion.
        """
        with self._lock:
            asked_at, version = self._known.get(name, (-1e9, None))
            if version is None or self._clock() - asked_at > _FRESH_S:
                version, _ = self._registry.resolve(name)
                self._known[name] = (self._clock(), version)
            return version

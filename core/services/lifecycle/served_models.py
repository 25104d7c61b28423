"""The versions that serve in this process: changed only once their network is loaded and warm."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.domain.errors import ModelNotFoundError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.ports import Registry
from core.domain.serving import CHAMPION
from core.store.clock import now_utc

log = logging.getLogger(__name__)

Served = tuple[ModelVersion, Path]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a version that bears the alias does not serve here, and since when; UTC."""

    version: int
    reason: str
    since: datetime


class ServedModels:
    """A source of models that is in front of the registry. Safe to share between threads.

    Until `take_over` was called for a model, its champion is whatever the registry says. From then on it is
    the version that took over last, so that an alias that moves is noticed by nobody who detects until the
    version that it points to is warm. Other aliases and numbered versions always come from the registry.

    Args:
        registry: knows aliases and files.
        clock: tells the time, UTC.
    """

    def __init__(self, registry: Registry, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._registry = registry
        self._clock = clock
        self._serving: dict[str, Served] = {}
        self._refused: dict[str, Refusal] = {}
        self._lock = threading.Lock()  # of the dictionaries; held for moments
        self._taking_over = threading.Lock()  # one version is loaded at a time

    def resolve(self, name: str, *, version: int | None = None, alias: str = CHAMPION) -> Served:
        """The version and the folder of its artefacts; `version` wins over `alias`.

        Raises:
            ModelNotFoundError: when there is no such model, version or alias.
        """
        if version is None and alias == CHAMPION:
            with self._lock:
                serving = self._serving.get(name)
            if serving is not None:
                return serving
        return self._registry.resolve(name, version=version, alias=alias)

    def champion(self, name: str) -> ModelVersion:
        """The version that answers as champion in this process.

        Raises:
            ModelNotFoundError: nothing of that name is registered, or nothing is champion.
        """
        return self.resolve(name)[0]

    def is_reachable(self) -> bool:
        """True when the registry itself answers now."""
        return self._registry.is_reachable()

    def refused(self, name: str) -> Refusal | None:
        """The reason why the champion of the registry does not serve here; None when it does."""
        with self._lock:
            return self._refused.get(name)

    def take_over(self, name: str, warm_up: Callable[[ModelVersion], None]) -> ModelVersion | None:
        """The version that serves now as champion: that of the registry, once `warm_up` has run it.

        When it cannot be had or loaded, whatever served goes on serving and `refused` says why; None when
        nothing does.
        """
        with self._taking_over:
            try:
                version, folder = self._registry.resolve(name)
            except ModelNotFoundError:
                return self._still(name)
            except WorkbenchError as error:
                self._refuse(name, 0, error)
                return self._still(name)
            with self._lock:
                serving = self._serving.get(name)
            if serving is not None and serving[1] == folder and serving[0].version == version.version:
                self._publish(name, (version, folder))
                return version
            try:
                warm_up(version)
            except WorkbenchError as error:
                self._refuse(name, version.version, error)
                return self._still(name)
            self._publish(name, (version, folder))
            log.info("%s v%d serves", name, version.version)
            return version

    def serving(self) -> Iterator[ModelVersion]:
        """The versions that took over in this process."""
        with self._lock:
            served = list(self._serving.values())
        return (version for version, _ in served)

    def _publish(self, name: str, served: Served) -> None:
        with self._lock:
            self._serving[name] = served
            self._refused.pop(name, None)

    def _refuse(self, name: str, version: int, error: WorkbenchError) -> None:
        with self._lock:
            known = self._refused.get(name)
            if known is not None and (known.version, known.reason) == (version, str(error)):
                return
            self._refused[name] = Refusal(version, str(error), self._clock())
        log.error("the champion of %s does not serve: %s", name, error)

    def _still(self, name: str) -> ModelVersion | None:
        with self._lock:
            served = self._serving.get(name)
        return None if served is None else served[0]

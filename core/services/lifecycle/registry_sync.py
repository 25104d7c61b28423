"""Keeping up with MLflow in the background, so that nobody who detects waits for it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.domain.model_version import ModelVersion
from core.domain.ports import Registry
from core.services.lifecycle.alias_history import AliasHistory
from core.services.lifecycle.served_models import ServedModels
from core.store.clock import now_utc

log = logging.getLogger(__name__)
EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class RegistryState:
    """Freshness of the registry's cache.

    Attributes:
        as_of: when MLflow last answered, UTC; None when it never did.
        away_since: since when it has not answered; None while it does.
    """

    as_of: datetime | None
    away_since: datetime | None

    @property
    def is_away(self) -> bool:
        """True when what is shown comes from the cache because MLflow does not answer."""
        return self.away_since is not None


class RegistrySync:
    """Every two seconds: asks MLflow, lets a new champion take over once it is warm, keeps what changed.

    Args:
        registry: with its cache.
        served: who serves in this process.
        serving: keeps the changes.
        warm_up: loads a version and runs it once.
        clock: tells the time, UTC.
    """

    def __init__(
        self,
        registry: Registry,
        served: ServedModels,
        serving: AliasHistory,
        warm_up: Callable[[ModelVersion], None],
        *,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._registry = registry
        self._served = served
        self._serving = serving
        self._warm_up = warm_up
        self._clock = clock
        self._away_since: datetime | None = None
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own: the champions that the cache knows are loaded first."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="registry-sync", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop; what is being asked is waited for, at most half a minute."""
        self._is_closed.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def state(self) -> RegistryState:
        """The freshness of the cache."""
        return RegistryState(self._registry.as_of(), self._away_since)

    def tick(self) -> None:
        """Once: ask when there may be news, take over, keep what changed."""
        if self._registry.is_stale():
            self._note(is_answering=self._registry.refresh())
        self.take_over_all()
        if self._away_since is None:
            self._serving.observe()

    def take_over_all(self) -> None:
        """Let every champion that the cache knows serve, as soon as it is warm."""
        for name in self._registry.names():
            if not self._is_closed.is_set():
                self.take_over(name)

    def take_over(self, name: str) -> ModelVersion | None:
        """The version of this model that serves now; see `ServedModels.take_over`."""
        return self._served.take_over(name, self._warm_up)

    def _note(self, *, is_answering: bool) -> None:
        if is_answering:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = self._clock()

    def _run(self) -> None:
        first, told = True, ""
        while not self._is_closed.is_set():
            try:
                if first:
                    self.take_over_all()
                self.tick()
                if first:
                    self._read_cards()
                first, told = False, ""
            except Exception as error:
                if told != (told := repr(error)):  # every two seconds the same would hide all else
                    log.exception("the registry could not be looked after; trying again")
            self._is_closed.wait(EVERY_S)

    def _read_cards(self) -> None:
        """Read every card once, so that the page of versions does not have to."""
        for name in self._registry.names():
            self._registry.entries(name)

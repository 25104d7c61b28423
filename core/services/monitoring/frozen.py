"""A version that came into use cannot change: its files are kept by digest, and checked when it is loaded."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from core.domain.accounts import COMMAND_LINE, SYSTEM
from core.domain.errors import ModelArtefactError, ModelNotFoundError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.ports import Registry
from core.domain.serving import CHALLENGER, CHAMPION, NO_VERSION
from core.registry.artefact import CARD, WEIGHTS, digest_files
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
#: The files of versions in use are read again this often, s.
EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class FrozenState:
    """One version in use.

    Attributes:
        since: since when its files may not change; None where it just came into use.
        problem: what changed; empty where nothing did.
    """

    model: str
    version: int
    since: datetime | None
    problem: str


class FrozenService:
    """Keeps the digests of versions in use and compares their files with them.

    Args:
        store: the real one.
        registry: knows which are in use, and where their files lie.
        clock: seconds since whenever.
    """

    def __init__(
        self, store: Store, registry: Registry, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._looked_at = -EVERY_S
        self._last: tuple[FrozenState, ...] = ()

    def require(self, version: ModelVersion, folder: Path) -> None:
        """Return when the files in the folder are those that came into use, or never came into use.

        A database that is away refuses nothing: weights, card and calibration are checked against each
        other all the same.

        Raises:
            ModelArtefactError: it was in use, and a file is another one now.
        """
        try:
            with self._store.read() as work:
                known = work.frozen.of(version.name, version.version)
        except SQLAlchemyError:
            log.warning("whether %s v%d is as it came into use cannot be told", version.name, version.version)
            return
        if known is None:
            return
        files, since = known
        changed = sorted(_changed(files, digest_files(folder)))
        if changed:
            raise ModelArtefactError(
                f"{version.name} v{version.version} is in use since {since:%Y-%m-%d %H:%M} UTC and may not "
                f"change, but {', '.join(changed)} did: restore it from a backup, or register what is new as "
                "a version of its own"
            )

    def changed(self, model: str, version: int, folder: Path) -> frozenset[str] | None:
        """Names of the files in the folder that are others than those that came into use.

        None where the version never came into use, or one of other weights did under its number.
        """
        with self._store.read() as work:
            known = work.frozen.of(model, version)
        now = digest_files(folder)
        if known is None or known[0].get(WEIGHTS) != now[WEIGHTS]:
            return None
        return _changed(known[0], now)

    def renew_card(self, model: str, version: int, folder: Path) -> None:
        """Let the card in the folder count as that of the version: a release says more of what it is.

        Raises:
            UnknownRecordError: the version never came into use.
            ModelArtefactError: another file is a new one, too.
        """
        now = digest_files(folder)
        with self._store.write() as work:
            known = work.frozen.of(model, version)
            if known is not None and not _changed(known[0], now) <= {CARD}:
                raise ModelArtefactError(f"{model} v{version} is in use: only its card may be renewed")
            work.frozen.save(model, version, now)
            work.audit.record(
                COMMAND_LINE,
                action="model.card_renewed",
                object_type="model_version",
                object_id=f"{model}/{version}",
                before={"files": {} if known is None else dict(known[0])},
                after={"files": now},
            )

    def look_after(self) -> bool:
        """Freeze what came into use and look at all files again, every ten minutes; True when it looked."""
        if self._clock() - self._looked_at < EVERY_S:
            return False
        self._looked_at = self._clock()
        self._last = self.check()
        return True

    def check(self) -> tuple[FrozenState, ...]:
        """Every version in use with what changed; those that just came into use are frozen now."""
        found: dict[tuple[str, int], FrozenState] = {}
        for name in self._registry.names():
            for alias in (CHAMPION, CHALLENGER):
                try:
                    version, folder = self._registry.resolve(name, alias=alias)
                except ModelNotFoundError:
                    continue  # nothing bears the alias
                except WorkbenchError as error:
                    number = self._registry.aliases(name).get(alias, NO_VERSION)
                    found.setdefault((name, number), self._damaged(name, number, error))
                    continue
                found.setdefault((name, version.version), self._state(version, folder))
        return tuple(found.values())

    def problems(self) -> tuple[str, ...]:
        """What changed, as far as the last look told."""
        return tuple(one.problem for one in self._last if one.problem)

    def _damaged(self, name: str, number: int, error: WorkbenchError) -> FrozenState:
        with self._store.read() as work:
            known = work.frozen.of(name, number)
        return FrozenState(name, number, None if known is None else known[1], str(error))

    def _state(self, version: ModelVersion, folder: Path) -> FrozenState:
        with self._store.read() as work:
            known = work.frozen.of(version.name, version.version)
        if known is None:
            self._freeze(version, folder)
            return FrozenState(version.name, version.version, None, "")
        try:
            self.require(version, folder)
        except ModelArtefactError as error:
            log.error("%s", error)  # told, as whoever loads it is
            return FrozenState(version.name, version.version, known[1], str(error))
        return FrozenState(version.name, version.version, known[1], "")

    def _freeze(self, version: ModelVersion, folder: Path) -> None:
        files = digest_files(folder)
        with self._store.write() as work:
            if work.frozen.of(version.name, version.version) is not None:
                return
            work.frozen.add(version.name, version.version, files, work.now)
            work.audit.record(
                SYSTEM,
                action="model.frozen",
                object_type="model_version",
                object_id=f"{version.name}/{version.version}",
                after={"files": files},
                details={"model_sha256": version.sha256},
            )


def _changed(files: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in {*files, *now} if files.get(name) != now.get(name))

"""What has to be right before and while the product serves, looked at now."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.audit.chain import Keyring
from core.audit.key_state import key_problem
from core.domain.errors import ModelNotFoundError, WorkbenchError
from core.domain.kinds import MODEL_NAMES, is_for_new_parts
from core.domain.ports import ModelSource
from core.registry.artefact import WEIGHTS, file_sha256
from core.store.condition import known_film, knows_images, log_end, schema_problem
from core.store.object_blobs import ObjectBlobs
from core.store.objects import ObjectStoreError

_MIB = 2**20
#: A restore puts everything into a folder of such a name first; while there is one, nothing is whole yet.
RESTORING = ".restoring-"
#: Below this nothing is begun: a film and SQLite's log would not fit any more.
FULL_BYTES = 128 * _MIB
#: Below this, or twice the largest upload, somebody should make room.
_LOW_BYTES = 1024 * _MIB


class ReachableModels(ModelSource, Protocol):
    """The part of the registry that is looked at."""

    def is_reachable(self) -> bool:
        """True when the registry itself answers now."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be right.

    Attributes:
        name: `database`, `signing_key`, `data_folder`, `originals`, `disk`, `registry` or `models`.
        problem: what is wrong, what is safe and what to do; None when it is right.
        is_vital: with this problem nothing should be served.
        facts: more for the health report.
    """

    name: str
    problem: str | None = None
    is_vital: bool = True
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """Files and folders of an installation.

    Attributes:
        data_dir: everything that is written.
        originals: the films in it.
        database_file: of SQLite; None for a server.
        upload_limit_bytes: largest file that may be handed in.
    """

    data_dir: Path
    originals: Path
    database_file: Path | None
    upload_limit_bytes: int


class CheckService:
    """Looks at database, signing key, folders, disk, registry and weights. Changes nothing, never raises.

    Args:
        database: at whatever schema.
        ring: gives the keys that are known; may raise a `WorkbenchError`.
        places: files and folders.
        registry: the models, None to leave them out.
        remote: the originals, where an object store keeps them.
        is_key_kept: tells whether the key is where the next start will look for it.
        names: of the models; one for new parts need not be registered.
        free_and_total: bytes of the file system that holds a folder.
    """

    def __init__(
        self,
        *,
        database: Engine,
        ring: Callable[[], Keyring],
        places: Places,
        registry: ReachableModels,
        is_key_kept: Callable[[], bool] = lambda: True,
        remote: ObjectBlobs | None = None,
        names: Sequence[str] = MODEL_NAMES,
        free_and_total: Callable[[Path], tuple[int, int]] = lambda folder: _free_and_total(folder),
    ) -> None:
        self._database = database
        self._ring = ring
        self._places = places
        self._registry = registry
        self._is_key_kept = is_key_kept
        self._remote = remote
        self._names = tuple(names)
        self._free_and_total = free_and_total
        self._digests: dict[Path, tuple[tuple[int, int], str]] = {}

    def all(self) -> tuple[Check, ...]:
        """Every check, the most basic first."""
        return (*self.vital(), self.registry(), *(self.model(name) for name in self.models()))

    def vital(self) -> tuple[Check, ...]:
        """Those that nothing works without; they take milliseconds."""
        database = self.database()
        if database.problem is not None:  # what the others ask of it would fail alike
            return (database, self.data_folder(), self.disk())
        return (database, self.signing_key(), self.data_folder(), self.originals(), self.disk())

    def database(self) -> Check:
        """That it answers, at the schema of this release, and can be written."""
        try:
            problem = schema_problem(self._database)
        except (WorkbenchError, SQLAlchemyError) as error:
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            return Check("database", f"DATABASE_URL: {told}", facts={"reachable": False})
        facts = {"reachable": True, "schema": "other" if problem else "current"}
        if problem is None and (file := self._places.database_file) is not None:
            fixed = [path for path in (file.parent, file) if not os.access(path, os.W_OK)]
            if not file.exists():
                problem = f"DATABASE_URL: there is no file {file} any more; {_GONE}"
            elif fixed:
                problem = f"DATABASE_URL: {fixed[0]} cannot be written; {_READ_ONLY}"
        return Check("database", problem, facts=facts)

    def signing_key(self) -> Check:
        """That the key which seals now is the one that sealed the newest event, and that it is kept."""
        try:
            problem = key_problem(log_end(self._database), self._ring())
            is_kept = self._is_key_kept()
        except (WorkbenchError, SQLAlchemyError, OSError) as error:
            return Check("signing_key", str(error))
        if problem is None and not is_kept:
            return Check("signing_key", _KEY_GONE, is_vital=False)
        return Check("signing_key", problem)

    def data_folder(self) -> Check:
        """That the folder of everything is there and can be written."""
        folder = self._places.data_dir
        if not folder.is_dir():
            return Check("data_folder", f"DATA_DIR: there is no folder {folder}: run `radikal setup` first")
        if not os.access(folder, os.W_OK | os.X_OK):
            return Check("data_folder", f"DATA_DIR: {folder} cannot be written; {_READ_ONLY}")
        if any(folder.glob(f"{RESTORING}*")):
            return Check(
                "data_folder",
                f"DATA_DIR: a restore into {folder} is under way, or was cut off; wait for it, or empty the "
                "folder and restore again. The backup is as it was",
            )
        return Check("data_folder")

    def originals(self) -> Check:
        """That the films are there, where the database knows some."""
        if self._remote is not None:
            return self._remote_originals(self._remote)
        folder = self._places.originals
        try:
            is_missing = not folder.is_dir() and knows_images(self._database)
        except (WorkbenchError, SQLAlchemyError) as error:
            return Check("originals", str(error))
        if is_missing:
            return Check(
                "originals",
                f"DATA_DIR: the folder of original films {folder} is missing, but the database knows films; "
                "nothing was changed. Is the disk with it mounted? Else restore it from a backup",
            )
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            return Check("originals", f"DATA_DIR: {folder} cannot be written; {_READ_ONLY}")
        return Check("originals")

    def _remote_originals(self, remote: ObjectBlobs) -> Check:
        try:
            problem = remote.problem(known_film(self._database))
        except ObjectStoreError as error:  # what was read before can still be looked at
            return Check("originals", str(error), is_vital=False, facts={"reachable": False})
        except (WorkbenchError, SQLAlchemyError) as error:
            return Check("originals", str(error))
        return Check("originals", problem, facts={"reachable": True})

    def disk(self) -> Check:
        """That there is room for what will be written."""
        try:
            free, total = self._free_and_total(self._places.data_dir)
        except OSError as error:
            return Check("disk", f"DATA_DIR: {error.strerror or error}", is_vital=False)
        needed = max(_LOW_BYTES, 2 * self._places.upload_limit_bytes)
        facts = {"free_mib": free // _MIB, "total_mib": total // _MIB}
        told = f"DATA_DIR: {free // _MIB} MiB are free on the disk of {self._places.data_dir}"
        if free < FULL_BYTES:
            full = f"{told}, too little to go on; what was stored is safe. Make room, then start again"
            return Check("disk", full, facts=facts)
        low = f"{told}, less than {needed // _MIB} MiB: make room soon" if free < needed else None
        return Check("disk", low, is_vital=False, facts=facts)

    def registry(self) -> Check:
        """That MLflow answers; without it the cached models serve."""
        if self._registry.is_reachable():
            return Check("registry", is_vital=False, facts={"reachable": True})
        return Check("registry", _NO_REGISTRY, is_vital=False, facts={"reachable": False})

    def models(self) -> tuple[str, ...]:
        """The models that should be usable: all but one for new parts that is not registered."""
        return tuple(one for one in self._names if not is_for_new_parts(one) or self._is_registered(one))

    def model(self, name: str) -> Check:
        """That the champion of this model has its files, and they are what was registered."""
        try:
            version, folder = self._registry.resolve(name)
            problem: str | None = self._weights_problem(folder / WEIGHTS, version.sha256)
        except ModelNotFoundError as error:
            return Check("models", str(error), is_vital=False, facts={"model": name})
        except WorkbenchError as error:
            problem = str(error)
        told = None if problem is None else f"{name}: {problem}; it cannot be used, other models can"
        return Check("models", told, is_vital=False, facts={"model": name})

    def _is_registered(self, name: str) -> bool:
        try:
            self._registry.resolve(name)
        except ModelNotFoundError:
            return False
        except WorkbenchError:
            return True
        return True

    def _weights_problem(self, path: Path, sha256: str) -> str | None:
        try:
            state = path.stat()
        except FileNotFoundError:
            return "the weights of this version are missing"
        mark = (state.st_size, state.st_mtime_ns)
        if (known := self._digests.get(path)) is None or known[0] != mark:
            known = (mark, file_sha256(path))  # of 12 MB, hence only when the file was touched
            self._digests[path] = known
        return None if known[1] == sha256 else "the weights of this version have changed on disk"


def problems(checks: Iterable[Check], *, is_vital: bool) -> Iterator[str]:
    """The sentences of what is wrong and vital, or not vital."""
    return (check.problem for check in checks if check.problem is not None and check.is_vital is is_vital)


_NO_REGISTRY = (
    "MLFLOW_TRACKING_URI: the registry does not answer; models are served from the cache, none can be added "
    "or promoted"
)
_GONE = (
    "what is said from now on would be lost with this process. Stop RadiKal. Is the disk with it mounted? "
    "Else restore it from a backup"
)
_KEY_GONE = (
    "DATA_DIR: the file with the signing key is missing or holds another key. This process still has the key "
    "and goes on, but the next start would be refused: put the file back from its backup now"
)
_READ_ONLY = (
    "what was stored is safe, but nothing can be saved. Give the user that runs RadiKal the right to write, "
    "or mount it for writing"
)


def _free_and_total(folder: Path) -> tuple[int, int]:
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total

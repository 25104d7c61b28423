"""Making a backup while the product serves: anchors, database, registry, files, in this order."""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from core.domain.errors import BackupDamagedError, BackupPlaceError
from core.services.operations.checks import FULL_BYTES
from core.store.backups.manifest import BackupFile, FileRole, Manifest
from core.store.backups.place import BackupPlace, pieces_of
from core.store.backups.snapshots import (
    POSTGRESQL_FILE,
    REGISTRY_FILE,
    SQLITE_FILE,
    Snapshot,
    copy_sqlite,
    dumped_postgresql,
    sqlite_state,
)
from core.store.blobs import BlobDamagedError, BlobNotFoundError
from core.store.clock import now_utc
from core.store.object_blobs import CACHE, ObjectBlobs
from core.store.private_files import FOLDER_MODE

ANCHORS, ORIGINALS, KEY_FILES = "audit/anchors.jsonl", "originals", ("signing.key", "signing.key.previous")
_COPYING = ".backup-"
#: In the data folder, and never worth keeping: guests' workspaces, files that nobody took from the page yet.
_LEFT_OUT = frozenset({"demo", "tmp", "uploads", CACHE, *KEY_FILES})
#: Files that are being written, or were when somebody was killed.
_PARTIAL = re.compile(r"\.(incoming-|restoring-|backup-|signing\.key)")
_BESIDE_SQLITE = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Sources:
    """What is copied.

    Attributes:
        data_dir: everything that is written.
        database: RadiKal's.
        database_file: of SQLite; None for a server.
        registry_file: of MLflow's SQLite store; None for a server, which has to be backed up by itself.
        remote: the originals, where an object store keeps them.
        settings: lines of an `.env` file without secrets.
        product: version of the program.
    """

    data_dir: Path
    database: Engine
    database_file: Path | None
    registry_file: Path | None
    remote: ObjectBlobs | None
    settings: tuple[str, ...]
    product: str


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was made and read back.

    Attributes:
        name: of the backup.
        manifest: what it holds.
        n_new, new_bytes: contents that the place did not hold before.
    """

    name: str
    manifest: Manifest
    n_new: int
    new_bytes: int


def back_up(
    place: BackupPlace,
    sources: Sources,
    *,
    clock: Callable[[], datetime] = now_utc,
    progress: Callable[[int], None] = lambda _: None,
) -> BackedUp:
    """A new backup; the place has to be locked.

    The anchors are read before the database, so that none is of an event that the copy lacks; the files
    after it, so that every row of the copy finds its file. What cannot be read is a problem in the manifest,
    and the rest is kept. The signing key goes only into an encrypted place.

    Args:
        place: holds the backups.
        sources: what is copied.
        clock: tells the time, UTC.
        progress: told how many files are done.

    Raises:
        BackupDamagedError: the database could not be copied, or what was written cannot be read back.
        BackupPlaceError: the place lies in the data folder, or there is no room for a copy of the database.
        OSError: the place cannot be written.
    """
    require_apart(place.folder, sources.data_dir)
    run = _Run(place, sources, progress)
    begun_at = clock()
    run.add_anchors()
    with _database(place, sources) as snapshot:
        name = SQLITE_FILE if sources.database_file is not None else POSTGRESQL_FILE
        run.add(name, FileRole.DATABASE, snapshot.pieces)
    if sources.registry_file is not None and sources.registry_file.is_file():
        with _copied(place, sources.data_dir, sources.registry_file) as copy:
            run.add(REGISTRY_FILE, FileRole.REGISTRY, pieces_of(copy))
    run.add_files()
    if sources.remote is not None:
        run.add_remote(sources.remote, snapshot.originals)
    if place.is_sealed:
        run.add_key()
    run.miss(snapshot.originals)
    manifest = Manifest(
        begun_at=begun_at,
        ended_at=clock(),
        product=sources.product,
        database=snapshot.state,
        registry_folder=(sources.data_dir / "registry").resolve().as_uri(),
        settings=sources.settings,
        problems=tuple(run.problems),
        files=tuple(run.files),
    )
    return BackedUp(place.add_manifest(manifest), manifest, run.n_new, run.new_bytes)


@dataclass(frozen=True, slots=True)
class Retention:
    """Which backups stay: the newest `count` and those of the last `days`, one at least; all without both."""

    count: int | None = None
    days: int | None = None

    def superseded(self, names: Sequence[str], now: datetime) -> list[str]:
        """Those that may go, of names in the order of time."""
        if self.count is None and self.days is None:
            return []
        kept = set(names[-max(1, self.count or 1) :])
        if self.days is not None:
            since = f"{now - timedelta(days=self.days):%Y%m%dT%H%M%S}"
            kept |= {name for name in names if name >= since}
        return [name for name in names if name not in kept]


def remove_superseded(place: BackupPlace, retention: Retention, *, now: datetime) -> tuple[int, int]:
    """Remove backups, and what only they needed or one that was cut off left; how many, and bytes freed.

    Raises:
        BackupDamagedError: a manifest that stays cannot be read, so that nobody knows what it needs; no
            content was removed.
    """
    superseded = retention.superseded(place.names(), now)
    for name in superseded:
        place.remove(name)
    needed = {file.sha256 for name in place.names() for file in place.manifest(name).files}
    return len(superseded), place.sweep(needed)


class _Run:
    """The files of one backup as they are added."""

    def __init__(self, place: BackupPlace, sources: Sources, progress: Callable[[int], None]) -> None:
        self._place, self._sources, self._progress = place, sources, progress
        self.files: list[BackupFile] = []
        self.problems: list[str] = []
        self.n_new = self.new_bytes = 0

    def add(self, path: str, role: FileRole, pieces: Iterator[bytes], *, sha256: str | None = None) -> None:
        """Store content as the file `path`."""
        stored = self._place.put(pieces, sha256=sha256)
        if stored.is_new:
            self.n_new, self.new_bytes = self.n_new + 1, self.new_bytes + stored.n_bytes
        self._note(BackupFile(path, role, stored.sha256, stored.n_bytes))

    def add_anchors(self) -> None:
        """Store the anchors of the audit log."""
        file = self._sources.data_dir / ANCHORS
        if file.is_file():
            self.add(ANCHORS, FileRole.FILE, pieces_of(file))

    def add_key(self) -> None:
        """Store the signing key, and those that it replaced, where they are kept in the data folder."""
        for name in KEY_FILES:
            if (self._sources.data_dir / name).is_file():
                self.add(name, FileRole.KEY, pieces_of(self._sources.data_dir / name))

    def add_files(self) -> None:
        """Store everything else in the data folder; an original that the place holds is not read again."""
        root = self._sources.data_dir
        for path in _walk(root, self._left_out()):
            relative = path.relative_to(root).as_posix()
            is_original = path.parent.parent.name == ORIGINALS and path.parent.parent.parent == root
            try:
                if not is_original:
                    self.add(relative, FileRole.FILE, pieces_of(path))
                elif self._place.has(path.name):
                    size = path.stat().st_size
                    self._note(BackupFile(relative, FileRole.ORIGINAL, path.name, size))
                else:
                    self.add(relative, FileRole.ORIGINAL, pieces_of(path), sha256=path.name)
            except FileNotFoundError:
                continue  # it was temporary; an original that an image needs is missed below
            except PermissionError as error:
                self.problems.append(f"{relative} cannot be read: {error.strerror}")
            except BackupDamagedError as error:
                self.problems.append(f"{relative} is damaged and was left out: {error}")

    def add_remote(self, remote: ObjectBlobs, originals: frozenset[str]) -> None:
        """Store the originals that lie in an object store; one that the place holds is not fetched."""
        sizes, noted = remote.sizes(), {file.sha256 for file in self.files}
        for sha256 in sorted(originals - noted):
            path = f"{ORIGINALS}/{sha256[:2]}/{sha256}"
            try:
                if sha256 in sizes and self._place.has(sha256):
                    self._note(BackupFile(path, FileRole.ORIGINAL, sha256, sizes[sha256]))
                else:
                    self.add(path, FileRole.ORIGINAL, iter([remote.get(sha256)]), sha256=sha256)
            except BlobNotFoundError:
                continue  # missed below
            except BlobDamagedError as error:
                self.problems.append(f"{path} is damaged and was left out: {error}")

    def miss(self, originals: frozenset[str]) -> None:
        """Note the originals that the database needs and that were not found."""
        missing = originals - {file.sha256 for file in self.files if file.role is FileRole.ORIGINAL}
        damaged = {problem.split(" ")[0].rpartition("/")[2] for problem in self.problems}
        for sha256 in sorted(missing - damaged):
            self.problems.append(f"the original {sha256[:12]} is missing, though the database knows it")

    def _note(self, file: BackupFile) -> None:
        self.files.append(file)
        self._progress(len(self.files))

    def _left_out(self) -> frozenset[Path]:
        root = self._sources.data_dir
        databases = (self._sources.database_file, self._sources.registry_file)
        beside = (Path(f"{file}{end}").resolve() for file in databases if file for end in _BESIDE_SQLITE)
        return frozenset((*(root.resolve() / name for name in (*_LEFT_OUT, ANCHORS)), *beside))


@contextmanager
def _database(place: BackupPlace, sources: Sources) -> Iterator[Snapshot]:
    with ExitStack() as stack:
        if sources.database_file is None:
            yield stack.enter_context(dumped_postgresql(sources.database))
            return
        copy = stack.enter_context(_copied(place, sources.data_dir, sources.database_file))
        state, originals = sqlite_state(copy)
        yield Snapshot(state, originals, pieces_of(copy))


@contextmanager
def _copied(place: BackupPlace, data_dir: Path, source: Path) -> Iterator[Path]:
    """A copy of a SQLite database, removed at the end; never in clear text where backups are encrypted."""
    parent = data_dir if place.is_sealed or place.folder is None else place.folder
    for stale in parent.glob(f"{_COPYING}*"):
        shutil.rmtree(stale, ignore_errors=True)  # of a backup that was killed: only one runs at a time
    needed = sum(
        file.stat().st_size for end in _BESIDE_SQLITE[:2] if (file := Path(f"{source}{end}")).is_file()
    )
    if shutil.disk_usage(parent).free < 2 * needed + FULL_BYTES:
        raise BackupPlaceError(f"{parent}: too little room for a copy of {source.name}; nothing was changed")
    folder = parent / f"{_COPYING}{secrets.token_hex(4)}"
    folder.mkdir(mode=FOLDER_MODE)
    try:
        copy = folder / source.name
        copy_sqlite(source, copy)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _walk(root: Path, left_out: frozenset[Path]) -> Iterator[Path]:
    """Ordinary files below `root`; links to folders are followed: it may lie on several disks."""
    seen: set[Path] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = Path(folder).resolve()
        if real in seen or real in left_out:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _PARTIAL.match(name))
        for name in sorted(names):
            path = Path(folder) / name
            if not _PARTIAL.match(name) and path.is_file() and path.resolve() not in left_out:
                yield path


def require_database(file: Path | None) -> None:
    """Return when there is a database to back up; None for that of a server.

    Raises:
        BackupPlaceError: there is no such file.
    """
    if file is not None and not file.is_file():
        raise BackupPlaceError(f"DATABASE_URL: there is no database {file} to back up; nothing was changed")


def require_apart(place: Path | None, data_dir: Path) -> None:
    """Return when the place of backups lies outside of the data folder; None for an object store.

    Raises:
        BackupPlaceError: it does not.
    """
    if place is not None and place.resolve().is_relative_to(data_dir.resolve()):
        raise BackupPlaceError(
            f"{place} lies in DATA_DIR: what destroys the one destroys the other. Name a folder elsewhere, "
            "best on another disk or machine"
        )

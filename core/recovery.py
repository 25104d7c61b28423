"""A backup made an installation again, or a place to try it in."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from core.config import ROOT, Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BackupDamagedError, BackupPlaceError
from core.foundations import file_of
from core.services.operations.backing_up import KEY_FILES, ORIGINALS
from core.services.operations.backup_record import RESTORED, record
from core.services.operations.checks import RESTORING
from core.services.operations.restoring import (
    move_into_place,
    require_empty_folder,
    require_room,
    write_file,
    write_files,
)
from core.store.backups.manifest import FileRole, Manifest
from core.store.backups.place import BackupPlace, open_place
from core.store.backups.snapshots import (
    faults_of,
    load_postgresql,
    relocate_registry,
    require_empty,
)
from core.store.blobs import BlobStore
from core.store.database import known_revisions, open_database, unknown_revision
from core.store.object_blobs import CACHE
from core.store.private_files import FILE_MODE, FOLDER_MODE

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A backup to read.

    Attributes:
        root: the place of backups, a folder or a URL.
        name: of the backup; None for the newest.
        passphrase: of an encrypted place.
        key_file: the signing key, where the backup does not hold it.
    """

    root: Path | str
    name: str | None
    passphrase: str | None
    key_file: Path | None


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in a restored place.

    Attributes:
        findings: sentences about what is not as it was; empty when all is.
        notes: sentences about what to look after.
        n_events, n_records, n_originals: what was compared.
    """

    findings: tuple[str, ...]
    notes: tuple[str, ...]
    n_events: int
    n_records: int
    n_originals: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that is an installation now."""

    name: str
    manifest: Manifest
    examined: Examined
    elapsed_s: float


def restore(
    settings: Settings,
    source: Source,
    *,
    accepts_findings: bool = False,
    without_key: bool = False,
    progress: Progress = lambda *_: None,
) -> Restored:
    """Make the installation that `settings` name of a backup; nothing may be there yet.

    Everything is restored into a folder in the data folder and verified there; only then is it moved. Whoever
    was signed in when the backup was made has to sign in again.

    Args:
        settings: of this process.
        source: the backup.
        accepts_findings: go on where the audit log, a record or an original is not as it was.
        without_key: the signing key is gone for good: nothing can be verified but digests.
        progress: told how many files of how many are there.

    Raises:
        BackupPlaceError: something is there already, or something is missing; nothing was changed.
        BackupDamagedError: the backup is damaged, or there are findings; nothing is left of it.
    """
    began = time.monotonic()
    place, name, manifest = opened(source)
    data_dir = ROOT / settings.data_dir
    require_fitting(settings, manifest)
    require_empty_folder(data_dir)
    databases = [file_of(url) for url in (settings.database_url, settings.mlflow_tracking_uri)]
    for file in databases:
        if file is not None and file.exists() and file.stat().st_size:
            raise BackupPlaceError(
                f"{file} is there already, and a restore never overwrites; move it away first"
            )
    if not without_key:
        require_key(settings, source, manifest)
    is_new = not data_dir.exists()
    data_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=RESTORING, dir=data_dir))
    try:
        require_room(data_dir, manifest)
        with _target_database(settings) as engine:
            registry = (data_dir / "registry").resolve().as_uri()
            staged = stage(settings, folder, place, name, manifest, registry=registry, engine=engine,
                             progress=progress)  # fmt: skip
            if source.key_file is not None and not manifest.has_key:
                copy_key(source.key_file, folder / "data")
            examined = _NOT_EXAMINED if without_key else examine(staged)
            if examined.findings and not accepts_findings:
                raise BackupDamagedError(
                    f"the backup {name} restores, but {len(examined.findings)} things are not as they were, "
                    f"first: {examined.findings[0]}; nothing was kept. `radikal drill` lists them, and with "
                    "--despite-findings it is restored as it is"
                )
            if not without_key:
                _begin_anew(staged, name, manifest)
        pairs = [(folder / "db" / one, file) for one, file in zip(_FILES, databases, strict=True) if file]
        settled = [pair for pair in pairs if _is_settled(pair[0])]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if is_new and not any(data_dir.iterdir()):
            data_dir.rmdir()
        raise
    try:
        _send_originals(settings, folder / "data")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    move_into_place(folder / "data", data_dir, settled)  # cut off, the folder stays, and nothing is served
    shutil.rmtree(folder)
    return Restored(name, manifest, examined, time.monotonic() - began)


_FILES = ("radikal.db", "mlflow.db")
_NOT_EXAMINED = Examined(
    (),
    (
        "log, records and signatures were not verified, because there is no key: run "
        "`radikal key rotate --lost`, then `radikal audit verify`",
    ),
    0,
    0,
    0,
)


def opened(source: Source) -> tuple[BackupPlace, str, Manifest]:
    """The place of a backup, its name and its manifest.

    Raises:
        BackupPlaceError: there is none, or the passphrase is missing or wrong.
        BackupDamagedError: the manifest is damaged.
    """
    place = open_place(source.root, source.passphrase)
    names = place.names()
    if not names:
        raise BackupPlaceError(f"{source.root} holds no whole backup")
    name = source.name or names[-1]
    return place, name, place.manifest(name)


def require_fitting(settings: Settings, manifest: Manifest) -> None:
    """Return when this release can restore it to such a database.

    Raises:
        BackupPlaceError: it cannot.
    """
    kind = "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"
    if manifest.database.kind != kind:
        raise BackupPlaceError(f"DATABASE_URL: the backup is of {manifest.database.kind}, this names {kind}")
    if manifest.database.revision not in known_revisions()[1]:
        raise BackupPlaceError(f"the backup cannot be used: {unknown_revision(manifest.database.revision)}")


def require_key(settings: Settings, source: Source, manifest: Manifest, *, live: bool = False) -> None:
    """Return when there is a signing key; `live` where that of the data folder may be used.

    Raises:
        BackupPlaceError: there is none.
    """
    given = source.key_file or (ROOT / settings.data_dir / KEY_FILES[0] if live else None)
    if manifest.has_key or settings.jwt_secret is not None or (given is not None and given.is_file()):
        return
    raise BackupPlaceError(
        "the backup holds no signing key: name a copy of signing.key with --signing-key, or set JWT_SECRET. "
        "Nothing was changed"
    )


@contextmanager
def _target_database(settings: Settings) -> Iterator[Engine | None]:
    """The empty database of a server to restore into, emptied again when that fails; None for SQLite."""
    if file_of(settings.database_url) is not None:
        yield None
        return
    engine = open_database(settings.database_url)
    try:
        require_empty(engine)
        try:
            yield engine
        except BaseException:
            _empty(engine)
            raise
    finally:
        engine.dispose()


def stage(
    settings: Settings,
    folder: Path,
    place: BackupPlace,
    name: str,
    manifest: Manifest,
    *,
    registry: str,
    engine: Engine | None,
    progress: Progress,
    damaged: list[str] | None = None,
) -> Settings:
    """Settings of the restored place in `folder`: files below `data`, SQLite's databases below `db`.

    Damaged files are added to `damaged`; without it the first one is raised.
    """
    found = write_files(place, name, manifest, folder / "data", progress=progress)
    if found and damaged is None:
        more = f"; {len(found) - 1} more are" if len(found) > 1 else ""
        raise BackupDamagedError(f"{found[0]}{more}; nothing was changed")
    if damaged is not None:
        damaged += found
    database = manifest.of_role(FileRole.DATABASE)[0]
    changed = {"data_dir": folder / "data", "audit_anchors_copy": "", "originals_url": ""}
    if engine is None:
        write_file(place, name, database, folder / "db" / _FILES[0])
        changed["database_url"] = f"sqlite:///{folder / 'db' / _FILES[0]}"
    else:
        load_postgresql(engine, place.read(database.sha256))
        changed["database_url"] = engine.url.render_as_string(hide_password=False)
    for file in manifest.of_role(FileRole.REGISTRY):
        write_file(place, name, file, folder / "db" / _FILES[1])
        relocate_registry(folder / "db" / _FILES[1], manifest.registry_folder, registry)
    if file_of(settings.mlflow_tracking_uri) is not None:
        changed["mlflow_tracking_uri"] = f"sqlite:///{folder / 'db' / _FILES[1]}"
    return settings.model_copy(update=changed)


def examine(staged: Settings, damaged: list[str] | None = None) -> Examined:
    """The state of the restored place at the schema of this release: log, records, originals, models."""
    with open_container(staged, newest=True) as services:
        findings = [*(damaged or ()), *faults_of(services.database)]
        result = services.audit.verify(COMMAND_LINE)
        findings += [finding.sentence for finding in result.findings]
        checks = services.checks.all()
        findings += [
            check.problem for check in checks if check.problem and check.is_vital and check.name != "disk"
        ]
        notes = [
            check.problem for check in checks if check.problem and not check.is_vital and check.name != "disk"
        ]
    records = result.records
    return Examined(
        tuple(findings),
        (*result.notes, *notes),
        result.n_events,
        0 if records is None else records.n_records,
        0 if records is None else records.n_originals,
    )


def _send_originals(settings: Settings, staged: Path) -> None:
    """Move the verified originals to the object store that `settings` name; does nothing without one.

    Raises:
        StorageError: it did not take one; what it has is used when it is tried again.
    """
    if not settings.originals_url:
        return
    with open_container(settings.model_copy(update={"data_dir": staged})) as services:
        local = BlobStore(staged / ORIGINALS)
        for sha256 in list(local.digests()):
            services.blobs.put(local.get(sha256))
    for name in (ORIGINALS, CACHE):
        shutil.rmtree(staged / name, ignore_errors=True)


def _begin_anew(staged: Settings, name: str, manifest: Manifest) -> None:
    """End every session, so that none that was ended since comes back, and write down what was restored."""
    with open_container(staged) as services:
        with services.store.write() as work:
            work.sessions.end([one.session_id for one in work.sessions.open()], work.now, "restored")
        details = {"begun_at": manifest.begun_at.isoformat(), "n_events": manifest.database.n_events}
        record(services.store, COMMAND_LINE, RESTORED, name, details)


def _is_settled(database: Path) -> bool:
    """True when there is such a file; nothing of it is left in SQLite's log from now on."""
    if not database.is_file():
        return False
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return True


def copy_key(file: Path, folder: Path) -> None:
    """Copy the signing key, and beside it those that it replaced, into a data folder."""
    for source, name in zip((file, file.with_name(f"{file.name}.previous")), KEY_FILES, strict=True):
        if source.is_file():
            shutil.copyfile(source, folder / name)
            (folder / name).chmod(FILE_MODE)


def _empty(engine: Engine) -> None:
    from sqlalchemy import MetaData

    found = MetaData()
    found.reflect(engine)
    found.drop_all(engine)

"""Restoring a backup for a try, measured."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.backup import recorded
from core.config import ROOT, Settings
from core.container import Container, open_container
from core.domain.errors import BackupDamagedError, BackupPlaceError, WorkbenchError
from core.foundations import file_of
from core.recovery import (
    Examined,
    Progress,
    Source,
    copy_key,
    examine,
    opened,
    require_fitting,
    require_key,
    stage,
)
from core.services.operations.backing_up import KEY_FILES
from core.services.operations.backup_record import DRILLED
from core.services.operations.restoring import require_room
from core.store.backups.manifest import Manifest
from core.store.backups.snapshots import temporary_postgresql
from core.store.condition import log_end
from core.store.database import open_database


@dataclass(frozen=True, slots=True)
class Drill:
    """A backup that was restored into an empty place for a try.

    Attributes:
        written_s: until everything was there.
        examined_s: then, until log, records and originals were compared.
        rpo_s: age of the backup when the drill began: what was done since would be lost.
        n_events_since: events that the log got since; None where the database cannot be asked.
        warnings: sentences about what the drill does not show, or that it could not be recorded.
    """

    name: str
    manifest: Manifest
    examined: Examined
    written_s: float
    examined_s: float
    rpo_s: float
    n_events_since: int | None
    warnings: tuple[str, ...]

    @property
    def rto_s(self) -> float:
        """Seconds from nothing to a place that could be served."""
        return self.written_s + self.examined_s


def drill(
    settings: Settings, source: Source, *, into: Path | None = None, progress: Progress = lambda *_: None
) -> Drill:
    """What restoring a backup comes to, tried in an empty temporary place; the audit log keeps the result.

    Args:
        settings: of this process.
        source: the backup.
        into: folder in which the temporary place is made; None for the system's.
        progress: told how many files of how many are there.

    Raises:
        BackupPlaceError: there is no such backup, no key, or no room.
        BackupDamagedError: its manifest or its database is damaged; the log tells of that, too.
    """
    try:
        return _drilled(settings, source, into, progress)
    except BackupDamagedError:
        with open_container(settings) as services:
            if _is_there(services):
                details = {"is_whole": False, "n_findings": 1}
                recorded(services, DRILLED, source.name or "the newest", details)
        raise


def _drilled(settings: Settings, source: Source, into: Path | None, progress: Progress) -> Drill:
    place, name, manifest = opened(source)
    rpo_s = (datetime.now(UTC) - manifest.begun_at).total_seconds()
    require_fitting(settings, manifest)
    require_key(settings, source, manifest, live=True)
    warnings = [] if manifest.has_key or settings.jwt_secret is not None else [_KEY_FROM_ELSEWHERE]
    with tempfile.TemporaryDirectory(prefix="radikal-drill-", dir=into) as temporary:
        folder, began = Path(temporary), time.monotonic()
        require_room(folder, manifest)
        with _drill_database(settings, folder.name) as engine:
            registry = (folder / "data" / "registry").resolve().as_uri()
            damaged: list[str] = []
            staged = stage(settings, folder, place, name, manifest, registry=registry, engine=engine,
                             progress=progress, damaged=damaged)  # fmt: skip
            if not manifest.has_key and settings.jwt_secret is None:
                copy_key(source.key_file or ROOT / settings.data_dir / KEY_FILES[0], folder / "data")
            written_s = time.monotonic() - began
            examined = examine(staged, damaged)
            examined_s = time.monotonic() - began - written_s
    details = {
        "is_whole": not examined.findings,
        "n_findings": len(examined.findings),
        "n_originals": examined.n_originals,
        "rpo_s": round(rpo_s),
        "rto_s": round(written_s + examined_s, 1),
    }
    with open_container(settings) as services:
        try:
            head = log_end(services.database) if _is_there(services) else None
        except (WorkbenchError, SQLAlchemyError):
            head = None
        n_since = None if head is None else head.seq - manifest.database.n_events
        if head is None:
            warnings.append("the drill was not recorded: there is no database here that could tell of it")
        else:
            warnings += recorded(services, DRILLED, name, details)
    return Drill(name, manifest, examined, written_s, examined_s, rpo_s, n_since, tuple(warnings))


_KEY_FROM_ELSEWHERE = (
    "the signing key came from outside of the backup: this drill does not show that it would be there after "
    "a disaster"
)


@contextmanager
def _drill_database(settings: Settings, name: str) -> Iterator[Engine | None]:
    if file_of(settings.database_url) is not None:
        yield None
        return
    engine = open_database(settings.database_url)
    try:
        with temporary_postgresql(engine, name) as made:
            yield made
    except SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise BackupPlaceError(
            f"DATABASE_URL: a drill makes a database on the server and drops it: {told}"
        ) from error
    finally:
        engine.dispose()


def _is_there(services: Container) -> bool:
    file = file_of(services.settings.database_url)
    return file is None or file.is_file()

"""A PostgreSQL database brought to a point in time for a try, verified and measured."""

import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.backup import recorded
from core.config import ROOT, Settings
from core.container import open_container
from core.domain.errors import BackupPlaceError
from core.foundations import file_of
from core.recovery import Examined, examine
from core.services.operations.backing_up import ANCHORS, KEY_FILES, ORIGINALS
from core.services.operations.backup_record import DRILLED
from core.services.operations.checks import FULL_BYTES
from core.store.anchor_file import AnchorFile
from core.store.backups.recovered_server import recovered_postgresql
from core.store.condition import log_end
from core.store.private_files import FOLDER_MODE

_LIMIT_S = 6 * 3600.0
#: Of the data folder, only read: films, models and data versions are not in the database.
_LINKED = (ORIGINALS, "registry", "data_versions", "evaluations", "routing")


@dataclass(frozen=True, slots=True)
class PointInTime:
    """A database as it was at some moment, tried.

    Attributes:
        base: name of the base backup.
        until: moment that was asked for; None for the end of the archived WAL.
        last_commit_at: of what was recovered; None where nothing was replayed.
        examined: what was found.
        recovered_s: seconds until the server could be written.
        examined_s: then, until log, records and originals were compared.
        rpo_s: age of the last commit when the drill began: lost at most, had the server gone then. None where
            a moment was asked for.
        warnings: sentences about what the drill does not show.
    """

    base: str
    until: datetime | None
    last_commit_at: datetime | None
    examined: Examined
    recovered_s: float
    examined_s: float
    rpo_s: float | None
    warnings: tuple[str, ...]

    @property
    def rto_s(self) -> float:
        """Seconds from nothing to a database that could be served."""
        return self.recovered_s + self.examined_s


def drill_postgresql(
    settings: Settings, base: Path, wal: Path, *, until: datetime | None = None, into: Path | None = None
) -> PointInTime:
    """What a recovery from a base backup and archived WAL comes to, on a server of its own that is dropped.

    Log, records and originals are verified as `radikal audit verify` does, with the films and models of the
    data folder, which are only read. Anchors of events after the recovered end are left out.

    Args:
        settings: of this process.
        base: a base backup in the plain format.
        wal: folder of the archived WAL.
        until: the moment, None for the end.
        into: folder in which the temporary server is made; None for the system's.

    Raises:
        BackupPlaceError: something is missing; nothing was changed.
        BackupDamagedError: the base backup is damaged, or recovery does not come so far.
    """
    if file_of(settings.database_url) is not None:
        raise BackupPlaceError("DATABASE_URL: only a PostgreSQL database can be brought to a point in time")
    if not wal.is_dir():
        raise BackupPlaceError(f"--wal: there is no folder {wal}")
    begun_at = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="radikal-pitr-", dir=into) as temporary:
        folder, began = Path(temporary) / "server", time.monotonic()
        folder.mkdir(mode=FOLDER_MODE)
        Path(temporary).chmod(0o711)  # the server may run as another user
        _require_room(folder, base)
        recovered = recovered_postgresql(
            base, wal, folder=folder, like=settings.database_url, until=until, limit_s=_LIMIT_S
        )
        with recovered as (engine, last_commit_at):
            recovered_s = time.monotonic() - began
            head = log_end(engine)
            url = engine.url.render_as_string(hide_password=False)
            data_dir = _data_folder(settings, Path(temporary) / "data", 0 if head is None else head.seq)
            changed = {"database_url": url, "data_dir": data_dir, "audit_anchors_copy": ""}
            examined = examine(settings.model_copy(update=changed))
            examined_s = time.monotonic() - began - recovered_s
    rpo_s = None
    if until is None and last_commit_at is not None:
        rpo_s = (begun_at - last_commit_at).total_seconds()
    details = {
        "is_whole": not examined.findings,
        "n_findings": len(examined.findings),
        "n_originals": examined.n_originals,
        "rpo_s": None if rpo_s is None else round(rpo_s),
        "rto_s": round(recovered_s + examined_s, 1),
    }
    with open_container(settings) as services:
        warnings = recorded(services, DRILLED, f"{base.name} and WAL", details)
    return PointInTime(
        base.name, until, last_commit_at, examined, recovered_s, examined_s, rpo_s, tuple(warnings)
    )


def _data_folder(settings: Settings, folder: Path, n_events: int) -> Path:
    """A data folder for the try: links to films and models, copies of what may be written."""
    source = ROOT / settings.data_dir
    folder.mkdir(mode=FOLDER_MODE)
    for name in _LINKED:
        if (source / name).is_dir():
            (folder / name).symlink_to((source / name).resolve())
    for name in KEY_FILES:
        if (source / name).is_file():
            shutil.copy2(source / name, folder / name)
    anchors = AnchorFile(folder / ANCHORS)
    for anchor in AnchorFile(source / ANCHORS).read().anchors:
        if anchor.seq <= n_events:
            anchors.append(anchor)
    return folder


def _require_room(folder: Path, base: Path) -> None:
    needed = sum(path.stat().st_size for path in base.rglob("*") if path.is_file()) + FULL_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupPlaceError(
            f"{folder.parent}: {free // 2**20} MiB are free, the server needs {needed // 2**20} MiB or more; "
            "name another folder with --into"
        )

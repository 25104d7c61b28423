"""A backup of the installation that settings name, as the command asks for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from core.config import Settings, lines_without_secrets
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.errors import BackupDamagedError, WorkbenchError
from core.foundations import file_of
from core.services.operations import backing_up
from core.services.operations.backing_up import KEY_FILES, BackedUp, Retention, Sources
from core.services.operations.backup_record import MADE, record
from core.store.backups.place import BackupPlace, open_place


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was made.

    Attributes:
        done: what was copied.
        n_removed: older backups that were removed.
        freed_bytes: what that gave back.
        elapsed_s: seconds.
        warnings: sentences about what the backup lacks, or what comes after it did not work.
    """

    done: BackedUp
    n_removed: int
    freed_bytes: int
    elapsed_s: float
    warnings: tuple[str, ...]


def back_up(
    settings: Settings,
    to: Path | str,
    *,
    is_sealed: bool,
    passphrase: str | None,
    retention: Retention,
    progress: Callable[[int], None] = lambda _: None,
) -> BackupReport:
    """A new backup in the folder or at the URL `to`, which is made where there is none; then old ones go.

    Raises:
        BackupPlaceError: the place or the passphrase is not what is needed; nothing was changed.
        BackupDamagedError: the database could not be copied, or what was written cannot be read back.
    """
    began = time.monotonic()
    with open_container(settings) as services:
        backing_up.require_apart(to if isinstance(to, Path) else None, services.data_dir)
        backing_up.require_database(file_of(settings.database_url))
        place = open_place(to, passphrase, new_sealed=is_sealed)
        with place.locked():
            done = backing_up.back_up(place, _sources(services), progress=progress)
            warnings = _lacking(services, place)
            n_removed = freed = 0
            try:
                n_removed, freed = backing_up.remove_superseded(place, retention, now=datetime.now(UTC))
            except BackupDamagedError as error:
                warnings.append(f"what is not needed any more was not removed: {error}")
        elapsed_s = time.monotonic() - began
        details = {
            "n_files": len(done.manifest.files),
            "n_bytes": done.manifest.n_bytes,
            "n_new": done.n_new,
            "n_problems": len(done.manifest.problems),
            "is_encrypted": place.is_sealed,
            "elapsed_s": round(elapsed_s, 1),
        }
        warnings += recorded(services, MADE, done.name, details)
    return BackupReport(done, n_removed, freed, elapsed_s, tuple(warnings))


def recorded(services: Container, action: str, name: str, details: Mapping[str, object]) -> list[str]:
    """Write into the audit log what was done with a backup; a sentence where that does not work."""
    try:
        record(services.store, COMMAND_LINE, action, name, details)
    except (WorkbenchError, SQLAlchemyError) as error:
        return [f"that could not be recorded in the audit log: {str(error).splitlines()[0]}"]
    return []


def _sources(services: Container) -> Sources:
    settings = services.settings
    return Sources(
        services.data_dir,
        services.database,
        file_of(settings.database_url),
        file_of(settings.mlflow_tracking_uri),
        services.object_blobs,
        lines_without_secrets(settings),
        version("radikal"),
    )


def _lacking(services: Container, place: BackupPlace) -> list[str]:
    """Sentences about what such a backup never holds."""
    told = []
    if services.settings.jwt_secret is not None:
        told.append(
            "JWT_SECRET is not in the backup: keep it apart, nothing can be verified or signed without it"
        )
    elif not place.is_sealed:
        told.append(
            f"{KEY_FILES[0]} is not in the backup, which is not encrypted: copy "
            f"{services.data_dir / KEY_FILES[0]} to a place apart, or use --encrypt in another folder"
        )
    if file_of(services.settings.mlflow_tracking_uri) is None:
        told.append(
            "the MLflow server is not in the backup: back it up by itself; the models that serve are in it"
        )
    return told

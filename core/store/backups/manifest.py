"""What one backup holds: its files with their digests, and what the database was when it was copied."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from core.domain.errors import BackupDamagedError

_FORMAT = 1
_DIGITS = frozenset("0123456789abcdef")


class FileRole(StrEnum):
    """What a file of a backup is for."""

    DATABASE = "database"
    REGISTRY = "registry"  # MLflow's database
    ORIGINAL = "original"
    KEY = "key"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file.

    Attributes:
        path: below the data folder, with `/`; of databases a name alone.
        sha256: of its content.
        n_bytes: of its content.

    Raises:
        ValueError: the path leads out of the folder, or the digest is none.
    """

    path: str
    role: FileRole
    sha256: str
    n_bytes: int

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or self.path.startswith("/") or ".." in parts or "\\" in self.path or "\0" in self.path:
            raise ValueError(f"{self.path!r} is no path below a folder")
        if len(self.sha256) != 64 or not _DIGITS.issuperset(self.sha256):
            raise ValueError("the digest of a file is 64 hex digits")


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database as it was copied.

    Attributes:
        kind: `sqlite` or `postgresql`.
        revision: of its schema.
        n_events: of the audit log; the number of the newest one.
        newest_at: when that was written, ISO 8601; None before the first.
        key_id: of the signing key that sealed it.
    """

    kind: str
    revision: str
    n_events: int
    newest_at: str | None
    key_id: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup.

    Attributes:
        begun_at: just before anything was copied, UTC: what was acknowledged before is in it.
        ended_at: UTC.
        product: version of the program.
        database: as it was copied.
        registry_folder: URI of the folder that MLflow's records name, which a restore may have to replace.
        settings: lines of an `.env` file without secrets.
        problems: sentences about what could not be copied.
        files: all of them.
    """

    begun_at: datetime
    ended_at: datetime
    product: str
    database: DatabaseState
    registry_folder: str
    settings: tuple[str, ...]
    problems: tuple[str, ...]
    files: tuple[BackupFile, ...] = field(repr=False)

    def of_role(self, role: FileRole) -> list[BackupFile]:
        """The files for that purpose."""
        return [file for file in self.files if file.role is role]

    @property
    def n_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.n_bytes for file in self.files)

    @property
    def has_key(self) -> bool:
        """True when the signing key is in it."""
        return bool(self.of_role(FileRole.KEY))


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as JSON, one file a line."""
    head = asdict(manifest)
    files = [asdict(file) for file in manifest.files]
    del head["files"]
    head |= {"begun_at": manifest.begun_at.isoformat(), "ended_at": manifest.ended_at.isoformat()}
    lines = ",\n".join(json.dumps(file, sort_keys=True) for file in files)
    opened = json.dumps({"format": _FORMAT, **head}, indent=1).removesuffix("\n}")
    return f'{opened},\n "files": [\n{lines}\n]\n}}\n'.encode()


def parsed_manifest(text: bytes) -> Manifest:
    """The manifest that `manifest_text` wrote.

    Raises:
        BackupDamagedError: it is none, or one of a later release.
    """
    try:
        content: Mapping[str, Any] = json.loads(text)
        if content["format"] != _FORMAT:
            raise BackupDamagedError(f"a later release wrote it (format {content['format']})")
        return Manifest(
            begun_at=datetime.fromisoformat(content["begun_at"]),
            ended_at=datetime.fromisoformat(content["ended_at"]),
            product=str(content["product"]),
            database=DatabaseState(**content["database"]),
            registry_folder=str(content["registry_folder"]),
            settings=tuple(map(str, content["settings"])),
            problems=tuple(map(str, content["problems"])),
            files=tuple(
                BackupFile(str(one["path"]), FileRole(one["role"]), str(one["sha256"]), int(one["n_bytes"]))
                for one in content["files"]
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamagedError(f"its manifest cannot be read ({error})") from None

"""A PostgreSQL server of its own, made of a base backup and archived WAL, for a try."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from core.domain.errors import BackupDamagedError, BackupPlaceError

_DEBIAN = "usr/lib/postgresql"
_PAUSE_S, _STOP_S = 0.1, 60.0
_AUTHENTICATION = "local all all trust\n"
#: Never of the server that was copied: ports, certificates, libraries and archives of its own.
_CONFIGURATION = """listen_addresses = ''
unix_socket_directories = '{folder}'
unix_socket_permissions = 0700
hba_file = '{folder}/hba.conf'
archive_mode = off
hot_standby = off
shared_buffers = '64MB'
restore_command = 'cp "{wal}/%f" "%p"'
recovery_target_action = 'promote'
"""


@contextmanager
def recovered_postgresql(
    base: Path, wal: Path, *, folder: Path, like: str, until: datetime | None, limit_s: float
) -> Iterator[tuple[Engine, datetime | None]]:
    """The database that `like` names, as it was, on a server that ends with the block; and its last commit.

    Args:
        base: a base backup of pg_basebackup in its plain format, which is only read.
        wal: folder of the archived WAL, which is only read.
        folder: empty, with room for the base backup; everything of the server lies in it.
        like: URL of the database, for its name and its user.
        until: recover to that moment; None for the end of the archive.
        limit_s: of the recovery, seconds.

    Raises:
        BackupPlaceError: these are no base backup and archive, or there is no PostgreSQL of its version here.
        BackupDamagedError: the base backup is damaged, or recovery ends before that moment.
    """
    binaries = _binaries(base)
    _verify(binaries, base)
    data, log = folder / "data", folder / "log"
    shutil.copytree(base, data)
    for name in ("postgresql.auto.conf", "postmaster.pid", "standby.signal"):
        (data / name).unlink(missing_ok=True)
    moment = "" if until is None else f"recovery_target_time = '{until.astimezone(UTC).isoformat()}'\n"
    (folder / "server.conf").write_text(_CONFIGURATION.format(folder=folder, wal=wal.resolve()) + moment)
    (folder / "hba.conf").write_text(_AUTHENTICATION)
    (data / "recovery.signal").touch(mode=0o600)
    data.chmod(0o700)
    user = _user_of(base, folder)
    command = [str(binaries / "postgres"), "-D", str(data), "-c", f"config_file={folder / 'server.conf'}"]
    with log.open("wb") as said:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, **user
        )
    url = make_url(like)
    engine = create_engine(
        f"postgresql+psycopg://{quote(url.username or 'postgres')}@/{quote(url.database or 'postgres')}"
        f"?host={quote(str(folder), safe='')}"
    )
    try:
        yield engine, _recovered_at(engine, process, log, limit_s)
    finally:
        engine.dispose()
        process.terminate()  # smart shutdown would wait for clients; there are none left
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _recovered_at(
    engine: Engine, process: subprocess.Popen[bytes], log: Path, limit_s: float
) -> datetime | None:
    """Moment of the last commit that was replayed, once the server can be written."""
    limit = time.monotonic() + limit_s
    while True:
        if process.poll() is not None:
            raise BackupDamagedError(f"the base backup does not recover: {_reason(log)}")
        if time.monotonic() > limit:
            raise BackupDamagedError(f"the recovery takes longer than {limit_s:.0f} s: {_reason(log)}")
        try:
            with engine.connect() as connection:
                if not connection.scalar(text("SELECT pg_is_in_recovery()")):
                    found = connection.scalar(text("SELECT pg_last_xact_replay_timestamp()"))
                    return found if isinstance(found, datetime) else None
        except SQLAlchemyError as error:
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            if "does not exist" in told and str(engine.url.database) in told:
                raise BackupPlaceError(f"the base backup holds no such database or user: {told}") from None
        time.sleep(_PAUSE_S)


def _reason(log: Path) -> str:
    """The last line of the server's log that says what went wrong."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return (found or lines or ["it did not say why"])[-1].partition("FATAL:")[2].strip() or "see its log"


def _binaries(base: Path) -> Path:
    """Folder of the programs of the version that wrote the base backup."""
    try:
        version = (base / "PG_VERSION").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise BackupPlaceError(
            f"{base} is no base backup in the plain format (pg_basebackup -D FOLDER -X stream); unpack one "
            "that is a tar file"
        ) from None
    if any((base / "pg_tblspc").iterdir()):
        raise BackupPlaceError(f"{base} has tablespaces of its own, which a drill cannot place elsewhere")
    named = os.environ.get("PG_BIN")
    for folder in (Path(named) if named else None, Path("/") / _DEBIAN / version / "bin"):
        if folder is not None and (folder / "postgres").is_file():
            return folder
    raise BackupPlaceError(
        f"{base} was made by PostgreSQL {version}, which is not installed here (Debian: package "
        f"postgresql-{version}); or set PG_BIN to the folder of its programs"
    )


def _verify(binaries: Path, base: Path) -> None:
    """Return when every file of the base backup is what its manifest says, and its own WAL can be read.

    Raises:
        BackupDamagedError: it is not.
    """
    done = subprocess.run(
        [binaries / "pg_verifybackup", "-q", base], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        first = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise BackupDamagedError(f"the base backup {base} is damaged: {first}")


def _user_of(base: Path, folder: Path) -> dict[str, Any]:
    """What makes the server run as whoever owns the base backup, where this is root: it refuses root.

    Raises:
        BackupPlaceError: root owns that, too.
    """
    if os.getuid() != 0:
        return {}
    owner = base.stat()
    if owner.st_uid == 0:
        raise BackupPlaceError("PostgreSQL does not run as root: run this as its user (postgres)")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    home = pwd.getpwuid(owner.st_uid)
    return {"user": home.pw_uid, "group": owner.st_gid, "extra_groups": []}

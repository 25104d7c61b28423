"""`radikal backup`, `radikal restore` and `radikal drill`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.conventions import FAILED, MOMENTS, one_line_errors, read_settings, show_progress
from core.config import Settings
from core.domain.errors import BackupPlaceError

if TYPE_CHECKING:
    from core.drill import Drill
    from core.recovery import Source

_PASSPHRASE = click.option(
    "--passphrase-file", type=click.Path(path_type=Path, dir_okay=False),
    help="First line: the passphrase of encrypted backups; else BACKUP_PASSPHRASE.",
)  # fmt: skip
_WHICH = click.option("--backup", "name", help="Name of the backup; without it the newest.")
_KEY = click.option("--signing-key", type=click.Path(path_type=Path, dir_okay=False),
                    help="A copy of signing.key, where the backup does not hold it.")  # fmt: skip
_MOMENTS = (*MOMENTS, "%Y-%m-%dT%H:%M:%S.%f")
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


class _Place(click.ParamType[Path | str]):
    """A folder, or the URL of one in an object store."""

    name = "folder or url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """A path, or the URL as it is."""
        return str(value) if "://" in str(value) else Path(value)


_FROM = click.argument("source", metavar="FROM", type=_Place())


@click.command()
@click.argument("to", required=False, type=_Place())
@click.option("--to", "to_option", type=_Place(), help="The same as TO.")
@click.option(
    "--encrypt", is_flag=True, help="Encrypt a new place of backups; the signing key is in it then."
)
@_PASSPHRASE
@click.option("--keep", type=click.IntRange(1), help="Keep so many of the newest backups, remove others.")
@click.option("--keep-days", type=click.IntRange(1), help="Keep the backups of so many days, remove others; "
              "with --keep, what either keeps.")  # fmt: skip
@click.option("--list", "lists", is_flag=True, help="List the backups in TO and make none.")
@one_line_errors
def backup(
    to: Path | str | None,
    to_option: Path | str | None,
    encrypt: bool,
    passphrase_file: Path | None,
    keep: int | None,
    keep_days: int | None,
    lists: bool,
) -> None:
    """Copy database, originals, registry, versions, settings and anchors to TO, while it serves.

    TO is a folder, or the URL of one in an object store: s3://bucket/folder.

    What TO holds already is not copied again. Everything is read back and compared; a backup that is cut off
    leaves the earlier ones as they are. Of secrets only the signing key is in it, and only with --encrypt.

    \b
    Exit code 0  the backup is whole
              1  it failed, or something could not be copied; one line each
              2  TO or the passphrase is not what is needed
    """
    from core.backup import back_up
    from core.services.operations.backing_up import Retention

    if (place := to or to_option) is None:
        raise click.UsageError("say where to: radikal backup TO")
    settings = read_settings()
    passphrase = _passphrase(settings, passphrase_file)
    if lists:
        _list(place, passphrase)
        return
    report = back_up(
        settings, place, is_sealed=encrypt, passphrase=passphrase, retention=Retention(keep, keep_days)
    )
    done = report.done
    click.echo(
        f"backup {done.name}: {len(done.manifest.files)} files, {_size(done.manifest.n_bytes)}, of which "
        f"{done.n_new} ({_size(done.new_bytes)}) were new, read back, in {report.elapsed_s:.1f} s"
    )
    if report.n_removed:
        click.echo(f"{report.n_removed} older backups removed, {_size(report.freed_bytes)} freed")
    for warning in (*report.warnings, *done.manifest.problems):
        click.echo(f"radikal: {warning}", err=True)
    if done.manifest.problems:
        sys.exit(FAILED)


@click.command()
@_FROM
@_WHICH
@_PASSPHRASE
@_KEY
@click.option("--without-key", is_flag=True, help="The signing key is gone for good: restore what "
              "cannot be verified any more.")  # fmt: skip
@click.option("--despite-findings", is_flag=True, help="Restore although log, records or originals are "
              "not as they were.")  # fmt: skip
@one_line_errors
def restore(
    source: Path | str,
    name: str | None,
    passphrase_file: Path | None,
    signing_key: Path | None,
    without_key: bool,
    despite_findings: bool,
) -> None:
    """Make the installation that DATA_DIR, DATABASE_URL and MLFLOW_TRACKING_URI name of a backup in FROM.

    Nothing may be there yet. Everything is restored beside, compared with its digests, brought to the schema
    of this release and verified (database, audit log, records, originals), and only then moved.

    \b
    Exit code 0  restored
              1  the backup is damaged, or log, records or originals are not as they were; nothing is left
              2  something is there already, or passphrase or key are missing; nothing was changed
    """
    from core import recovery

    settings = read_settings()
    wanted = _source(settings, source, name, passphrase_file, signing_key)
    done = recovery.restore(
        settings,
        wanted,
        accepts_findings=despite_findings,
        without_key=without_key,
        progress=partial(show_progress, of="files"),
    )
    found = done.examined
    click.echo(
        f"restored {done.name}: {len(done.manifest.files)} files, {_size(done.manifest.n_bytes)}; "
        f"{found.n_events} events, {found.n_records} records, {found.n_originals} originals compared, "
        f"in {done.elapsed_s:.1f} s"
    )
    for line in (*found.findings, *found.notes, *done.manifest.problems):
        click.echo(f"radikal: {line}", err=True)
    click.echo("what was done since that backup is not there; everybody has to sign in again")


@click.command()
@click.argument("source", metavar="[FROM]", required=False, type=_Place())
@_WHICH
@_PASSPHRASE
@_KEY
@click.option("--postgres", "base", type=_FOLDER, help="Try a base backup of PostgreSQL instead of FROM.")
@click.option("--wal", type=_FOLDER, help="With --postgres: folder of the archived WAL.")
@click.option("--until", type=click.DateTime(_MOMENTS), help="With --postgres: recover to that moment, UTC; "
              "without it to the end of the archive.")  # fmt: skip
@click.option("--into", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Folder with room for it; without it the system's for temporary files.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on standard output.")
@one_line_errors
def drill(
    source: Path | str | None,
    name: str | None,
    passphrase_file: Path | None,
    signing_key: Path | None,
    base: Path | None,
    wal: Path | None,
    until: datetime | None,
    into: Path | None,
    as_json: bool,
) -> None:
    """Try to restore a backup in FROM into an empty temporary place, and measure it.

    Every file is compared with its digest, then database, audit log, records and originals are verified as
    `radikal audit verify` does. What is served now is left alone; its audit log and its health tell of the
    drill. On PostgreSQL a database of its own is made on the server and dropped.

    With --postgres BASE --wal FOLDER a server of its own is made of a base backup (pg_basebackup, plain
    format) and archived WAL, recovered to a moment and verified with the films of DATA_DIR, then dropped. Run
    it as the user that owns BASE.

    \b
    Exit code 0  everything is as it was
              1  it is not; one line for each finding
              2  there is no such backup, or passphrase or key are missing
    """
    from core import drill as drilling

    settings = read_settings()
    if base is not None:
        _drill_postgresql(settings, base, wal, until, into, as_json=as_json)
        return
    if source is None:
        raise click.UsageError("say what to try: radikal drill FROM, or --postgres BASE --wal FOLDER")
    wanted = _source(settings, source, name, passphrase_file, signing_key)
    done = drilling.drill(settings, wanted, into=into, progress=partial(show_progress, of="files"))
    if as_json:
        click.echo(json.dumps(_result(done), indent=1))
    else:
        _tell(done)
    for warning in (*done.examined.notes, *done.warnings, *done.manifest.problems):
        click.echo(f"radikal: {warning}", err=True)
    if done.examined.findings:
        sys.exit(FAILED)


def _drill_postgresql(
    settings: Settings,
    base: Path,
    wal: Path | None,
    until: datetime | None,
    into: Path | None,
    *,
    as_json: bool,
) -> None:
    from core.point_in_time import drill_postgresql

    if wal is None:
        raise click.UsageError("--postgres needs --wal: the folder of the archived WAL")
    moment = None if until is None else until.replace(tzinfo=UTC)
    done = drill_postgresql(settings, base, wal, until=moment, into=into)
    found = done.examined
    if as_json:
        facts = asdict(done) | asdict(found) | {"rto_s": done.rto_s, "is_whole": not found.findings}
        click.echo(
            json.dumps({name: facts[name] for name in facts if name != "examined"}, default=str, indent=1)
        )
    else:
        for finding in found.findings:
            click.echo(finding)
        last = "" if done.last_commit_at is None else f", last commit {done.last_commit_at:%F %T%z}"
        click.echo(
            f"drill of {done.base} and its WAL{last}; {found.n_events} events, {found.n_records} records, "
            f"{found.n_originals} originals compared: {_verdict(found.findings)}"
        )
        if done.rpo_s is not None:
            click.echo(f"RPO {_duration(done.rpo_s)} (age of the last commit that is archived)")
        click.echo(
            f"RTO {_duration(done.rto_s)} ({_duration(done.recovered_s)} to recover, "
            f"{_duration(done.examined_s)} to verify)"
        )
    for warning in (*found.notes, *done.warnings):
        click.echo(f"radikal: {warning}", err=True)
    if found.findings:
        sys.exit(FAILED)


def _verdict(findings: Sequence[str]) -> str:
    return f"{len(findings)} findings" if findings else "all as it was"


def _tell(done: "Drill") -> None:
    found = done.examined
    for finding in found.findings:
        click.echo(finding)
    click.echo(
        f"drill of {done.name}: {len(done.manifest.files)} files, {_size(done.manifest.n_bytes)}; "
        f"{found.n_events} events, {found.n_records} records, {found.n_originals} originals compared: "
        f"{_verdict(found.findings)}"
    )
    since = "" if done.n_events_since is None else f", {done.n_events_since} events since"
    click.echo(f"RPO {_duration(done.rpo_s)} (age of the backup{since})")
    click.echo(
        f"RTO {_duration(done.rto_s)} ({_duration(done.written_s)} to restore, "
        f"{_duration(done.examined_s)} to verify)"
    )


def _result(done: "Drill") -> dict[str, object]:
    return {
        "backup": done.name,
        "is_whole": not done.examined.findings,
        "n_files": len(done.manifest.files),
        "n_bytes": done.manifest.n_bytes,
        "rpo_s": round(done.rpo_s, 1),
        "rto_s": round(done.rto_s, 2),
        "restored_s": round(done.written_s, 2),
        "verified_s": round(done.examined_s, 2),
        "n_events_since": done.n_events_since,
        **asdict(done.examined),
    }


def _list(root: Path | str, passphrase: str | None) -> None:
    from core.store.backups.place import open_place

    place = open_place(root, passphrase)
    for name in place.names():
        manifest = place.manifest(name)
        click.echo(
            f"{name}  {manifest.begun_at:%Y-%m-%d %H:%M:%S} UTC  {len(manifest.files)} files  "
            f"{_size(manifest.n_bytes)}  {manifest.database.n_events} events"
        )


def _source(
    settings: Settings,
    root: Path | str,
    name: str | None,
    passphrase_file: Path | None,
    key_file: Path | None,
) -> "Source":
    from core.recovery import Source

    if key_file is not None and not key_file.is_file():
        raise BackupPlaceError(f"--signing-key: there is no file {key_file}")
    return Source(root, name, _passphrase(settings, passphrase_file), key_file)


def _passphrase(settings: Settings, file: Path | None) -> str | None:
    if file is None:
        secret = settings.backup_passphrase
        return None if secret is None else secret.get_secret_value()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupPlaceError(f"--passphrase-file: {file} cannot be read: {error}") from None
    return lines[0] if lines else None


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:.1f} MiB" if n_bytes >= 2**20 else f"{n_bytes / 2**10:.1f} KiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.1f} s"

"""`radikal audit`: verifying and exporting the audit log."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.audit.findings import Verification
from core.cli.conventions import FAILED, MOMENTS, one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE

if TYPE_CHECKING:
    from core.services.auditing import AuditService


@click.group()
def audit() -> None:
    """The audit log: who did what, when, sealed against changes."""


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="The whole result as JSON on standard output.")
@one_line_errors
def verify(as_json: bool) -> None:
    """Look for events that were changed, removed, inserted or moved, and say which.

    Exit code 0 when the log is whole, 1 when it is not: then one line for each finding.
    """
    from core.services.auditing import anchored_text, moment

    with _open_audit() as service:
        result = service.verify(COMMAND_LINE)
    if as_json:
        click.echo(json.dumps(_result(result), indent=1))
    elif result.is_whole:
        newest = f"newest at {moment(result.newest_at)}" if result.n_events else "none written yet"
        click.echo(f"{result.n_events} events, chain whole, {newest}, {anchored_text(result)}")
    else:
        for finding in result.findings:
            click.echo(f"{finding.kind.value}: {finding.sentence}")
        n_more = result.n_findings - len(result.findings)
        more = f", {n_more} of them not listed" if n_more else ""
        click.echo(f"{result.n_events} events, NOT whole: {result.n_findings} findings{more}", err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if not result.is_whole:
        sys.exit(FAILED)


@audit.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True,
              help="For spreadsheets, or one JSON object a line.")  # fmt: skip
@click.option("--from", "since", type=click.DateTime(MOMENTS), help="Earliest moment, UTC.")
@click.option("--to", "until", type=click.DateTime(MOMENTS), help="First moment that is left out, UTC.")
@click.option("--actor", help="Id of who acted.")
@click.option("--action", help="Action, or its first words: `user` finds user.added, too.")
@one_line_errors
def export(
    out: Path,
    form: str,
    since: datetime | None,
    until: datetime | None,
    actor: str | None,
    action: str | None,
) -> None:
    """Write events to a file, newest first; the log tells that it was exported."""
    from core.audit.selection import EventFilter
    from core.services.auditing import ExportFormat

    wanted = EventFilter(since=_utc(since), until=_utc(until), actor_id=actor, action=action)
    with _open_audit() as service, out.open("w", encoding="utf-8", newline="") as file:
        n_lines = 0
        for line in service.export(COMMAND_LINE, wanted, ExportFormat(form)):
            file.write(line)
            n_lines += 1
    n_events = n_lines - 1 if form == "csv" else n_lines
    click.echo(f"{n_events} events written to {out}")


@contextmanager
def _open_audit() -> "Iterator[AuditService]":
    with open_services() as services:
        services.require_table("audit_events", "audit log")
        yield services.audit


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _result(result: Verification) -> dict[str, Any]:
    head, anchor = result.newest, result.anchor
    return {
        "is_whole": result.is_whole,
        "n_events": result.n_events,
        "newest": None if head is None else {"seq": head.seq, "hash": head.hash},
        "newest_at": None if result.newest_at is None else result.newest_at.isoformat(),
        "anchored": None if anchor is None else {"seq": anchor.seq, "at": anchor.at.isoformat()},
        "n_findings": result.n_findings,
        "findings": [asdict(finding) for finding in result.findings],
        "notes": list(result.notes),
    }

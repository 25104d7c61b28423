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
    """Look whether log, records and originals are as they were written, and say what is not.

    The log: events that were changed, removed, inserted or moved; anchors that are missing. The records
    (users, images, inspections, annotations, reviews, signatures with their judgements, rules, promotions):
    each is compared with the newest event about it. The originals: every file is read.

    \b
    Exit code 0  all of it is as it was written
              1  it is not, or could not be looked at; then one line for each finding
              2  there is nothing to verify: the database was never set up
    """
    from core.services.auditing import anchored_text, moment

    with _open_audit() as service:
        result = service.verify(COMMAND_LINE)
    compared = _compared(result)
    if as_json:
        click.echo(json.dumps(_result(result), indent=1))
    elif result.is_whole:
        newest = f"newest at {moment(result.newest_at)}" if result.n_events else "none written yet"
        click.echo(
            f"{result.n_events} events, chain whole, {newest}, {anchored_text(result)}; "
            f"{compared}, all as the log says"
        )
    else:
        for finding in result.findings:
            click.echo(f"{finding.kind.value}: {finding.sentence}")
        n_more = result.n_findings - len(result.findings)
        more = f", {n_more} of them not listed" if n_more else ""
        click.echo(
            f"{result.n_events} events, {compared}, NOT whole: {result.n_findings} findings{more}", err=True
        )
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if not result.is_whole:
        sys.exit(FAILED)


@audit.command("begin-anchors")
@click.option("--why", required=True, help="Why, e.g. that the disk with them was lost; stands in the log.")
@one_line_errors
def begin_anchors(why: str) -> None:
    """Begin the anchors anew, after their file was lost and no copy of it is left.

    Verifying tells of missing anchors until then. The log keeps who did it and why.
    """
    with _open_audit() as service:
        service.begin_anchors(COMMAND_LINE, why)
    click.echo("anchors begun anew; the log says why")


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


def _compared(result: Verification) -> str:
    """The extent of what was compared beside the log."""
    checked = result.records
    if checked is None:
        return "no records"
    return f"{checked.n_records} records, {checked.n_originals} originals"


def _result(result: Verification) -> dict[str, Any]:
    head, anchor = result.newest, result.anchor
    return {
        "is_whole": result.is_whole,
        "n_events": result.n_events,
        "newest": None if head is None else {"seq": head.seq, "hash": head.hash},
        "newest_at": None if result.newest_at is None else result.newest_at.isoformat(),
        "anchored": None if anchor is None else {"seq": anchor.seq, "at": anchor.at.isoformat()},
        "records": None if result.records is None else asdict(result.records),
        "n_findings": result.n_findings,
        "findings": [asdict(finding) for finding in result.findings],
        "notes": list(result.notes),
    }

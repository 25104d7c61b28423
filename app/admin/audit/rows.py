"""Events of the audit log and results of verifying it, as rows and facts."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.audit.canonical import moment_text
from core.audit.findings import Verification
from core.services.auditing import LastVerification, NamedEvent, anchored_text, moment


def table_rows(events: Sequence[NamedEvent]) -> list[dict[str, Any]]:
    """One row of the table for each event."""
    return [
        {
            "#": named.event.seq,
            "When (UTC)": moment(named.event.at).removesuffix(" UTC"),
            "Who": named.actor,
            "What": named.event.action,
            "Object": f"{named.event.object_type} {named.object_name or named.event.object_id}",
            "Details": details_text(named.event.details),
        }
        for named in events
    ]


def details_text(details: Any) -> str:
    """Details in one line."""
    if not isinstance(details, dict):
        return "unreadable" if details is None else json.dumps(details)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in details.items()}
    return " · ".join(f"{name} {text}" for name, text in texts.items())


def event_facts(named: NamedEvent) -> dict[str, str]:
    """Facts of one event by name; empty where it has none."""
    event = named.event
    return {
        "Event": f"{event.seq} · {event.event_id}",
        "When": "unreadable" if event.at is None else moment_text(event.at),
        "Who": named.actor if named.actor == event.actor_id else f"{named.actor} · {event.actor_id}",
        "What": event.action,
        "Object": " · ".join(filter(None, (event.object_type, named.object_name, event.object_id))),
        "Request": event.request_id or "",
        "Before": event.before_hash or "",
        "After": event.after_hash or "",
        "Previous": event.previous_hash,
        "Hash": event.hash,
        "Seal": f"{event.seal} · key {event.key_id}",
        "Records": event.records_hash or "",
    }


def headline(result: Verification, at: datetime) -> str:
    """The result of verifying in one line of Markdown."""
    checked = result.records
    compared = f", {checked.n_records:,} records, {checked.n_originals:,} originals" if checked else ""
    told = f"{result.n_events:,} events{compared} verified at {at:%H:%M:%S} UTC"
    return f"{_word(result.n_findings)} · {told} · {anchored_text(result)}"


def last_headline(last: LastVerification | None) -> str:
    """The last verification that the log tells of, in one line of Markdown."""
    if last is None:
        return ":gray[**Not verified yet**] · verifying compares the log, all records and all originals"
    told = f"{last.n_events:,} events, verified on {moment(last.at)} by {last.by}"
    return f"{_word(last.n_findings)} · {told}"


def progress_text(what: str, done: int, total: int) -> str:
    """What is read, and how far."""
    return f"{done:,} {what} compared" if total <= done else f"{done:,} of {total:,} {what}"


def _word(n_findings: int) -> str:
    if not n_findings:
        return ":green[**Whole**]"
    count = "1 finding" if n_findings == 1 else f"{n_findings:,} findings"
    return f":red[**Not whole: {count}**]"


def finding_rows(result: Verification) -> list[dict[str, Any]]:
    """One row of the table for each finding."""
    return [
        {
            "#": " to ".join(str(seq) for seq in sorted({finding.seq, finding.last_seq})),
            "Finding": finding.kind.value,
            "What was found": finding.sentence,
        }
        for finding in result.findings
    ]

"""Events of the audit log and results of verifying it, as rows and facts."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.audit.canonical import moment_text
from core.audit.findings import Verification
from core.services.auditing import NamedEvent, anchored_text, moment


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
    }


def headline(result: Verification, at: datetime) -> str:
    """The result of verifying in one line of Markdown."""
    told = f"{result.n_events:,} events verified at {at:%H:%M:%S} UTC"
    if result.is_whole:
        return f":green[**Whole**] · {told} · {anchored_text(result)}"
    count = "1 finding" if result.n_findings == 1 else f"{result.n_findings:,} findings"
    return f":red[**Not whole: {count}**] · {told} · {anchored_text(result)}"


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

"""What the audit page shows and asks for: filters that live in the address, rows, one event, findings."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from app.shared.resources import resources
from app.shared.visitors import identity_of
from core.audit.canonical import moment_text
from core.audit.findings import Verification
from core.audit.selection import EventFilter
from core.domain.errors import NotAllowedError
from core.logs import bound
from core.services.auditing import ExportFormat, NamedEvent, anchored_text, moment

#: Widgets of the filter, and what they are called in the address.
SINCE, UNTIL, ACTOR, ACTION, OBJECT = (
    f"audit_log.{name}" for name in ("from", "to", "actor", "action", "object")
)
_IN_ADDRESS = {SINCE: "from", UNTIL: "to", ACTOR: "actor", ACTION: "action", OBJECT: "object"}
_TYPE = re.compile(r"[a-z_]+")
#: A larger export is one for the command line: the page would hold it in memory.
MAX_EXPORTED = 100_000


@dataclass
class AuditState:
    """The audit page in this session.

    Attributes:
        pages: `before` of every page that was turned, the first page's None included.
        wanted: what the pages are of.
        verification: the last result and when it came.
    """

    pages: list[int | None] = field(default_factory=lambda: [None])
    wanted: EventFilter = EventFilter()
    verification: tuple[Verification, datetime] | None = None


def audit_state() -> AuditState:
    """The state of the audit page in this session."""
    if "audit_log" not in st.session_state:
        st.session_state["audit_log"] = AuditState()
    state: AuditState = st.session_state["audit_log"]
    return state


def prepare_filter(actors: Mapping[str, str], actions: tuple[str, ...]) -> None:
    """Give the widgets their first values from the address; what it names and is not there is ignored."""
    asked = {key: st.query_params.get(name) for key, name in _IN_ADDRESS.items()}
    st.session_state.setdefault(SINCE, _day(asked[SINCE]))
    st.session_state.setdefault(UNTIL, _day(asked[UNTIL]))
    st.session_state.setdefault(ACTOR, asked[ACTOR] if asked[ACTOR] in actors else None)
    st.session_state.setdefault(ACTION, asked[ACTION] if asked[ACTION] in actions else None)
    st.session_state.setdefault(OBJECT, asked[OBJECT] or "")


def chosen_filter() -> EventFilter:
    """What the widgets ask for; it goes into the address, and another one starts at its first page."""
    chosen = {key: st.session_state.get(key) for key in _IN_ADDRESS}
    object_type, object_id = _named_object(str(chosen[OBJECT] or ""))
    wanted = EventFilter(
        since=_midnight(chosen[SINCE]),
        until=_midnight(chosen[UNTIL], days=1),
        actor_id=chosen[ACTOR],
        action=chosen[ACTION],
        object_type=object_type,
        object_id=object_id,
    )
    in_address = {_IN_ADDRESS[key]: str(value).strip() for key, value in chosen.items() if value}
    if dict(st.query_params) != in_address:
        st.query_params.from_dict(in_address)
    state = audit_state()
    if state.wanted != wanted:
        state.wanted, state.pages = wanted, [None]
    return wanted


def clear_filter() -> None:
    """Ask for everything again; only from a callback."""
    for key in _IN_ADDRESS:
        st.session_state[key] = "" if key == OBJECT else None


def turn_page(before: int | None) -> None:
    """Go on to older events, or with None back to the page before."""
    pages = audit_state().pages
    if before is not None:
        pages.append(before)
    elif len(pages) > 1:
        pages.pop()


def table_rows(events: tuple[NamedEvent, ...]) -> list[dict[str, Any]]:
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


def event_facts(named: NamedEvent) -> list[tuple[str, str]]:
    """Everything about one event, with what it is called; what is not there is left out."""
    event = named.event
    facts = [
        ("Event", f"{event.seq} · {event.event_id}"),
        ("When", "unreadable" if event.at is None else moment_text(event.at)),
        ("Who", named.actor if named.actor == event.actor_id else f"{named.actor} · {event.actor_id}"),
        ("What", event.action),
        ("Object", " · ".join(filter(None, (event.object_type, named.object_name, event.object_id)))),
        ("Request", event.request_id),
        ("Before", event.before_hash),
        ("After", event.after_hash),
        ("Previous", event.previous_hash),
        ("Hash", event.hash),
        ("Seal", f"{event.seal} · key {event.key_id}"),
    ]
    return [(name, str(value)) for name, value in facts if value]


def headline(result: Verification, at: datetime) -> str:
    """What verifying came to, in one line of Markdown."""
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


def export_of(wanted: EventFilter, form: ExportFormat) -> Callable[[], bytes]:
    """What makes the file when it is asked for: whoever asks must still be signed in and allowed to then."""
    cookies = dict(st.context.cookies)

    def make() -> bytes:
        identity = identity_of(cookies)
        if identity is None:
            raise NotAllowedError("you are no longer signed in")
        with bound(request_id=secrets.token_hex(8), user_id=identity.user_id):
            lines = resources().services.audit.export(identity, wanted, form)
            return "".join(lines).encode("utf-8")

    return make


def _named_object(text: str) -> tuple[str | None, str | None]:
    """Type and id as they were typed: `user u-1`, or one of them; only types are letters throughout."""
    first, _, rest = text.strip().partition(" ")
    if rest:
        return first, rest.strip()
    return (first, None) if _TYPE.fullmatch(first) else (None, first or None)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _midnight(day: date | None, *, days: int = 0) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=days)

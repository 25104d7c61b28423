"""The audit page in this session: its filter, the pages that were turned, the last verification."""

import re
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from app.shared.lists.state import FilterWidgets, TurnedPages, midnight
from core.audit.findings import Verification
from core.audit.selection import EventFilter
from core.services.auditing import AuditChoices

SINCE, UNTIL, ACTOR, ACTION, OBJECT = (
    f"audit_log.{name}" for name in ("from", "to", "actor", "action", "object")
)
FILTER = FilterWidgets(
    texts={OBJECT: "object"}, days={SINCE: "from", UNTIL: "to"}, choices={ACTOR: "actor", ACTION: "action"}
)
_TYPE = re.compile(r"[a-z_]+")


@dataclass
class AuditState:
    """The audit page in this session.

    Attributes:
        pages: turned by the number of the event that they begin before.
        verification: the last result and when it came.
    """

    pages: TurnedPages[EventFilter, int] = field(default_factory=lambda: TurnedPages(EventFilter()))
    verification: tuple[Verification, datetime] | None = None


def audit_state() -> AuditState:
    """The state of the audit page in this session."""
    state: AuditState = st.session_state.setdefault("audit_log", AuditState())
    return state


def prepare_filter(choices: AuditChoices) -> None:
    """Give the widgets their first values from the address."""
    FILTER.prepare({ACTOR: choices.actors, ACTION: choices.actions})


def chosen_filter() -> EventFilter:
    """The filter in the widgets."""
    chosen = FILTER.chosen()
    object_type, object_id = named_object(str(chosen[OBJECT] or ""))
    wanted = EventFilter(
        since=midnight(chosen[SINCE]),
        until=midnight(chosen[UNTIL], days=1),
        actor_id=chosen[ACTOR],
        action=chosen[ACTION],
        object_type=object_type,
        object_id=object_id,
    )
    audit_state().pages.want(wanted)
    return wanted


def named_object(text: str) -> tuple[str | None, str | None]:
    """Type and id as they were typed: `user u-1`, or one of them; only types are letters throughout."""
    first, _, rest = text.strip().partition(" ")
    if rest:
        return first, rest.strip()
    return (first, None) if _TYPE.fullmatch(first) else (None, first or None)

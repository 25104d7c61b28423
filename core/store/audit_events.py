"""The repository of the audit log: appends to the chain, pages through it, reads it whole."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, text
from sqlalchemy.orm import Session

from core.audit.canonical import digest
from core.audit.chain import Head, Keyring, head_of, seal
from core.audit.event import Event, SealedEvent
from core.audit.key_state import DAMAGED, KeyState, key_problem, key_state
from core.audit.records import RecordState, state_of, states_digest
from core.audit.selection import EventFilter
from core.domain.accounts import SYSTEM, Identity
from core.domain.errors import SigningKeyError, WorkbenchError
from core.domain.records import new_id
from core.logs import current_ids
from core.store.audit_reading import raw_columns, read_row
from core.store.audit_states import StateRepository
from core.store.record_comparison import TAKEN_UP, Comparison, RecordComparison, without_state
from core.store.record_tables import AuditEventRow, AuditHeadRow
from core.store.record_watch import RecordWatch, proven_table

#: Rows that are read at once when the whole log is.
_BATCH = 2_000


class AuditLogDamagedError(WorkbenchError):
    """The log was changed from outside, so that nothing can be appended to it."""


class AuditRepository:
    """Rows of `audit_events` within one transaction.

    What the transaction does to a proven record is noticed by itself: its state goes with the event about it,
    else with the last event, else with one of its own.

    Args:
        session: the transaction.
        now: its moment, UTC.
        ring: seals what is written.
        make_id: gives 32 hex digits that were never given before.
        on_append: told how many events were appended; the transaction may still fail.

    Attributes:
        states: what events left of records.
    """

    def __init__(
        self,
        session: Session,
        now: datetime,
        ring: Keyring,
        *,
        make_id: Callable[[], str] = new_id,
        on_append: Callable[[int], None] = lambda _n: None,
    ) -> None:
        self._session = session
        self._now = now
        self._ring = ring
        self._make_id = make_id
        self._on_append = on_append
        self._noted: list[Event] = []
        self._may_follow: frozenset[KeyState] = frozenset({KeyState.CURRENT})
        self._watch = RecordWatch(session)
        self._left: list[tuple[str, RecordState]] = []  # with the id of an event that only found them so
        self.states = StateRepository(session)

    def record(
        self,
        identity: Identity,
        *,
        action: str,
        object_type: str,
        object_id: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        """The id of the event, which is appended to the chain at the end of the transaction.

        Args:
            identity: who acts; only the id is kept.
            action: dotted words such as `user.added`.
            object_type: kind of what it is done to.
            object_id: which one.
            before: the object until now; only its digest is kept. Leave names out: whoever has a digest can
                try names.
            after: the object from now on, likewise.
            details: plain JSON without names, addresses or secrets.

        Raises:
            ValueError, TypeError: something cannot stand in the log; a mistake of ours.
        """
        event = Event(
            event_id=self._make_id(),
            at=self._now,
            actor_id=identity.user_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            before_hash=None if before is None else digest(before),
            after_hash=None if after is None else digest(after),
            request_id=current_ids()["request_id"],
            details=_with_key(identity, details),
        )
        self._noted.append(event)
        return event.event_id

    def record_key_change(self, identity: Identity, *, before: str, is_lost: bool) -> str:
        """The id of the event from which on the key of the ring seals; without it nothing else is appended.

        Args:
            identity: who replaced the key.
            before: id of the key that sealed until now.
            is_lost: that key is on no ring any more, so that what it sealed cannot be verified.
        """
        self._may_follow |= {KeyState.EARLIER, *([KeyState.UNKNOWN] if is_lost else [])}
        return self.record(
            identity,
            action="key.rotated",
            object_type="key",
            object_id=self._ring.current_id,
            details={"before": before, "is_lost": is_lost},
        )

    def flush(self) -> None:
        """Append what was noted. From here to the end of the transaction every other writer waits.

        Raises:
            AuditLogDamagedError: the log was changed from outside; the transaction must not be kept.
            SigningKeyError: another key sealed the newest event; likewise.
        """
        left = self._states_by_event()
        if not self._noted:
            return
        row = self._session.get(AuditHeadRow, 1, with_for_update=True, populate_existing=True)
        head = self._head_to_follow(row)
        sealed: list[SealedEvent] = []
        for event in self._noted:
            records_hash = states_digest(left[event.event_id])
            sealed.append(seal(event, head, self._ring, records_hash=records_hash))
            head = head_of(sealed[-1], self._ring)
        self._session.execute(insert(AuditEventRow), [_values(event) for event in sealed])
        self.states.add([(event.seq, state) for event in sealed for state in left[event.event_id]])
        if row is not None:
            row.seq, row.hash, row.key_id, row.seal = head.seq, head.hash, head.key_id, head.seal
        self._session.flush()
        self._noted.clear()
        self._on_append(len(sealed))

    def _states_by_event(self) -> Mapping[str, list[RecordState]]:
        """The states that each noted event leaves; an event is noted where records changed without one."""
        states = self._watch.take()
        if states and not self._noted:
            self.record(SYSTEM, action="records.written", object_type="records", object_id=states[0].table)
        by_event: dict[str, list[RecordState]] = defaultdict(list)
        about = {event.object_id: event.event_id for event in self._noted}
        for state in states:
            by_event[about.get(state.key, self._noted[-1].event_id)].append(state)
        for event_id, state in self._left:
            by_event[event_id].append(state)
        self._left = []
        return by_event

    def head(self) -> Head | None:
        """The head as stored, None where there is none."""
        row = self._session.get(AuditHeadRow, 1, populate_existing=True)
        return None if row is None else Head(row.seq, row.hash, row.key_id, row.seal)

    def hold_still(self) -> None:
        """Let the rest of this transaction see one state; only as the first thing in it."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))

    def rows(self) -> Iterator[SealedEvent]:
        """Every row, ascending by `seq`, whatever is in it; a batch at a time."""
        last: int | None = None
        while True:
            query = self._select().order_by(AuditEventRow.seq).limit(_BATCH)
            if last is not None:
                query = query.where(AuditEventRow.seq > last)
            batch = [read_row(row) for row in self._session.execute(query)]
            yield from batch
            if len(batch) < _BATCH:
                return
            last = batch[-1].seq

    def compare_records(self, progress: Callable[[int], None]) -> Comparison:
        """The result of comparing every proven record with the newest event about it.

        Args:
            progress: told now and then how many records are done.
        """
        return RecordComparison(self._session, progress).run()

    def keys_without_state(self, table: str) -> list[str]:
        """The keys of the records of a proven table that no event tells of."""
        return [key for key, _ in without_state(self._session, proven_table(table))]

    def take_up(self, identity: Identity, table: str, keys: Sequence[str]) -> int:
        """The number of those records, none of which has a state, that an event now tells of as they are."""
        found = proven_table(table).read(self._session, keys, to_write=True)
        known = self.states.present(table, found)
        states = [state_of(table, key, values) for key, values in found.items() if key not in known]
        if states:
            details = {"table": table, "n": len(states)}
            event_id = self.record(
                identity, action=TAKEN_UP, object_type="records", object_id=table, details=details
            )
            self._left += ((event_id, state) for state in states)
        return len(states)

    def has(self, action: str) -> bool:
        """True when there is an event of this very action."""
        query = select(AuditEventRow.seq).where(AuditEventRow.action == action).limit(1)
        return self._session.scalar(query) is not None

    def newest(self, action: str) -> SealedEvent | None:
        """The newest event of this very action, None without one."""
        query = self._select().where(AuditEventRow.action == action)
        row = self._session.execute(query.order_by(AuditEventRow.seq.desc()).limit(1)).one_or_none()
        return None if row is None else read_row(row)

    def page(
        self, wanted: EventFilter, *, before: int | None = None, limit: int = _BATCH
    ) -> list[SealedEvent]:
        """At most `limit` of the wanted events, newest first, all with a `seq` below `before`."""
        query = _matching(self._select(), wanted).order_by(AuditEventRow.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditEventRow.seq < before)
        return [read_row(row) for row in self._session.execute(query)]

    def count(self, wanted: EventFilter) -> int:
        """Number of events that the filter lets through."""
        return self._session.scalar(_matching(select(func.count(AuditEventRow.seq)), wanted)) or 0

    def actions(self) -> list[str]:
        """Every action in the log, in alphabetical order."""
        return list(self._session.scalars(select(AuditEventRow.action).distinct().order_by("action")))

    def actor_ids(self) -> list[str]:
        """Everybody in the log."""
        return list(self._session.scalars(select(AuditEventRow.actor_id).distinct().order_by("actor_id")))

    def _select(self) -> Select[Any]:
        return select(*raw_columns(self._session.get_bind().dialect.name))

    def _head_to_follow(self, row: AuditHeadRow | None) -> Head:
        """The head to append behind: unused, or sealed with a key that may be followed."""
        head = None if row is None else Head(row.seq, row.hash, row.key_id, row.seal)
        state = key_state(head, self._ring)
        if head is None or state is KeyState.DAMAGED or not self._is_last(head, state):
            raise AuditLogDamagedError(DAMAGED)
        if state is not KeyState.UNUSED and state not in self._may_follow:
            raise SigningKeyError(key_problem(head, self._ring))
        return head

    def _is_last(self, head: Head, state: KeyState) -> bool:
        """False when a head that bears no seal of ours does not name the newest row."""
        if state not in (KeyState.UNUSED, KeyState.UNKNOWN):
            return True
        newest = self._session.scalar(select(func.max(AuditEventRow.seq)))
        if state is KeyState.UNUSED or newest != head.seq:
            return newest is None and state is KeyState.UNUSED
        named = self._session.get_one(AuditEventRow, newest)
        return (named.hash, named.key_id) == (head.hash, head.key_id)


def _matching(query: Select[Any], wanted: EventFilter) -> Select[Any]:
    if wanted.since is not None:
        query = query.where(AuditEventRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEventRow.at < wanted.until)
    if wanted.action is not None:
        below = AuditEventRow.action.startswith(wanted.action.rstrip(".") + ".", autoescape=True)
        query = query.where(or_(AuditEventRow.action == wanted.action, below))
    for name in ("actor_id", "object_type", "object_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(getattr(AuditEventRow, name) == value)
    return query


def _values(event: SealedEvent) -> dict[str, Any]:
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _with_key(identity: Identity, details: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The details, with the API key that was used, where one was."""
    return {**(details or {}), **({"api_key": identity.api_key} if identity.api_key else {})}

"""Proofs of records: what an event left of each record it touched, as digests, and what differs from that."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.audit import findings as say
from core.audit.canonical import stored_json
from core.audit.event import SealedEvent
from core.audit.findings import FaultList

#: Hex digits of the digest of one field: it names the field that differs; the digest of the record finds it.
_FIELD_DIGITS = 16
_SALT = "salt"


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record as an event left it.

    Attributes:
        table: where the record is kept.
        key: its primary key: the text, or a JSON list where the key has several columns.
        digest: SHA-256 of the fields with their names, table and key; None for a record that was removed.
        fields: JSON object of the digest of each field by its name, keys sorted; empty for a removed record.
    """

    table: str
    key: str
    digest: str | None
    fields: str

    @property
    def is_removed(self) -> bool:
        """True when the event removed the record."""
        return self.digest is None

    def field_digests(self) -> Mapping[str, str]:
        """Digest by field; empty where the text is damaged, which `bound` finds."""
        try:
            found = json.loads(self.fields)
        except (TypeError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def state_of(table: str, key: str, values: Mapping[str, Any]) -> RecordState:
    """The state of a record with these values, by column.

    A column `salt`, which is removed with the record, goes into every digest: without it nobody can find out
    by trying what a record about a person said.
    """
    fields = {name: _field_digest(table, key, name, values) for name in values}
    return RecordState(table, key, _digest(table, key, values), _text(fields))


def removed_state(table: str, key: str) -> RecordState:
    """The state of a record that is no longer there."""
    return RecordState(table, key, None, "{}")


def states_digest(states: Iterable[RecordState]) -> str | None:
    """SHA-256 over all states that one event left, which the event's seal covers; None without any."""
    parts = sorted(
        (str(state.table), str(state.key), str(state.digest), str(state.fields)) for state in states
    )
    if not parts:
        return None
    text = "".join(f"{len(piece)}:{piece}" for part in parts for piece in part)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def differing_fields(state: RecordState, values: Mapping[str, Any]) -> list[str]:
    """The fields that are not as the event left them, in order of their names.

    Fields that the table gained since are left alone: no event told of them. Fields that it lost are no
    difference either: a release took them away, which shows in the schema.

    Args:
        state: of a record that is there.
        values: of the same record now, by column.
    """
    if _digest(state.table, state.key, values) == state.digest:
        return []
    digests = state.field_digests()
    known = {name: value for name, value in values.items() if name in digests}
    if len(known) == len(digests) and _digest(state.table, state.key, known) == state.digest:
        return []
    differing = [
        name for name in sorted(known) if _field_digest(state.table, state.key, name, known) != digests[name]
    ]
    if _SALT in differing:
        return [_SALT]  # it goes into the digests of all others
    return differing or ([] if len(known) < len(digests) else ["digest"])


def left_value(state: RecordState, name: str, value: Any) -> bool:
    """True when the event left the record with this value in the field; for tables without a salt."""
    digest = _field_digest(state.table, state.key, name, {name: value})
    return state.field_digests().get(name) == digest


def bound(
    rows: Iterable[SealedEvent], states: Iterator[tuple[int, RecordState]], found: FaultList
) -> Iterator[SealedEvent]:
    """The rows, unchanged; on the way, faults of the states that do not belong to their event go to `found`.

    Args:
        rows: events, ascending by `seq`.
        states: with the `seq` of their event, ascending by that.
        found: gets a fault for every event whose states were changed, removed or added.
    """
    waiting = next(states, None)
    for row in rows:
        mine: list[RecordState] = []
        while waiting is not None and waiting[0] <= row.seq:
            if waiting[0] == row.seq:
                mine.append(waiting[1])
            else:
                found.add(say.states_without_event(waiting[0]))
            waiting = next(states, None)
        if states_digest(mine) != row.records_hash:
            found.add(say.states_changed(row))
        yield row
    while waiting is not None:
        found.add(say.states_without_event(waiting[0]))
        waiting = next(states, None)


def _digest(table: str, key: str, values: Mapping[str, Any]) -> str:
    return hashlib.sha256(stored_json({"table": table, "key": key, "fields": values})).hexdigest()


def _field_digest(table: str, key: str, name: str, values: Mapping[str, Any]) -> str:
    content = {"table": table, "key": key, "field": name, "value": values[name]}
    if _SALT in values:
        content[_SALT] = values[_SALT]
    return hashlib.sha256(stored_json(content)).hexdigest()[:_FIELD_DIGITS]


def _text(fields: Mapping[str, str]) -> str:
    return stored_json(fields).decode("ascii")

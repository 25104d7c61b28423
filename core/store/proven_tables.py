"""The tables whose rows the audit log proves, and their rows as values that digests are computed over."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Row,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from core.audit.canonical import moment_text
from core.store.schema import METADATA

#: Every change of a row of these is proven by an event; what a row is called in a sentence.
PROVEN = {
    "users": "user",
    "people": "person of user",
    "certificates": "certificate",
    "policies": "policy",
    "api_keys": "API key",
    "images": "image",
    "inspections": "inspection",
    "annotations": "annotation",
    "reviews": "review",
    "signatures": "signature",
    "signed_judgements": "judgement of signature",
    "signed_certificates": "certificate of signature",
    "zones": "zone of inspection",
    "measurements": "measurements of inspection",
    "first_looks": "first look of inspection",
    "setup_templates": "setup template",
    "rule_sets": "rule set",
    "image_scales": "scale",
    "disagreements": "disagreement",
    "serving_changes": "serving change",
    "promotion_requests": "promotion request",
    "data_versions": "data version",
    "evaluation_sets": "evaluation set",
    "evaluations": "evaluation",
    "own_classes": "own class",
    "place_notes": "note on a place",
    "drift_alarms": "drift alarm",
    "qualifications": "qualification",
    "frozen_versions": "frozen version",
}
#: Tables that the log says nothing about, and why.
UNPROVEN = {
    "preferences": "a choice that somebody made for themselves",
    "sessions": "ends by itself; starting and ending one are events",
    "comparison_views": "an address that somebody keeps under a name, no record",
    "request_counts": "requests of the last two minutes, counted as they come",
    "sightings": "who is where now, noted as it goes",
    "api_key_uses": "when a key was last used, noted as it goes",
    "api_answers": "kept for a day, so that what is asked again is not done again",
    "sign_in_tickets": "lives for 30 seconds",
    "sign_in_failures": "counted to slow down guessing, removed when old",
    "known_addresses": "kept to tell guessing from signing in",
    "worklist": "what somebody has open, no record",
    "seen_areas": "saved every few seconds; what was seen stands in what is signed",
    "queue_items": "what is waiting to be looked at, no record",
    "observations": "measured from images and inspections, which are proven",
    "shadow_readings": "what a challenger said, which nobody decided by",
    "jobs": "progress of work that reports to the log when it ends",
    "image_fingerprints": "made from the original, which is proven",
    "audit_events": "the log itself: chained and sealed",
    "audit_head": "the log itself: sealed",
    "audit_states": "the proofs: covered by the seal of their event",
}
_AT_ONCE = 500


class ProvenTable:
    """One table whose rows are proven.

    Args:
        name: one of `PROVEN`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.noun = PROVEN[name]
        table = METADATA.tables[name]
        self._columns = list(table.columns)
        self._key = list(table.primary_key.columns)
        self._readers = [(column.name, _reader(column.type)) for column in self._columns]

    def key_of(self, identity: Sequence[Any]) -> str:
        """The primary key as one text."""
        return str(identity[0]) if len(identity) == 1 else json.dumps(list(identity))

    def read(
        self, session: Session, keys: Collection[str], *, to_write: bool = False
    ) -> dict[str, Mapping[str, Any]]:
        """The rows with these keys that are there, by key, each as values by column.

        Args:
            session: the transaction.
            keys: as `key_of` makes them.
            to_write: no other transaction changes the rows until this one ended.
        """
        wanted = [identity for key in keys if (identity := self._identity(key)) is not None]
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            found.update(self._rows(session, self._is_one_of(wanted[start : start + _AT_ONCE]), to_write))
        return found

    def all(self, session: Session) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every row with its key, a batch at a time, in no order."""
        yield from self._rows(session)

    def _rows(
        self, session: Session, condition: ColumnElement[bool] | None = None, to_write: bool = False
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        dialect = session.get_bind().dialect.name
        query = select(*(_raw(column, dialect).label(column.name) for column in self._columns))
        if condition is not None:
            query = query.where(condition)
        if to_write:
            query = query.with_for_update()
        for row in session.execute(query.execution_options(yield_per=_AT_ONCE)):
            yield self._keyed(row)

    def _keyed(self, row: Row[Any]) -> tuple[str, Mapping[str, Any]]:
        values = {name: _value(value, read) for (name, read), value in zip(self._readers, row, strict=True)}
        return self.key_of([values[column.name] for column in self._key]), values

    def _is_one_of(self, identities: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
        if len(self._key) == 1:
            return self._key[0].in_([identity[0] for identity in identities])
        pairs = (zip(self._key, identity, strict=True) for identity in identities)
        return or_(*(and_(*(column == value for column, value in pair)) for pair in pairs))

    def _identity(self, key: str) -> Sequence[Any] | None:
        """The primary key that the text stands for; None for one that no row of ours can have."""
        if not is_clean(key):
            return None
        if len(self._key) == 1:
            return [key]
        try:
            identity = json.loads(key)
        except (ValueError, RecursionError):
            return None
        is_sound = isinstance(identity, list) and len(identity) == len(self._key)
        return identity if is_sound else None


def is_clean(text: Any) -> bool:
    """True for a text that a database could have been given."""
    return isinstance(text, str) and not any("\ud800" <= character <= "\udfff" for character in text)


def _raw(column: Any, dialect: str) -> ColumnElement[Any]:
    """The column as little interpreted as can be: SQLite holds anything in any column.

    There, text and bytes come as bytes, with a letter in front that tells which it was; PostgreSQL keeps to
    the types, and only JSON comes as text.
    """
    if dialect != "sqlite":
        return cast(column, Text) if isinstance(column.type, JSON) else column
    bare = type_coerce(column, NullType())
    kind = func.typeof(bare)
    marked = [
        (kind == name, cast(literal_column(f"'{name[0]}'").op("||")(bare), LargeBinary))
        for name in ("text", "blob")
    ]
    return case(*marked, else_=bare)


def _value(raw: Any, read: Callable[[Any], Any]) -> Any:
    """The value as plain JSON; what is not of the column's type says so and is kept as it is."""
    if raw is None:
        return None
    if isinstance(raw, bytes | memoryview):  # SQLite
        mark, content = bytes(raw)[:1], bytes(raw)[1:]
        if mark == b"b":
            return {"bytes": content.hex()}
        raw = content.decode("utf-8", "surrogateescape")
    try:
        return read(raw)
    except (TypeError, ValueError, RecursionError):
        return {"unreadable": raw if isinstance(raw, str | int | float) else repr(raw)}


def _reader(kind: TypeEngine[Any]) -> Callable[[Any], Any]:
    """Reads a value of a column of this type; raises ValueError or TypeError at any other."""
    kind = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    readers = {
        JSON: _json,
        DateTime: _moment,
        Date: _date,
        Boolean: _truth,
        Float: _number,
        Integer: _integer,
    }
    return next((reader for of, reader in readers.items() if isinstance(kind, of)), _text)


def _json(raw: Any) -> dict[str, Any]:
    return {"json": json.loads(raw)}


def _moment(raw: Any) -> str:
    moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    return moment_text(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


def _date(raw: Any) -> str:
    return str((date.fromisoformat(raw) if isinstance(raw, str) else raw).isoformat())


def _truth(raw: Any) -> bool:
    return bool(_one_of(raw, isinstance(raw, int) and raw in (0, 1)))


def _number(raw: Any) -> float:
    return float(_one_of(raw, isinstance(raw, int | float)))


def _integer(raw: Any) -> int:
    return int(_one_of(raw, isinstance(raw, int)))


def _text(raw: Any) -> str:
    return str(_one_of(raw, isinstance(raw, str)))


def _one_of(raw: Any, is_fitting: bool) -> Any:
    if not is_fitting:
        raise ValueError("expected another type")
    return raw

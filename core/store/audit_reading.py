"""Rows of the audit log as they stand in the database, read so that no damage stops the reading."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Row, Text, cast

from core.audit.event import SealedEvent
from core.store.record_tables import AuditEventRow

_TEXTS = (
    "event_id",
    "at",
    "actor_id",
    "action",
    "object_type",
    "object_id",
    "before_hash",
    "after_hash",
    "request_id",
    "details",
    "previous_hash",
    "hash",
    "key_id",
    "seal",
    "records_hash",
)


def raw_columns(dialect: str) -> Sequence[ColumnElement[Any]]:
    """The columns of `audit_events` in the order of `SealedEvent`, as little interpreted as can be.

    SQLite holds anything in any column, so there all but the key come as bytes. PostgreSQL keeps to the
    types; there only the JSON comes as text.
    """
    if dialect == "sqlite":
        return [_column("seq"), *(cast(_column(name), LargeBinary) for name in _TEXTS)]
    columns = {name: _column(name) for name in _TEXTS}
    columns["details"] = cast(AuditEventRow.details, Text)
    return [_column("seq"), *columns.values()]


def read_row(row: Row[Any]) -> SealedEvent:
    """The row; a moment or JSON that cannot be read is None, which no hash was computed over."""
    values: dict[str, Any] = dict(zip(_TEXTS, map(_text, row[1:]), strict=True))
    values["at"] = _moment(values["at"])
    values["details"] = _json(values["details"])
    return SealedEvent(seq=row[0], **values)


def _column(name: str) -> ColumnElement[Any]:
    return AuditEventRow.__table__.c[name]


def _text(value: Any) -> Any:
    return bytes(value).decode("utf-8", "surrogateescape") if isinstance(value, bytes | memoryview) else value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _json(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return None

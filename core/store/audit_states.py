"""The repository of the states that events left records in."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Row, Select, cast, func, insert, select
from sqlalchemy.orm import Session

from core.audit.records import RecordState
from core.store.proven_tables import is_clean
from core.store.record_tables import AuditStateRow

_BATCH = 2_000
_TEXTS = ("table_name", "record_key", "digest", "fields")
_STATES = AuditStateRow.__table__.c


class StateRepository:
    """Rows of `audit_states` within one transaction; written with their event, never changed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, states: Sequence[tuple[int, RecordState]]) -> None:
        """Store states with the `seq` of their event."""
        rows = [
            {
                "seq": seq,
                "table_name": state.table,
                "record_key": state.key,
                "digest": state.digest,
                "fields": state.fields,
            }
            for seq, state in states
        ]
        if rows:
            self._session.execute(insert(AuditStateRow), rows)

    def all(self) -> Iterator[tuple[int, RecordState]]:
        """Every state with the `seq` of its event, ascending by that, whatever is in it."""
        yield from self._read(self._select().order_by(_STATES.seq))

    def newest(self, table: str) -> Iterator[tuple[int, RecordState]]:
        """The newest state of each record of a table with the `seq` of its event, in no order."""
        newest = (
            select(_STATES.record_key, func.max(_STATES.seq).label("seq"))
            .where(_STATES.table_name == table)
            .group_by(_STATES.record_key)
            .subquery()
        )
        query = self._select().join(
            newest, (_STATES.record_key == newest.c.record_key) & (_STATES.seq == newest.c.seq)
        )
        yield from self._read(query.where(_STATES.table_name == table))

    def present(self, table: str, keys: Collection[str]) -> set[str]:
        """Those of the keys whose records have a state."""
        clean = [key for key in keys if is_clean(key)]  # no other key was ever written
        query = select(_STATES.record_key).where(_STATES.table_name == table, _STATES.record_key.in_(clean))
        return set(self._session.scalars(query.distinct()))

    def _select(self) -> Select[Any]:
        dialect = self._session.get_bind().dialect.name
        return select(_STATES.seq, *(_raw(_STATES[name], dialect) for name in _TEXTS))

    def _read(self, query: Select[Any]) -> Iterator[tuple[int, RecordState]]:
        for row in self._session.execute(query.execution_options(yield_per=_BATCH)):
            yield _state(row)


def _raw(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    return cast(column, LargeBinary) if dialect == "sqlite" else column


def _state(row: Row[Any]) -> tuple[int, RecordState]:
    raw: Sequence[Any] = row[1:]
    texts = (
        bytes(value).decode("utf-8", "surrogateescape") if isinstance(value, bytes | memoryview) else value
        for value in raw
    )
    return row[0], RecordState(*texts)

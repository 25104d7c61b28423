"""Notices which proven records one transaction writes or removes, whatever part of the program does it."""

from functools import cache
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session

from core.audit.records import RecordState, removed_state, state_of
from core.store.proven_tables import PROVEN, ProvenTable


class RecordWatch:
    """The proven records that the session touched so far.

    Args:
        session: one transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._touched: dict[str, set[str]] = {}
        self._removed: dict[str, set[str]] = {}
        event.listen(session, "after_flush", self._after_flush)
        event.listen(session, "do_orm_execute", self._before_statement)

    def take(self) -> list[RecordState]:
        """The states of what was touched, as the transaction leaves them; forgets what it told."""
        states: list[RecordState] = []
        for name, keys in self._touched.items():
            found = proven_table(name).read(self._session, keys)
            states += (state_of(name, key, values) for key, values in found.items())
            states += (removed_state(name, key) for key in self._removed.get(name, set()) - found.keys())
        self._touched, self._removed = {}, {}
        return states

    def _after_flush(self, session: Session, _context: Any) -> None:
        for row in (*session.new, *session.dirty):
            self._note(inspect(row).mapper, row)
        for row in session.deleted:
            self._note(inspect(row).mapper, row, is_removed=True)

    def _note(self, mapper: Any, row: Any, *, is_removed: bool = False) -> None:
        name = mapper.local_table.description
        if name in _PROVEN:
            key = proven_table(name).key_of(mapper.primary_key_from_instance(row))
            self._add(name, key, is_removed=is_removed)

    def _before_statement(self, execution: ORMExecuteState) -> None:
        """Note the rows that a statement over many rows is about to change or remove."""
        if not (execution.is_update or execution.is_delete or execution.is_insert):
            return
        mapper = execution.bind_mapper
        name = mapper.local_table.description if mapper is not None else ""
        if mapper is None or name not in _PROVEN:
            return
        assert not execution.is_insert, f"rows of {name} are added one by one, so that each is proven"
        statement: Any = execution.statement
        query = select(*mapper.primary_key)
        if statement.whereclause is not None:
            query = query.where(statement.whereclause)
        for identity in execution.session.execute(query):
            self._add(name, proven_table(name).key_of(identity), is_removed=execution.is_delete)

    def _add(self, name: str, key: str, *, is_removed: bool) -> None:
        self._touched.setdefault(name, set()).add(key)
        if is_removed:
            self._removed.setdefault(name, set()).add(key)


_PROVEN = frozenset(PROVEN)


@cache
def proven_table(name: str) -> ProvenTable:
    """The table of this name, one of `PROVEN`."""
    return ProvenTable(name)

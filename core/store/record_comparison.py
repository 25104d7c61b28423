"""Comparing every proven record with the newest event about it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit import findings as say
from core.audit.findings import FaultList
from core.audit.records import RecordState, differing_fields
from core.store.audit_states import StateRepository
from core.store.proven_tables import PROVEN, ProvenTable
from core.store.record_tables import AuditEventRow
from core.store.record_watch import proven_table
from core.store.schema import METADATA

T = TypeVar("T")
_BATCH = 500
#: Actions of the events with which an upgrade takes up records of before, and that says that it is done.
TAKEN_UP, ALL_TAKEN_UP = "records.taken_up", "records.all_taken_up"


@dataclass(slots=True)
class Comparison:
    """The result of comparing so far.

    Attributes:
        faults: records that are not as the log says.
        n_records: compared.
        n_taken_up: of them, those that are known by the taking up at an upgrade only.
        n_unproven: records that no event tells of, while nothing says that all were taken up.
    """

    faults: FaultList = field(default_factory=FaultList)
    n_records: int = 0
    n_taken_up: int = 0
    n_unproven: int = 0


class RecordComparison:
    """Compares the records with their states as one transaction sees both; memory does not grow with them.

    Args:
        session: the transaction.
        progress: told how many records are done.
    """

    def __init__(self, session: Session, progress: Callable[[int], None]) -> None:
        self._session = session
        self._states = StateRepository(session)
        self._progress = progress
        self._is_all_proven = self._seqs_of(ALL_TAKEN_UP) != set()
        self._taken_up = self._seqs_of(TAKEN_UP)
        self._result = Comparison()

    def run(self, tables: Iterable[str] = PROVEN) -> Comparison:
        """The result for these tables."""
        for name in tables:
            table = proven_table(name)
            n_found = sum(self._compare(table, some) for some in _batches(self._states.newest(name)))
            if n_found != self._count(name):
                self._find_added(table)
        return self._result

    def _compare(self, table: ProvenTable, states: Sequence[tuple[int, RecordState]]) -> int:
        """Compare with these states; the number of their records that are there."""
        rows = table.read(self._session, [state.key for _, state in states])
        n_found = 0
        for seq, state in states:
            row = rows.get(state.key)
            n_found += row is not None
            if not state.is_removed:
                self._result.n_records += 1
                self._result.n_taken_up += seq in self._taken_up
                self._tell(table.noun, seq, state, row)
            elif row is not None:
                self._result.faults.add(say.record_added(table.noun, state.key))
        self._progress(self._result.n_records)
        return n_found

    def _tell(self, noun: str, seq: int, state: RecordState, row: Mapping[str, Any] | None) -> None:
        faults = self._result.faults
        if row is None:
            faults.add(say.record_removed(noun, state.key, *self._event(seq)))
            return
        for name in differing_fields(state, row):
            faults.add(say.record_changed(noun, state.key, name, *self._event(seq)))

    def _find_added(self, table: ProvenTable) -> None:
        """Tell of records that have no state."""
        for key, _ in without_state(self._session, table):
            if self._is_all_proven:
                self._result.faults.add(say.record_added(table.noun, key))
            else:
                self._result.n_unproven += 1

    def _event(self, seq: int) -> tuple[str, int, str | None]:
        """What the event is called, its place and its id; looked up only for what is told."""
        if not self._result.faults.has_room:
            return f"event {seq}", seq, None
        query = select(AuditEventRow.action, AuditEventRow.event_id).where(AuditEventRow.seq == seq)
        found = self._session.execute(query).one_or_none()
        if found is None:
            return f"event {seq}", seq, None
        return f"event {seq} ({found.action}, {found.event_id})", seq, found.event_id

    def _seqs_of(self, action: str) -> set[int]:
        query = select(AuditEventRow.seq).where(AuditEventRow.action == action)
        return set(self._session.scalars(query))

    def _count(self, table: str) -> int:
        return self._session.scalar(select(func.count()).select_from(METADATA.tables[table])) or 0


def without_state(session: Session, table: ProvenTable) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The records of the table that have no state, with their values."""
    states = StateRepository(session)
    for some in _batches(table.all(session)):
        known = states.present(table.name, [key for key, _ in some])
        yield from ((key, values) for key, values in some if key not in known)


def _batches(found: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(found, _BATCH)):
        yield some

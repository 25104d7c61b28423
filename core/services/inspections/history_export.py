"""Taking a list of inspections out of the product, which is itself an event."""

from collections.abc import Iterator

from core.domain.accounts import Identity
from core.domain.permissions import Action, require
from core.reports.history_csv import csv_lines
from core.services.inspections.inspection_record import is_blind_for
from core.store.inspection_history import HistoryEntry, HistoryFilter
from core.store.unit_of_work import Store

#: No more lines than this, the newest; a history shows no higher count either.
MAX_EXPORTED = 9_999
HIDDEN = "hidden until you have reviewed it"
_BATCH = 1_000


class HistoryExportService:
    """Exports from one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def csv(self, identity: Identity, wanted: HistoryFilter) -> Iterator[str]:
        """The newest `MAX_EXPORTED` inspections that `wanted` lets through, line by line.

        That they were exported is in the audit log before the first line.

        Raises:
            NotAllowedError: the role may not look at inspections; raised here, not at the first line.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.write() as work:
            entries: list[HistoryEntry] = []
            while len(entries) < MAX_EXPORTED:
                last = entries[-1].place if entries else None
                batch = work.history.search(wanted, min(_BATCH, MAX_EXPORTED - len(entries)), before=last)
                entries += batch
                if len(batch) < _BATCH:
                    break
            users = {one: work.users.find(one) for one in {entry.inspector_id for entry in entries} if one}
            work.audit.record(
                identity,
                action="inspections.exported",
                object_type="history",
                object_id="list",
                details={"format": "csv", "n_lines": len(entries)},
            )
        names = {one: user.shown_name for one, user in users.items() if user is not None}
        hidden = [
            one.inspection_id
            for one in entries
            if is_blind_for(identity, inspector_id=one.inspector_id, state=one.state)
        ]
        return csv_lines(entries, names, hidden=hidden, hidden_text=HIDDEN)

"""What the audit log tells of backups, drills and restores."""

from collections.abc import Mapping
from typing import Any

from core.domain.accounts import Identity
from core.store.unit_of_work import Store

MADE, DRILLED, RESTORED = "backup.made", "backup.drilled", "backup.restored"


def record(store: Store, identity: Identity, action: str, name: str, details: Mapping[str, Any]) -> None:
    """Write into the audit log what was done with the backup of that name.

    Raises:
        WorkbenchError, SQLAlchemyError: it cannot be written there.
    """
    with store.write() as work:
        work.audit.record(identity, action=action, object_type="backup", object_id=name, details=details)


def recovery_facts(store: Store) -> dict[str, Any]:
    """The last backup and the last drill that the log tells of, for health; it names nobody.

    Raises:
        WorkbenchError, SQLAlchemyError: the database cannot be asked.
    """
    with store.read() as work:
        made, drilled = work.audit.newest(MADE), work.audit.newest(DRILLED)
    facts: dict[str, Any] = {}
    for key, event in (("backup", made), ("drill", drilled)):
        details = dict(event.details) if event is not None and isinstance(event.details, dict) else {}
        at = None if event is None or event.at is None else event.at.isoformat()
        facts[key] = {"at": at, **({"name": event.object_id, **details} if event is not None else {})}
    return facts

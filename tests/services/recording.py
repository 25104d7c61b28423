"""A store whose audit log is a list, and a clock that a test sets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from core.domain.accounts import Identity, Role, User
from core.services.accounts.passwords import hash_password
from core.store.unit_of_work import Store

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Tells the time that it was set to."""

    now: datetime = START

    def __call__(self) -> datetime:
        """This moment."""
        return self.now

    def pass_(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)


@dataclass
class Recorded:
    """What was committed to the audit log."""

    events: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)

    def actions(self) -> list[str]:
        """The actions, in order."""
        return [action for _, action, _, _ in self.events]


class RecordingAudit:
    """Stands in for the audit repository of one transaction."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._noted: list[tuple[str, str, str, dict[str, Any]]] = []

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
    ) -> None:
        """Note it until the transaction is committed."""
        self._noted.append((identity.user_id, action, object_id, dict(details or {})))

    def flush(self) -> None:
        """Keep what was noted."""
        self._recorded.events += self._noted


def recording_store(engine: Engine, clock: Clock, recorded: Recorded) -> Store:
    """Transactions on the engine whose audit lines land in `recorded`."""
    return Store(engine, open_audit=lambda _session, _now: RecordingAudit(recorded), clock=clock)


def add_user(
    store: Store, name: str, password: str | None, role: Role = Role.INSPECTOR, **changes: Any
) -> User:
    """A stored account with a cheap hash of the password."""
    user = User(
        user_id=f"u-{name:0>16}",
        name=name,
        full_name=name.title(),
        role=role,
        is_active=True,
        must_change_password=False,
        credentials_version=1,
        created_at=START,
    )
    with store.write() as work:
        work.users.add(user, password_hash=hash_password(password, cost=4) if password else None)
        if changes.get("is_active") is False:
            work.users.set_active(user.user_id, False)
        if changes.get("must_change_password"):
            work.users.set_password(user.user_id, hash_password(str(password), cost=4), must_change=True)
        found = work.users.find(user.user_id)
    assert found is not None
    return found

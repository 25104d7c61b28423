"""The repositories of policies that an admin sets for everybody, and of one's own preferences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.store.account_tables import PolicyRow, PreferenceRow


class PolicyRepository:
    """Rows of `policies` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Mapping[str, Any] | None:
        """What was set under this name, None when nobody set anything."""
        row = self._session.get(PolicyRow, name)
        return None if row is None else row.value

    def put(self, name: str, value: Mapping[str, Any], *, by: str | None, at: datetime) -> None:
        """Set it, in place of an earlier value."""
        self._session.merge(PolicyRow(name=name, value=dict(value), set_by=by, set_at=at))
        self._session.flush()


class PreferenceRepository:
    """Rows of `preferences` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: str, name: str) -> Mapping[str, Any] | None:
        """What this person chose under this name, None when nothing."""
        row = self._session.get(PreferenceRow, (user_id, name))
        return None if row is None else row.value

    def of(self, user_id: str) -> dict[str, Mapping[str, Any]]:
        """Every choice of this person by name."""
        rows = self._session.scalars(select(PreferenceRow).where(PreferenceRow.user_id == user_id))
        return {row.name: row.value for row in rows}

    def put(self, user_id: str, name: str, value: Mapping[str, Any]) -> None:
        """Keep the choice, in place of an earlier one."""
        self._session.merge(PreferenceRow(user_id=user_id, name=name, value=dict(value)))
        self._session.flush()

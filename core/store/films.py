"""The repositories of seen areas and of zones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.store.film_tables import SeenAreaRow, ZoneRow


class SeenAreaRepository:
    """Rows of `seen_areas` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, inspection_id: str, user_id: str) -> str:
        """The cells that this person has seen, see `core.domain.seen`; empty when none was kept."""
        row = self._session.get(SeenAreaRow, (inspection_id, user_id))
        return "" if row is None else row.cells

    def put(self, inspection_id: str, user_id: str, cells: str, *, at: datetime) -> None:
        """Store them, in place of an earlier state."""
        self._session.merge(
            SeenAreaRow(inspection_id=inspection_id, user_id=user_id, cells=cells, updated_at=at)
        )
        self._session.flush()


class ZoneRepository:
    """Rows of `zones` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, inspection_id: str) -> Mapping[str, Any] | None:
        """The zone that a person drew, None when nobody did."""
        row = self._session.get(ZoneRow, inspection_id)
        return None if row is None else row.zone

    def put(self, inspection_id: str, zone: Mapping[str, Any], *, by: str, at: datetime) -> None:
        """Store it, in place of an earlier one."""
        self._session.merge(ZoneRow(inspection_id=inspection_id, zone=dict(zone), set_by=by, set_at=at))
        self._session.flush()

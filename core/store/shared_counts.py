"""The repositories of requests that are counted, and of people that are seen, by all processes together."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.store.shared_tables import RequestCountRow, SightingRow


class RequestCountRepository:
    """Rows of `request_counts` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def in_minute(self, caller: str, minute: int) -> int:
        """Number of requests that were counted."""
        row = self._session.get(RequestCountRow, (caller, minute), populate_existing=True)
        return 0 if row is None else row.n

    def add(self, caller: str, minute: int, *, most: int) -> int | None:
        """The number with one more; None, and nothing counted, when there are `most` already."""
        if most < 1:
            return None
        row = RequestCountRow
        kind: Any = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        statement = (
            kind.insert(row)
            .values(caller=caller, minute=minute, n=1)
            .on_conflict_do_update(
                index_elements=["caller", "minute"], set_={"n": row.n + 1}, where=row.n < most
            )
            .returning(row.n)
        )
        found = self._session.execute(statement).scalar()
        return None if found is None else int(found)

    def forget_before(self, minute: int) -> None:
        """Remove what is older."""
        self._session.execute(delete(RequestCountRow).where(RequestCountRow.minute < minute))


class SightingRepository:
    """Rows of `sightings` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def see(self, user_id: str, place: str, name: str, at: datetime) -> None:
        """Somebody is at this place and nowhere else."""
        self._session.merge(SightingRow(user_id=user_id, place=place, name=name, seen_at=at))
        self._session.flush()

    def others(self, user_id: str, place: str, since: datetime) -> list[str]:
        """Names of the others who were seen there since then, in order."""
        row = SightingRow
        query = select(row.name).where(row.place == place, row.user_id != user_id, row.seen_at >= since)
        return sorted(self._session.scalars(query))

    def forget_before(self, at: datetime) -> None:
        """Remove whoever was not seen since."""
        self._session.execute(delete(SightingRow).where(SightingRow.seen_at < at))

"""The repositories of what people looked at on a radiograph, measured and found on it first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.store.film_tables import FirstLookRow, MeasurementsRow, SeenAreaRow, ZoneRow


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


class MeasurementRepository:
    """Rows of `measurements` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, inspection_id: str) -> list[Mapping[str, Any]] | None:
        """The measures of an inspection, see `core.domain.measures`; None when none were kept."""
        row = self._session.get(MeasurementsRow, inspection_id)
        return None if row is None else list(row.measures)

    def put(
        self, inspection_id: str, measures: Sequence[Mapping[str, Any]], *, by: str, at: datetime
    ) -> None:
        """Store them, in place of an earlier state."""
        kept = [dict(one) for one in measures]
        self._session.merge(MeasurementsRow(inspection_id=inspection_id, measures=kept, set_by=by, set_at=at))
        self._session.flush()


@dataclass(frozen=True, slots=True, eq=False)
class KeptFirstLook:
    """A reading before the model was shown.

    Attributes:
        user_id: whose.
        found: see `core.domain.first_look.FirstLook`; None until it is done.
    """

    user_id: str
    found: Mapping[str, Any] | None


class FirstLookRepository:
    """Rows of `first_looks` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, inspection_id: str) -> KeptFirstLook | None:
        """The first look at an inspection; None where it was opened with the model on show."""
        row = self._session.get(FirstLookRow, inspection_id)
        return None if row is None else KeptFirstLook(row.user_id, row.found)

    def begin(self, inspection_id: str, user_id: str, *, at: datetime) -> None:
        """Keep that it began."""
        self._session.add(FirstLookRow(inspection_id=inspection_id, user_id=user_id, began_at=at))
        self._session.flush()

    def finish(self, inspection_id: str, found: Mapping[str, Any]) -> None:
        """Keep what was found; it must have begun."""
        self._session.get_one(FirstLookRow, inspection_id).found = dict(found)
        self._session.flush()

"""The repository of classes that an admin added."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.indication import IndicationClass
from core.domain.own_classes import OwnClass
from core.store.class_tables import OwnClassRow


class OwnClassRepository:
    """Rows of `own_classes` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, own: OwnClass, *, by: str | None, at: datetime) -> None:
        """Store the class, in place of an earlier state of it."""
        self._session.merge(
            OwnClassRow(
                code=own.code,
                name=own.name,
                colour=own.colour,
                stands_for=own.stands_for.value if own.stands_for else None,
                is_offered=own.is_offered,
                saved_by=by,
                saved_at=at,
            )
        )
        self._session.flush()

    def all(self) -> list[OwnClass]:
        """Every class, those that are offered first, by code."""
        query = select(OwnClassRow).order_by(OwnClassRow.is_offered.desc(), OwnClassRow.code)
        return [
            OwnClass(
                row.code,
                row.name,
                row.colour,
                IndicationClass(row.stands_for) if row.stands_for else None,
                row.is_offered,
            )
            for row in self._session.scalars(query)
        ]

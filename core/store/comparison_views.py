"""The repository of saved views of the comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from core.domain.errors import BadInputError
from core.store.comparison_tables import ComparisonViewRow


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """An address of the page under a name.

    Attributes:
        query: parameters of the address.
        is_shared: everybody who compares versions sees it.
        saved_at: UTC.
    """

    view_id: str
    name: str
    query: Mapping[str, str] = field(hash=False)
    is_shared: bool
    owner_id: str
    saved_at: datetime


class ComparisonViewRepository:
    """Rows of `comparison_views` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def seen_by(self, user_id: str) -> list[ComparisonView]:
        """The person's own and those for everybody, own ones first, each by name."""
        row = ComparisonViewRow
        query = select(row).where(or_(row.owner_id == user_id, row.is_shared))
        found = [_view(one) for one in self._session.scalars(query)]
        return sorted(found, key=lambda one: (one.owner_id != user_id, one.name.casefold(), one.view_id))

    def of(self, user_id: str) -> list[ComparisonView]:
        """The person's own, by name."""
        return [one for one in self.seen_by(user_id) if one.owner_id == user_id]

    def find(self, view_id: str) -> ComparisonView | None:
        """The view, None when there is none."""
        row = self._session.get(ComparisonViewRow, view_id)
        return None if row is None else _view(row)

    def put(self, one: ComparisonView) -> None:
        """Keep the view, in place of what was kept under its id.

        Raises:
            BadInputError: its owner has another one of this name.
        """
        taken = select(ComparisonViewRow.view_id).where(
            ComparisonViewRow.owner_id == one.owner_id,
            ComparisonViewRow.name == one.name,
            ComparisonViewRow.view_id != one.view_id,
        )
        if self._session.scalar(taken) is not None:
            raise BadInputError(f"you have a view {one.name!r} already: choose another name")
        self._session.merge(
            ComparisonViewRow(
                view_id=one.view_id,
                name=one.name,
                query=dict(one.query),
                is_shared=one.is_shared,
                owner_id=one.owner_id,
                saved_at=one.saved_at,
            )
        )
        self._session.flush()

    def remove(self, view_id: str) -> None:
        """Remove the view; nothing happens when there is none."""
        self._session.execute(delete(ComparisonViewRow).where(ComparisonViewRow.view_id == view_id))

    def forget(self, user_id: str) -> None:
        """Remove every view of a person."""
        self._session.execute(delete(ComparisonViewRow).where(ComparisonViewRow.owner_id == user_id))


def _view(row: ComparisonViewRow) -> ComparisonView:
    return ComparisonView(row.view_id, row.name, dict(row.query), row.is_shared, row.owner_id, row.saved_at)

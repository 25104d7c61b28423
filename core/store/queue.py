"""The repository of the queue of corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.domain.correction import CorrectionCase, FoundBox, Reason, Sent, found_box_from, sent_from
from core.domain.errors import StaleVersionError, UnknownRecordError
from core.store.learning_tables import QueueItemRow
from core.store.tables import ImageRow

_ROWS_AT_ONCE = 500


class QueueState(StrEnum):
    """State of an item."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Lease:
    """A person's hold on an item and its end, UTC."""

    user_id: str
    until: datetime


@dataclass(frozen=True, slots=True, eq=False)
class QueueItem:
    """An image to be looked at, as stored.

    Attributes:
        image_name: the name that the image was handed in under.
        boxes: what the finding is about.
        priority: see `core.domain.correction`.
        assigned_to: who should do it, None for whoever comes.
        lease: who is at it; it may have run out.
        note: why it was skipped.
        sent: by whom and from where, of an image that a person sent.
        version: counts up with every change but those of the lease.
    """

    item_id: str
    image_sha256: str
    image_name: str
    inspection_id: str | None
    model_name: str
    reason: Reason
    boxes: tuple[FoundBox, ...]
    priority: float
    state: QueueState
    assigned_to: str | None
    lease: Lease | None
    note: str
    version: int
    created_at: datetime
    updated_at: datetime
    closed_by: str | None
    sent: Sent | None = None

    @property
    def place(self) -> tuple[float, str]:
        """Place of this line in the order, for the beginning of the next page."""
        return self.priority, self.item_id

    def holder(self, now: datetime) -> str | None:
        """The person at it at this moment, None when nobody is."""
        return self.lease.user_id if self.lease is not None and self.lease.until > now else None


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Filter for items; None leaves a condition out.

    Attributes:
        assigned_to: a user id.
        text: occurs in the name of the image, in any letter case.
    """

    state: QueueState | None = QueueState.OPEN
    reason: Reason | None = None
    model_name: str | None = None
    assigned_to: str | None = None
    text: str = ""


class QueueRepository:
    """Rows of `queue_items` within one transaction.

    Args:
        session: of the transaction.
        now: the moment that changes bear, UTC.
    """

    def __init__(self, session: Session, *, now: datetime) -> None:
        self._session = session
        self._now = now

    def put(self, findings: Sequence[tuple[str, CorrectionCase]]) -> int:
        """Add the findings that are new, each with an id for its item; returns their number."""
        dialect = self._session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        added = 0
        for begin in range(0, len(findings), _ROWS_AT_ONCE):
            rows = [
                _values(item_id, one, self._now) for item_id, one in findings[begin : begin + _ROWS_AT_ONCE]
            ]
            query = insert(QueueItemRow).values(rows).on_conflict_do_nothing(index_elements=["finding_key"])
            added += len(list(self._session.scalars(query.returning(QueueItemRow.item_id))))
        return added

    def find(self, item_id: str) -> QueueItem | None:
        """The item, None when there is none."""
        row = self._session.execute(_ITEMS.where(QueueItemRow.item_id == item_id)).first()
        return None if row is None else _item(row)

    def of_image(self, image_sha256: str, *, state: QueueState | None = QueueState.OPEN) -> list[QueueItem]:
        """The items of an image, the most urgent first."""
        query = _ITEMS.where(QueueItemRow.image_sha256 == image_sha256)
        if state is not None:
            query = query.where(QueueItemRow.state == state.value)
        query = query.order_by(QueueItemRow.priority.desc(), QueueItemRow.item_id.desc())
        return [_item(row) for row in self._session.execute(query)]

    def search(
        self, wanted: QueueFilter, limit: int, *, before: tuple[float, str] | None = None
    ) -> list[QueueItem]:
        """At most `limit` items, the most urgent first, after the one at the place `before`."""
        row = QueueItemRow
        query = select(row.item_id).where(*_conditions(wanted))
        if before is not None:
            query = query.where(tuple_(row.priority, row.item_id) < before)
        query = query.order_by(row.priority.desc(), row.item_id.desc()).limit(limit)
        ids = list(self._session.scalars(query))  # from the index alone; then only these rows are read
        found = map(_item, self._session.execute(_ITEMS.where(row.item_id.in_(ids))))
        items = {one.item_id: one for one in found}
        return [items[one] for one in ids]

    def counts(self) -> Mapping[tuple[QueueState, Reason], int]:
        """Numbers of items by state and reason."""
        query = select(QueueItemRow.state, QueueItemRow.reason, func.count())
        rows = self._session.execute(query.group_by(QueueItemRow.state, QueueItemRow.reason))
        return {(QueueState(state), Reason(reason)): count for state, reason, count in rows}

    def count(self, wanted: QueueFilter) -> int:
        """Number of items that `wanted` lets through."""
        query = select(func.count()).select_from(QueueItemRow).where(*_conditions(wanted))
        return int(self._session.scalar(query) or 0)

    def next_for(self, user_id: str, wanted: QueueFilter, *, but_not: Sequence[str] = ()) -> QueueItem | None:
        """The most urgent open item that nobody else is at and that is not meant for somebody else.

        Items that are assigned to this person come before all others.

        Args:
            user_id: who wants to work.
            wanted: filters; the state counts as open.
            but_not: images that are left out.
        """
        row = QueueItemRow
        query = (
            select(row.item_id)
            .where(*_conditions(wanted), row.state == QueueState.OPEN.value)
            .where(or_(row.assigned_to.is_(None), row.assigned_to == user_id))
            .where(or_(row.leased_by.is_(None), row.leased_by == user_id, row.leased_until <= self._now))
        )
        if but_not:
            query = query.where(row.image_sha256.not_in(but_not))
        query = query.order_by(row.priority.desc(), row.item_id.desc()).limit(1)
        query = query.with_for_update(skip_locked=True)
        mine = self._session.scalar(query.where(row.assigned_to == user_id))
        found = mine or self._session.scalar(query)
        return None if found is None else self.find(found)

    def lease(self, image_sha256: str, user_id: str, until: datetime) -> int:
        """Lease the open items of the image to this person, except those of others; returns their number."""
        row = QueueItemRow
        is_free = or_(row.leased_by.is_(None), row.leased_by == user_id, row.leased_until <= self._now)
        held = (row.image_sha256 == image_sha256, row.state == QueueState.OPEN.value, is_free)
        query = update(row).where(*held).values(leased_by=user_id, leased_until=until).returning(row.item_id)
        return len(list(self._session.scalars(query)))

    def release(self, image_sha256: str, user_id: str) -> None:
        """Give back what this person holds of the image."""
        mine = (QueueItemRow.image_sha256 == image_sha256, QueueItemRow.leased_by == user_id)
        self._session.execute(update(QueueItemRow).where(*mine).values(leased_by=None, leased_until=None))

    def change(self, item: QueueItem, *, expected_version: int, **values: Any) -> None:
        """Change columns of the item, and count its version up.

        Raises:
            UnknownRecordError: it is gone.
            StaleVersionError: somebody changed it since.
        """
        row = self._session.get(QueueItemRow, item.item_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise UnknownRecordError("there is no such item in the queue")
        if row.version != expected_version:
            raise StaleVersionError("the item of the queue", yours=expected_version, stored=row.version)
        for name, value in {**values, "version": expected_version + 1, "updated_at": self._now}.items():
            setattr(row, name, value)
        self._session.flush()


_ITEMS: Select[QueueItemRow, str] = select(QueueItemRow, ImageRow.name).join(
    ImageRow, ImageRow.sha256 == QueueItemRow.image_sha256
)


def _conditions(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    row = QueueItemRow
    equal = (
        (row.state, wanted.state and wanted.state.value),
        (row.reason, wanted.reason and wanted.reason.value),
        (row.model_name, wanted.model_name),
        (row.assigned_to, wanted.assigned_to),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.text.strip():
        named = select(ImageRow.sha256).where(ImageRow.name.icontains(wanted.text.strip(), autoescape=True))
        conditions.append(row.image_sha256.in_(named))
    return conditions


def _values(item_id: str, finding: CorrectionCase, now: datetime) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "finding_key": finding.key,
        "image_sha256": finding.image_sha256,
        "inspection_id": finding.inspection_id,
        "model_name": finding.model_name,
        "reason": finding.reason.value,
        "detail": {
            "boxes": [one.to_dict() for one in finding.boxes],
            **({"sent": finding.sent.to_dict()} if finding.sent else {}),
        },
        "priority": finding.priority,
        "state": QueueState.OPEN.value,
        "assigned_to": None,
        "leased_by": None,
        "leased_until": None,
        "note": "",
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "closed_by": None,
    }


def _item(found: Any) -> QueueItem:
    row, name = found
    is_held = row.leased_by is not None and row.leased_until is not None
    return QueueItem(
        item_id=row.item_id,
        image_sha256=row.image_sha256,
        image_name=name,
        inspection_id=row.inspection_id,
        model_name=row.model_name,
        reason=Reason(row.reason),
        boxes=tuple(found_box_from(one) for one in row.detail["boxes"]),
        priority=row.priority,
        state=QueueState(row.state),
        assigned_to=row.assigned_to,
        lease=Lease(row.leased_by, row.leased_until) if is_held else None,
        note=row.note,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        closed_by=row.closed_by,
        sent=sent_from(row.detail["sent"]) if "sent" in row.detail else None,
    )

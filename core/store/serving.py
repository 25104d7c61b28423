"""The repositories of what served when, and of requests to promote against the gate."""

from dataclasses import fields, replace
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.domain.errors import UnknownRecordError
from core.domain.serving import ChangeKind, PromotionRequest, RequestState, ServingChange
from core.store.learning_tables import ServingChangeRow
from core.store.promotion_tables import PromotionRequestRow

#: Any number, as long as nothing else in the database locks it.
_SERVING_LOCK = 0x73657276


class ServingRepository:
    """Rows of `serving_changes` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold(self) -> None:
        """Let nobody else change or look after aliases until this transaction ends.

        SQLite's writers take turns anyhow.
        """
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SERVING_LOCK})

    def add(self, change: ServingChange) -> ServingChange:
        """The change as it was kept: later than the one before, also where a transaction had to wait."""
        before = self.newest(change.model_name).get(change.alias)
        if before is not None and change.changed_at <= before.changed_at:
            change = replace(change, changed_at=before.changed_at + timedelta(microseconds=1))
        values = {one.name: getattr(change, one.name) for one in fields(change)}
        self._session.add(ServingChangeRow(**values | {"kind": change.kind.value, "gate": dict(change.gate)}))
        self._session.flush()
        return change

    def of(self, model_name: str, alias: str | None = None) -> list[ServingChange]:
        """Every change of the model, or of one alias of it, oldest first."""
        query = select(ServingChangeRow).where(ServingChangeRow.model_name == model_name)
        if alias is not None:
            query = query.where(ServingChangeRow.alias == alias)
        rows = self._session.scalars(query.order_by(ServingChangeRow.changed_at, ServingChangeRow.change_id))
        return [_change(row) for row in rows]

    def model_names(self) -> list[str]:
        """Every model that anything was recorded of."""
        return sorted(self._session.scalars(select(ServingChangeRow.model_name).distinct()))

    def newest(self, model_name: str) -> dict[str, ServingChange]:
        """The last change of each alias of the model."""
        return {change.alias: change for change in self.of(model_name)}

    def at(self, model_name: str, alias: str, moment: datetime) -> ServingChange | None:
        """The change of the alias that was in force at `moment`, None before the first one."""
        query = select(ServingChangeRow).where(
            ServingChangeRow.model_name == model_name,
            ServingChangeRow.alias == alias,
            ServingChangeRow.changed_at <= moment,
        )
        newest_first = (ServingChangeRow.changed_at.desc(), ServingChangeRow.change_id.desc())
        row = self._session.scalars(query.order_by(*newest_first).limit(1)).first()
        return None if row is None else _change(row)


class PromotionRequestRepository:
    """Rows of `promotion_requests` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, request: PromotionRequest) -> None:
        """Keep the request."""
        values = {one.name: getattr(request, one.name) for one in fields(request)}
        self._session.add(
            PromotionRequestRow(**values | {"state": request.state.value, "gate": dict(request.gate)})
        )
        self._session.flush()

    def find(self, request_id: str) -> PromotionRequest:
        """The request; on PostgreSQL nobody else decides on it until this transaction ends.

        Raises:
            UnknownRecordError: there is none.
        """
        row = self._session.get(PromotionRequestRow, request_id, with_for_update=True)
        if row is None:
            raise UnknownRecordError(f"there is no request {request_id!r} to promote a version")
        return _request(row)

    def open_of(self, model_name: str) -> list[PromotionRequest]:
        """Requests that wait for a second person, oldest first."""
        query = select(PromotionRequestRow).where(
            PromotionRequestRow.model_name == model_name,
            PromotionRequestRow.state == RequestState.OPEN.value,
        )
        rows = self._session.scalars(query.order_by(PromotionRequestRow.requested_at))
        return [_request(row) for row in rows]

    def close(self, request_id: str, state: RequestState, *, by: str | None, at: datetime) -> None:
        """Say what became of the request."""
        row = self._session.get_one(PromotionRequestRow, request_id)
        row.state, row.closed_by, row.closed_at = state.value, by, at
        self._session.flush()


def _change(row: ServingChangeRow) -> ServingChange:
    values = {one.name: getattr(row, one.name) for one in fields(ServingChange)}
    return ServingChange(**values | {"kind": ChangeKind(row.kind)})


def _request(row: PromotionRequestRow) -> PromotionRequest:
    values = {one.name: getattr(row, one.name) for one in fields(PromotionRequest)}
    return PromotionRequest(**values | {"state": RequestState(row.state)})

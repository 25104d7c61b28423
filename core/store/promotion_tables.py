"""The table of requests to promote a version against the gate."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class PromotionRequestRow(Base):
    """A request to promote a version that the gate refused: person, reason, state."""

    __tablename__ = "promotion_requests"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'granted', 'declined', 'withdrawn')", "state_is_known"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", "closed_has_end"),
        CheckConstraint("state <> 'granted' OR closed_by <> requested_by", "two_people_grant"),
        Index("ix_promotion_requests_model_name_state", "model_name", "state"),
    )

    request_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64))
    alias: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    current_version: Mapped[int | None] = mapped_column(Integer)
    gate: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

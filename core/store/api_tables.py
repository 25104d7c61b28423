"""Tables of the REST API: keys, their last use, and answers that are given again when asked again."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class ApiKeyRow(Base):
    """An API key. The key itself is nowhere: `token_hash` is its SHA-256."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiKeyUseRow(Base):
    """When a key was last used."""

    __tablename__ = "api_key_uses"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.key_id"), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApiAnswerRow(Base):
    """The answer to a request with an `Idempotency-Key`; `status` is None while it is being worked on."""

    __tablename__ = "api_answers"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

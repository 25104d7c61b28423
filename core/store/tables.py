"""The base of all tables, and those of images and jobs.

The migrations build the same schema; a test compares both. `core.store.schema` holds the whole of it.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment; stored as UTC, read back as UTC, also from SQLite which knows no zones.

    Raises:
        ValueError: when a moment without a zone is bound.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a moment with a time zone, got {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraints have predictable names, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ImageRow(Base):
    """A radiograph that was handed in: a file in the blob store, or one frame of it.

    `sha256` names the picture, `file_sha256` its file; `frame` counts from 1 and is None where the file holds
    one picture.

    `fields` are DICONDE fields, keyword to text; `uploaded_by` is None for what no account brought.
    """

    __tablename__ = "images"
    __table_args__ = (
        CheckConstraint("length(sha256) = 64", "sha256_is_hex_digest"),
        CheckConstraint("width > 0 AND height > 0", "has_pixels"),
        CheckConstraint("frame IS NOT NULL OR file_sha256 = sha256", "picture_is_file_or_frame"),
        CheckConstraint("(mm_per_px IS NULL) = (pitch_source IS NULL)", "pitch_has_source"),
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    file_sha256: Mapped[str] = mapped_column(String(64), index=True)
    frame: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(255))
    file_format: Mapped[str] = mapped_column(String(16))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    bit_depth: Mapped[int] = mapped_column(Integer)
    polarity: Mapped[str] = mapped_column(String(16))
    mm_per_px: Mapped[float | None] = mapped_column(Float)
    pitch_source: Mapped[str | None] = mapped_column(String(64))
    n_bytes: Mapped[int] = mapped_column(Integer)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    uploaded_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class JobRow(Base):
    """A long piece of work: what it is, how far it is, what it said last.

    `heartbeat_at` is when its worker was last alive: a running job without a heartbeat was interrupted.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')", "state_is_known"
        ),
        CheckConstraint("progress >= 0 AND progress <= 1", "progress_is_a_fraction"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), index=True)
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    message: Mapped[str] = mapped_column(String(1000), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    device: Mapped[str] = mapped_column(String(16), default="cpu", server_default="cpu")
    started_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_cancel_wanted: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")

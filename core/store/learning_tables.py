"""Tables of learning: evaluation sets and results, queue of corrections, data versions, what served."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class EvaluationSetRow(Base):
    """Images with recorded boxes that versions are measured on; `source` says where they lie."""

    __tablename__ = "evaluation_sets"

    set_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    model_name: Mapped[str] = mapped_column(String(64), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[dict[str, Any]] = mapped_column(JSON)
    n_images: Mapped[int] = mapped_column(Integer)
    n_boxes: Mapped[int] = mapped_column(Integer)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EvaluationRow(Base):
    """The figures of a model version on a set; a file holds what each box did."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint(
            "model_sha256", "calibration_id", "set_digest", "figures_version", name="uq_evaluations_what"
        ),
    )

    evaluation_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64), index=True)
    model_version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    calibration_id: Mapped[str] = mapped_column(String(16))
    set_digest: Mapped[str] = mapped_column(ForeignKey("evaluation_sets.digest"), index=True)
    figures_version: Mapped[int] = mapped_column(Integer)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    outcomes_sha256: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(16))
    elapsed_ms: Mapped[float] = mapped_column(Float)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class QueueItemRow(Base):
    """An image that somebody should look at and label, why, and who is at it until when."""

    __tablename__ = "queue_items"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'skipped')", "state_is_known"),
        CheckConstraint("(leased_by IS NULL) = (leased_until IS NULL)", "lease_has_end"),
        Index(
            "ix_queue_items_worklist",  # all that the queue filters, counts and orders by
            "state",
            "priority",
            "item_id",
            "reason",
            "model_name",
            "assigned_to",
            "image_sha256",
        ),
    )

    item_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    #: Identity of a finding; found again, it is not queued again.
    finding_key: Mapped[str] = mapped_column(String(160), unique=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    inspection_id: Mapped[str | None] = mapped_column(ForeignKey("inspections.inspection_id"), index=True)
    model_name: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(32), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    priority: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(16))
    assigned_to: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    leased_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(1000), default="")
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))


class DataVersionRow(Base):
    """A manifest of images and annotation versions, never changed; it lies in a file under its sha256."""

    __tablename__ = "data_versions"

    manifest_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64), index=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    note: Mapped[str] = mapped_column(Text)
    licence: Mapped[str] = mapped_column(String(255))
    parent_sha256: Mapped[str | None] = mapped_column(ForeignKey("data_versions.manifest_sha256"))
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ServingChangeRow(Base):
    """From this moment on an alias pointed to another version: by whom, which gate, with whose consent."""

    __tablename__ = "serving_changes"
    __table_args__ = (Index("ix_serving_changes_model_name_changed_at", "model_name", "changed_at"),)

    change_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64))
    alias: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    previous_version: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    gate: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    consent_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

"""Tables of the workstation: worklists, templates, rule sets, scales, disagreements."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Float, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class WorklistRow(Base):
    """An image on somebody's worklist; a reload or a restart finds it there again.

    `model` is the registered model that reads it; where no person chose it for this very image, what looks
    strange to it is read by the model for new parts.
    """

    __tablename__ = "worklist"
    __table_args__ = (Index("ix_worklist_user_id_added_at", "user_id", "added_at"),)

    entry_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"))
    name: Mapped[str] = mapped_column(String(255))
    polarity: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(64), server_default="weld")
    setup: Mapped[dict[str, Any]] = mapped_column(JSON)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    batch: Mapped[str] = mapped_column(String(ID_LENGTH), default="", server_default="")
    is_model_chosen: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class SetupTemplateRow(Base):
    """A setup under a name, for the next part of the kind."""

    __tablename__ = "setup_templates"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    setup: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RuleSetRow(Base):
    """One version of an acceptance table, as YAML; shipped ones are in the program, not here."""

    __tablename__ = "rule_sets"

    rule_set_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ImageScaleRow(Base):
    """A scale that a person drew on an image, or a pixel pitch that they typed; the newest one counts."""

    __tablename__ = "image_scales"
    __table_args__ = (CheckConstraint("mm_per_px > 0", "scale_is_positive"),)

    scale_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    mm_per_px: Mapped[float] = mapped_column(Float)
    known_mm: Mapped[float] = mapped_column(Float)
    measured_px: Mapped[float] = mapped_column(Float)
    set_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_typed: Mapped[bool] = mapped_column(default=False, server_default=false())


class DisagreementRow(Base):
    """Differences between a signed reading and the model, for correction and retraining."""

    __tablename__ = "disagreements"

    disagreement_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), index=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    indication: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

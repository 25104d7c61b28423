"""Tables of what follows a promotion: observed images, drift alarms, shadow readings, qualifications."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class ObservationRow(Base):
    """An image that a version read, as figures and embedding (float16); no figures where it failed."""

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_model_sha256_observed_at", "model_sha256", "observed_at"),)

    model_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    observed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    equipment: Mapped[str] = mapped_column(String(255))
    part: Mapped[str] = mapped_column(String(128))
    figures: Mapped[dict[str, float]] = mapped_column(JSON)
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary)


class DriftAlarmRow(Base):
    """The images that a version reads changed; void until somebody acknowledges it with a note."""

    __tablename__ = "drift_alarms"
    __table_args__ = (
        CheckConstraint("(acknowledged_at IS NULL) OR (note <> '')", "acknowledged_has_note"),
        Index("ix_drift_alarms_model_sha256", "model_sha256"),
    )

    alarm_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    scope_kind: Mapped[str] = mapped_column(String(16))
    scope_value: Mapped[str] = mapped_column(String(255))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    n_reference: Mapped[int] = mapped_column(Integer)
    n_recent: Mapped[int] = mapped_column(Integer)
    result: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    note: Mapped[str] = mapped_column(Text)
    is_new_reference: Mapped[bool] = mapped_column(Boolean)


class ShadowReadingRow(Base):
    """The challenger on an image that the champion read; nobody sees it while reading."""

    __tablename__ = "shadow_readings"
    __table_args__ = (Index("ix_shadow_readings_challenger_sha256_read_at", "challenger_sha256", "read_at"),)

    challenger_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    champion_sha256: Mapped[str] = mapped_column(String(64))
    model_name: Mapped[str] = mapped_column(String(64))
    champion: Mapped[int] = mapped_column(Integer)
    challenger: Mapped[int] = mapped_column(Integer)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    n_champion: Mapped[int] = mapped_column(Integer)
    n_challenger: Mapped[int] = mapped_column(Integer)
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    problem: Mapped[str] = mapped_column(String(255))


class QualificationRow(Base):
    """Somebody declares a version qualified for equipment and material, by a procedure and until a day."""

    __tablename__ = "qualifications"
    __table_args__ = (Index("ix_qualifications_model_sha256", "model_sha256"),)

    qualification_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    calibration_id: Mapped[str] = mapped_column(String(64))
    procedure: Mapped[str] = mapped_column(String(255))
    evaluation_set: Mapped[str] = mapped_column(String(255))
    detection: Mapped[str] = mapped_column(String(500))
    equipment: Mapped[list[str]] = mapped_column(JSON)
    materials: Mapped[list[str]] = mapped_column(JSON)
    expires_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text)
    qualified_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    qualified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_note: Mapped[str] = mapped_column(Text)


class FrozenVersionRow(Base):
    """The files of a version as they were when it came into use, by digest."""

    __tablename__ = "frozen_versions"

    model_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    files: Mapped[dict[str, str]] = mapped_column(JSON)
    frozen_at: Mapped[datetime] = mapped_column(UtcDateTime)

"""Tables of what was found and decided: inspections, annotations, reviews, signatures; the audit log."""

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


class InspectionRow(Base):
    """One model version on one radiograph, and what a person decided about it.

    `search_text` and `found` are what `core.store.inspection_history` looks for; it lists those with
    `opened_at`. `override` is what stood against a signed disposition, and why it was signed.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint(
            "disposition IN ('accept', 'reject', 'refer', 'repair', 're-shoot', 'review')",
            "disposition_is_known",
        ),
        CheckConstraint("version >= 1", "version_counts_from_one"),
        CheckConstraint("state IN ('open', 'signed', 'concurred', 'returned')", "state_is_known"),
        Index(
            "ix_inspections_history",  # all that the history filters by, so that it reads no whole rows
            "created_at",
            "inspection_id",
            "search_text",
            "found",
            "disposition",
            "state",
            "model_name",
            "model_version",
            "inspector_id",
            "opened_at",
        ),
    )

    inspection_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), index=True)
    image_name: Mapped[str] = mapped_column(String(255))
    polarity: Mapped[str] = mapped_column(String(16))
    polarity_ground: Mapped[str | None] = mapped_column(String(16))
    inspector_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"), index=True)
    model_name: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    calibration_id: Mapped[str] = mapped_column(String(64))
    score_cut: Mapped[float] = mapped_column(Float)
    operating_probability: Mapped[float] = mapped_column(Float)
    detections: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disposition: Mapped[str | None] = mapped_column(String(16))
    standard: Mapped[str | None] = mapped_column(String(64))
    quality_level: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    part: Mapped[str] = mapped_column(String(128), index=True)
    setup: Mapped[dict[str, Any]] = mapped_column(JSON)
    image_quality: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), index=True)
    revision_of: Mapped[str | None] = mapped_column(ForeignKey("inspections.inspection_id"))
    search_text: Mapped[str] = mapped_column(String(520), default="", server_default="")
    found: Mapped[str] = mapped_column(String(255), default="", server_default="")
    reshoot_reason: Mapped[str | None] = mapped_column(String(32))
    override: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    familiarity: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class AnnotationRow(Base):
    """All boxes on an image as one author left them; the next change is the next version."""

    __tablename__ = "annotations"
    __table_args__ = (
        UniqueConstraint("image_sha256", "track", "version", name="uq_annotations_image_track_version"),
        CheckConstraint("source IN ('model', 'human')", "source_is_known"),
        CheckConstraint("(source = 'human') = (author_id IS NOT NULL)", "human_has_author"),
        CheckConstraint("version >= 1", "version_counts_from_one"),
    )

    annotation_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"))
    track: Mapped[str] = mapped_column(String(ID_LENGTH))
    inspection_id: Mapped[str | None] = mapped_column(ForeignKey("inspections.inspection_id"), index=True)
    version: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(8))
    author_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"), index=True)
    model_name: Mapped[str | None] = mapped_column(String(64))
    model_version: Mapped[int | None] = mapped_column(Integer)
    boxes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReviewRow(Base):
    """A second person's review of one version of an inspection."""

    __tablename__ = "reviews"
    __table_args__ = (CheckConstraint("outcome IN ('concurs', 'returns')", "outcome_is_known"),)

    review_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), index=True)
    inspection_version: Mapped[int] = mapped_column(Integer)
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    outcome: Mapped[str] = mapped_column(String(16))
    own_disposition: Mapped[str | None] = mapped_column(String(16))
    own_version: Mapped[int | None] = mapped_column(Integer)
    changed_disposition: Mapped[str | None] = mapped_column(String(16))
    changed_version: Mapped[int | None] = mapped_column(Integer)
    change_reason: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignatureRow(Base):
    """A signature and its meaning; `seal` is the keyed digest over all of it."""

    __tablename__ = "signatures"

    signature_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), index=True)
    inspection_version: Mapped[int] = mapped_column(Integer)
    signer_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    meaning: Mapped[str] = mapped_column(String(32))
    content_sha256: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seal: Mapped[str] = mapped_column(String(64))


class SignedJudgementRow(Base):
    """The verdict that a signature is for, word for word: a later release may judge or word it otherwise."""

    __tablename__ = "signed_judgements"

    signature_id: Mapped[str] = mapped_column(ForeignKey("signatures.signature_id"), primary_key=True)
    judgement: Mapped[dict[str, Any]] = mapped_column(JSON)


class SignedCertificateRow(Base):
    """The certificate of the signer that goes with a signature, as it was when it was given."""

    __tablename__ = "signed_certificates"

    signature_id: Mapped[str] = mapped_column(ForeignKey("signatures.signature_id"), primary_key=True)
    certificate: Mapped[dict[str, Any]] = mapped_column(JSON)


class AuditEventRow(Base):
    """One line of the audit log, chained to the one before by its hash and sealed with our key.

    `actor_id` is no foreign key: the log stays whole whatever happens to the tables it tells about.
    """

    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(32), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    action: Mapped[str] = mapped_column(String(64), index=True)
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(128))
    before_hash: Mapped[str | None] = mapped_column(String(64))
    after_hash: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(8))
    seal: Mapped[str] = mapped_column(String(64))
    records_hash: Mapped[str | None] = mapped_column(String(64))


class AuditStateRow(Base):
    """A record as an event left it, as digests: what `core.audit.records` compares the record with."""

    __tablename__ = "audit_states"
    __table_args__ = (Index("ix_audit_states_record", "table_name", "record_key", "seq"),)

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    table_name: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_key: Mapped[str] = mapped_column(String(160), primary_key=True)
    digest: Mapped[str | None] = mapped_column(String(64))
    fields: Mapped[str] = mapped_column(Text)


class AuditHeadRow(Base):
    """The newest event, sealed; one row, changed with every event in the same transaction."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", "is_the_only_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(8))
    seal: Mapped[str] = mapped_column(String(64))

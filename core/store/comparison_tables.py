"""Tables beside the comparison of versions: saved views, and notes on a place of an image."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class ComparisonViewRow(Base):
    """The address of a comparison under a name, of one person, perhaps shown to everybody who compares."""

    __tablename__ = "comparison_views"
    __table_args__ = (UniqueConstraint("owner_id", "name", name="uq_comparison_views_owner_id_name"),)

    view_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[dict[str, str]] = mapped_column(JSON)
    is_shared: Mapped[bool] = mapped_column(Boolean)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PlaceNoteRow(Base):
    """A note on an image, or on a box of it in px, or an answer to one, or its withdrawal; append-only.

    `image_sha256` is no foreign key: an image may lie in an evaluation set alone.
    """

    __tablename__ = "place_notes"
    __table_args__ = (CheckConstraint("(answers IS NULL) OR (withdraws IS NULL)", "is_one_kind"),)

    note_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    image_sha256: Mapped[str] = mapped_column(String(64), index=True)
    box: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    model_name: Mapped[str] = mapped_column(String(64))
    versions: Mapped[dict[str, Any]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    answers: Mapped[str | None] = mapped_column(ForeignKey("place_notes.note_id"))
    withdraws: Mapped[str | None] = mapped_column(ForeignKey("place_notes.note_id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

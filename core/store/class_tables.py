"""The table of classes that an admin added."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base, UtcDateTime


class OwnClassRow(Base):
    """A class of labels beside those of the models; one that is not offered any more stays for its labels."""

    __tablename__ = "own_classes"

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    colour: Mapped[str] = mapped_column(String(7))
    stands_for: Mapped[str | None] = mapped_column(String(32))
    is_offered: Mapped[bool] = mapped_column(Boolean)
    saved_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)

"""Tables of what several processes have to know of each other, and nobody needs a minute later."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.account_tables import ID_LENGTH
from core.store.tables import Base, UtcDateTime


class RequestCountRow(Base):
    """Requests of one caller of the API in one minute since the epoch."""

    __tablename__ = "request_counts"

    caller: Mapped[str] = mapped_column(String(80), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    n: Mapped[int] = mapped_column(Integer)


class SightingRow(Base):
    """Somebody at the place where they are now; the name is what others are shown."""

    __tablename__ = "sightings"

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    place: Mapped[str] = mapped_column(String(160), index=True)
    name: Mapped[str] = mapped_column(String(255))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)

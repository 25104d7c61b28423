"""Tables of what people looked at on a radiograph, the zone that counts, measures, and first looks."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base, UtcDateTime


class SeenAreaRow(Base):
    """The cells of a radiograph that a person has seen at 1:1 or more while reading an inspection."""

    __tablename__ = "seen_areas"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    cells: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ZoneRow(Base):
    """The zone of an inspection as a person drew it; one without points stands for "no zone"."""

    __tablename__ = "zones"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), primary_key=True)
    zone: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MeasurementsRow(Base):
    """The measures that people drew on the radiograph of an inspection, in px of it."""

    __tablename__ = "measurements"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), primary_key=True)
    measures: Mapped[list[Any]] = mapped_column(JSON)
    set_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FirstLookRow(Base):
    """The reading of an inspection before the model was shown; `found` is missing until it is done."""

    __tablename__ = "first_looks"

    inspection_id: Mapped[str] = mapped_column(ForeignKey("inspections.inspection_id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

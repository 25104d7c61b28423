"""The time as the store writes it."""

from datetime import UTC, datetime


def now_utc() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)

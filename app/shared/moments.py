"""Moments as pages print them; always UTC."""

from datetime import UTC, datetime


def minute(at: datetime | None, otherwise: str = "never") -> str:
    """Day and minute; `otherwise` where there is no moment."""
    return otherwise if at is None else f"{at:%Y-%m-%d %H:%M}"


def second(at: datetime) -> str:
    """Day and second, and that it is UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def done_words(did: str, verb: str = "saved") -> str:
    """A line for an action that was just done: `saved 10:02:03 UTC: ...`."""
    return f"{verb} {datetime.now(UTC):%H:%M:%S} UTC: {did}"

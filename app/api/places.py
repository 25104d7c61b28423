"""Places in long lists, which are answered a page at a time."""

from datetime import datetime

from core.domain.errors import BadInputError


def place_of(text: str) -> tuple[datetime, str]:
    """The place in a list behind which a page begins.

    Raises:
        BadInputError: it is no `next` of a page.
    """
    moment, _, key = text.rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not key.isalnum():
        raise BadInputError("after: expected the next of a page, unchanged")
    return at, key


def place_text(place: tuple[datetime, str] | None) -> str | None:
    """What `place_of` reads."""
    return None if place is None else f"{place[0].isoformat()}_{place[1]}"

"""Filters for events."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions that an event meets all of; None asks for nothing.

    Attributes:
        since, until: moments with a zone; the first is within, the last is not.
        action: the first words of the action: `user` finds `user.added`, too.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor_id: str | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None

    def conditions(self) -> dict[str, str]:
        """The conditions that are set, as texts by name."""
        named = {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "actor_id": self.actor_id,
            "action": self.action,
            "object_type": self.object_type,
            "object_id": self.object_id,
        }
        return {name: value for name, value in named.items() if value is not None}

"""API keys: what a program may do in the name of an account, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: The first characters of every key, so that it is recognised where it should not lie.
TOKEN_PREFIX = "radikal_"
LONGEST_LIFE = timedelta(days=731)
LONGEST_KEY_NAME = 80


class Scope(StrEnum):
    """Scope of an API key; it never exceeds the role of its account."""

    READ = "read"
    DETECT = "detect"
    LABEL = "label"
    PROMOTE = "promote"
    ADMIN = "admin"

    @property
    def words(self) -> str:
        """What it allows, for people."""
        return _WORDS[self]


_WORDS = {
    Scope.READ: "look at inspections, labels, jobs, models and their figures",
    Scope.DETECT: "hand in radiographs and have them inspected",
    Scope.LABEL: "look at labels, save and export them",
    Scope.PROMOTE: "promote model versions through the gate",
    Scope.ADMIN: "stop and resume long jobs",
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret, which nobody keeps.

    Attributes:
        key_id: public; stands in the audit log with everything that the key does.
        name: what it is for.
        user_id: the account in whose name it acts, with the role that the account has at that moment.
        created_by: id of the account that added it, None for a command.
        created_at, expires_at, revoked_at, last_used_at: UTC.
        last_used_at: noted once a minute at most; None before the first use.
    """

    key_id: str
    name: str
    user_id: str
    scopes: frozenset[Scope]
    created_by: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """In one word: active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "active"

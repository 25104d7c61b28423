"""Roles, users, and the identity that every service is handed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.api_keys import Scope


class Role(StrEnum):
    """Role of a user; everybody has one."""

    INSPECTOR = "inspector"
    REVIEWER = "reviewer"
    ANNOTATOR = "annotator"
    ML_ENGINEER = "ml_engineer"
    ADMIN = "admin"
    GUEST = "guest"

    @property
    def label(self) -> str:
        """The role as people write it."""
        return "ML engineer" if self is Role.ML_ENGINEER else self.value.capitalize()


#: Roles that an account may have; a guest has none.
ACCOUNT_ROLES = tuple(role for role in Role if role is not Role.GUEST)


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of whoever acts in a request, a run of a page, or a command.

    Attributes:
        user_id: opaque and permanent; the only thing about a person that records and logs carry.
        name: the sign-in name, for showing.
        role: as it is now, read again for every request.
        session_id: public id of the session, None outside a browser.
        must_change_password: nothing but changing the password is allowed until it is done.
        api_key: id of the API key that it acts with, None for people and commands.
        scopes: of that key; they narrow what the role may do. None without a key.
        address: where a guest comes from, known in a run of a page only; a newcomer is let in by it.
    """

    user_id: str
    name: str
    role: Role
    session_id: str | None = None
    must_change_password: bool = False
    address: str | None = field(default=None, compare=False, repr=False)
    api_key: str | None = None
    scopes: frozenset[Scope] | None = None

    @property
    def is_guest(self) -> bool:
        """True for a visitor of the demo, who has no account."""
        return self.role is Role.GUEST

    @property
    def account_id(self) -> str | None:
        """The user id where a row of `users` stands behind it, None for commands and the product itself."""
        return None if self.user_id in (COMMAND_LINE.user_id, SYSTEM.user_id) else self.user_id


#: Acts on behalf of whoever may run `radikal` on the server.
COMMAND_LINE = Identity("command-line", "command line", Role.ADMIN)
#: Acts when nobody asked: setting up, expiring, anchoring.
SYSTEM = Identity("system", "RadiKal", Role.ADMIN)


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        user_id: `u-` and 16 hex digits, never used again.
        name: sign-in name, lower case; None once the person was erased.
        full_name: as printed under a signature; None once the person was erased.
        is_active: False for a disabled account.
        must_change_password: True until the first password, set by somebody else, was replaced.
        credentials_version: counts up with every change that ends the sessions that exist.
        created_at, signed_in_at: UTC; the latter is None before the first sign-in.
    """

    user_id: str
    name: str | None
    full_name: str | None
    role: Role
    is_active: bool
    must_change_password: bool
    credentials_version: int
    created_at: datetime
    signed_in_at: datetime | None = None

    @property
    def is_erased(self) -> bool:
        """True when the person behind the account was erased."""
        return self.name is None

    @property
    def state(self) -> str:
        """In one word: active, disabled or erased."""
        return "erased" if self.is_erased else "active" if self.is_active else "disabled"

    @property
    def shown_name(self) -> str:
        """The sign-in name, or what is left of an erased person."""
        return self.name or f"erased user {self.user_id}"

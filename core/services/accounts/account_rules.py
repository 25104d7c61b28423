"""Rules of accounts: sound names, changes that are refused, and their lines in the audit log."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity, User
from core.domain.errors import (
    AccountChangedError,
    BadInputError,
    LastAdminError,
    NotAllowedError,
    UnknownUserError,
)
from core.domain.permissions import Action, require
from core.store.unit_of_work import Store, Work

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])")
_MAX_FULL_NAME = 128
#: Shown for those who act without an account; an account of that name could pass for them.
_TAKEN = frozenset({"guest", "system", "command-line", "commandline", "radikal", "nobody", "unknown"})


@dataclass(frozen=True, slots=True)
class AccountChange:
    """One account under change.

    Attributes:
        user: as it was before.
        admins: ids of those who can manage accounts.
    """

    work: Work
    identity: Identity
    user: User
    admins: frozenset[str]

    @property
    def name(self) -> str:
        """The sign-in name; who was erased does not come this far."""
        return str(self.user.name)

    def refuse_own(self, what: str) -> None:
        """Raise NotAllowedError when whoever acts would do this to the own account."""
        if self.identity.account_id == self.user.user_id:
            raise NotAllowedError(f"nobody can {what} their own account: another admin can")

    def require_other_admin(self) -> None:
        """Raise LastAdminError when there would be no admin without this account."""
        if self.admins == {self.user.user_id}:
            raise LastAdminError(
                f"{self.user.name} is the last active admin: make somebody else admin first; "
                "nothing was changed"
            )

    def end_sessions(self, reason: str) -> int:
        """End the open sessions; the number of them."""
        open_ones = [session.session_id for session in self.work.sessions.of_user(self.user.user_id)]
        return self.work.sessions.end(open_ones, self.work.now, reason)

    def record(self, action: str, details: Mapping[str, Any] | None = None) -> None:
        """Write the audit line, with digests of the account before and after."""
        self.work.audit.record(
            self.identity,
            action=action,
            object_type="user",
            object_id=self.user.user_id,
            before=account_content(self.user),
            after=account_content(self.result()),
            details=details,
        )

    def result(self) -> User:
        """The account as it is now."""
        user = self.work.users.find(self.user.user_id)
        assert user is not None
        return user


def account_content(user: User) -> Mapping[str, Any]:
    """The content whose digest goes into the audit log; nothing in it says who the person is."""
    return {
        "role": user.role.value,
        "is_active": user.is_active,
        "is_erased": user.is_erased,
        "must_change_password": user.must_change_password,
        "credentials_version": user.credentials_version,
    }


def add_user(
    work: Work,
    by: Identity,
    user: User,
    *,
    password_hash: str | None,
    oidc_subject: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> User:
    """The account, now stored, with its line in the audit log."""
    work.users.add(user, password_hash=password_hash, oidc_subject=oidc_subject)
    work.audit.record(
        by,
        action="user.added",
        object_type="user",
        object_id=user.user_id,
        after=account_content(user),
        details={"role": user.role.value, **(details or {})},
    )
    return user


@contextmanager
def changing(
    store: Store, identity: Identity, user_id: str, seen: User | None = None
) -> Iterator[AccountChange]:
    """A transaction on one account, which nobody else changes meanwhile.

    Raises:
        NotAllowedError: the role may not manage users, or not any more.
        UnknownUserError: there is no such account, or its person was erased.
        AccountChangedError: the account is not as `seen` any more.
    """
    require(identity, Action.USERS_MANAGE)
    with store.write() as work:
        admins = work.users.lock_admins()
        require_still_admin(identity, admins)
        user = work.users.lock(user_id)
        if user is None or user.name is None:
            raise UnknownUserError("there is no such account, or the person behind it was erased")
        if seen is not None and account_content(seen) != account_content(user):
            raise AccountChangedError(
                f"somebody else changed the account {user.name} meanwhile; nothing was done: look at it again"
            )
        yield AccountChange(work, identity, user, admins)


def require_still_admin(identity: Identity, admins: frozenset[str]) -> None:
    """Return when whoever acts is an admin in this transaction, too, not just when it was asked for."""
    if identity.account_id is not None and identity.account_id not in admins:
        raise NotAllowedError("your account may not manage users any more; nothing was changed")


def account_name(typed: str) -> str:
    """The sign-in name in lower case.

    Raises:
        BadInputError: it is not 2 to 64 plain letters, digits and . _ - @ between a letter or digit at both
            ends, or stands for somebody without an account.
    """
    name = typed.strip().lower()
    if not _NAME.fullmatch(name):
        raise BadInputError(
            "expected a sign-in name of 2 to 64 plain letters, digits or . _ - @, with a letter or digit at "
            f"both ends, got {_shown(typed)}"
        )
    if name in _TAKEN:
        raise BadInputError(f"the name {name} stands for somebody without an account: choose another")
    return name


def person_name(typed: str) -> str:
    """The full name as it is printed, composed and without superfluous spaces.

    Raises:
        BadInputError: it is empty, too long, or holds what cannot be printed, such as marks that turn the
            direction of writing around.
    """
    name = re.sub(" +", " ", unicodedata.normalize("NFC", typed).strip())
    if not 1 <= len(name) <= _MAX_FULL_NAME or not name.isprintable():
        raise BadInputError(
            f"expected a full name of 1 to {_MAX_FULL_NAME} printable characters, got {_shown(typed)}"
        )
    if not any(character.isalpha() for character in name):
        raise BadInputError(f"expected a full name with letters in it, got {_shown(typed)}")
    return name


def _shown(typed: str) -> str:
    """The typed text, shortened and without anything that a terminal or a page would obey."""
    return ascii(typed if len(typed) <= 40 else typed[:40] + "...")


def set_policy(
    store: Store, identity: Identity, name: str, value: Mapping[str, Any], *, unset: Mapping[str, Any]
) -> None:
    """Set what holds for everybody, with its line in the audit log; where it holds already nothing changes.

    Args:
        store: of the accounts.
        identity: who sets it.
        name: of the policy.
        value: plain JSON.
        unset: what holds while nobody set anything.

    Raises:
        NotAllowedError: the role may not manage users, or not any more.
    """
    require(identity, Action.USERS_MANAGE)
    with store.write() as work:
        require_still_admin(identity, work.users.lock_admins())
        was = dict(work.policies.get(name) or unset)
        if was == value:
            return
        work.policies.put(name, value, by=identity.account_id, at=work.now)
        work.audit.record(
            identity,
            action="policy.changed",
            object_type="policy",
            object_id=name,
            before=was,
            after=value,
            details=value,
        )

"""Changing one account: the refusals that protect it, and its lines in the audit log."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity, User
from core.domain.errors import AccountChangedError, LastAdminError, NotAllowedError, UnknownUserError
from core.domain.permissions import Action, require
from core.store.unit_of_work import Store, Work


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

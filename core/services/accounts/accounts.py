"""Accounts: who may sign in, as what, and with which password."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from core.domain.accounts import ACCOUNT_ROLES, SYSTEM, Identity, Role, User
from core.domain.errors import BadInputError, UnknownUserError, UserExistsError
from core.domain.permissions import Action, require
from core.services.accounts.account_rules import (
    account_name,
    add_user,
    changing,
    person_name,
    require_still_admin,
)
from core.services.accounts.passwords import generate_password, hash_password, require_strong
from core.store.unit_of_work import Store, Work

FIRST_ADMIN = "admin"


def new_user_id() -> str:
    """`u-` and 16 random hex digits."""
    return f"u-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class NewPassword:
    """An account and the password that was generated for it, to be shown once; it is stored nowhere."""

    user: User
    password: str | None


class AccountService:
    """Accounts, as admins change them. Every change is one transaction with its line in the audit log.

    Every method that is handed an identity raises NotAllowedError for a role that may not manage users.

    Args:
        store: the real one; guests have no accounts.
        account_key: gives the key under which refused sign-ins of a name are counted.
        make_hash: of a password.
        make_password: a good one.
        make_id: of an account.
    """

    def __init__(
        self,
        store: Store,
        *,
        account_key: Callable[[str], str],
        make_hash: Callable[[str], str] = hash_password,
        make_password: Callable[[], str] = generate_password,
        make_id: Callable[[], str] = new_user_id,
    ) -> None:
        self._store = store
        self._account_key = account_key
        self._make_hash = make_hash
        self._make_password = make_password
        self._make_id = make_id

    def all(self, identity: Identity) -> list[User]:
        """Every account by name, erased ones last."""
        require(identity, Action.USERS_MANAGE)
        with self._store.read() as work:
            return work.users.all()

    def named(self, identity: Identity, name: str) -> User:
        """The account of this sign-in name, in any letter case.

        Raises:
            UnknownUserError: there is none.
        """
        require(identity, Action.USERS_MANAGE)
        with self._store.read() as work:
            user = work.users.named(name)
        if user is None:
            raise UnknownUserError(f"there is no account {ascii(name[:64])}")
        return user

    def add(
        self, identity: Identity, name: str, full_name: str, role: Role, password: str | None = None
    ) -> NewPassword:
        """The new account; its password must be changed at the first sign-in.

        Args:
            identity: who adds it.
            name: sign-in name, see `account_name`.
            full_name: as printed under a signature.
            role: any but guest.
            password: None to have one generated, which comes back.

        Raises:
            UserExistsError: the name is taken.
            BadInputError: name, full name, role or password will not do.
        """
        require(identity, Action.USERS_MANAGE)
        name, full_name = account_name(name), person_name(full_name)
        _require_account_role(role)
        password_hash, generated = self._password(name, password)
        try:
            with self._store.write() as work:
                require_still_admin(identity, work.users.lock_admins())
                if work.users.named(name) is not None:
                    raise UserExistsError(f"there is an account {name} already")
                user = self._insert(work, identity, name, full_name, role, password_hash)
        except IntegrityError:  # somebody else added it at the same moment
            raise UserExistsError(f"there is an account {name} already") from None
        return NewPassword(user, generated)

    def add_first_admin(self) -> NewPassword | None:
        """The account `admin` with a generated password; None when there are accounts already."""
        with self._store.read() as work:
            if work.users.all():
                return None
        password_hash, generated = self._password(FIRST_ADMIN, None)
        try:
            with self._store.write() as work:
                if work.users.all():
                    return None
                user = self._insert(work, SYSTEM, FIRST_ADMIN, "Administrator", Role.ADMIN, password_hash)
        except IntegrityError:  # another process is setting up, and was first
            return None
        return NewPassword(user, generated)

    def disable(self, identity: Identity, user_id: str, *, seen: User | None = None) -> User:
        """The account, which can no longer sign in; its sessions are over.

        Args:
            identity: who disables it.
            user_id: the account.
            seen: the account as it was when this was decided.

        Raises:
            NotAllowedError: the role may not manage users, or it is the own account.
            LastAdminError: nobody else could manage accounts.
            AccountChangedError: it is not as `seen` any more.
            UnknownUserError: there is no such account, or its person was erased.
        """
        with changing(self._store, identity, user_id, seen) as change:
            change.refuse_own("disable")
            if change.user.is_active:
                change.require_other_admin()
                change.work.users.set_active(user_id, False)
                change.end_sessions("disabled")
                change.record("user.disabled")
            return change.result()

    def enable(self, identity: Identity, user_id: str, *, seen: User | None = None) -> User:
        """The account, which can sign in again with the password it had.

        Raises: as `disable`, except for the last admin.
        """
        with changing(self._store, identity, user_id, seen) as change:
            if not change.user.is_active:
                change.work.users.set_active(user_id, True)
                change.work.failures.clear_account(self._account_key(change.name))
                change.record("user.enabled")
            return change.result()

    def set_role(self, identity: Identity, user_id: str, role: Role, *, seen: User | None = None) -> User:
        """The account with its new role, which holds from the next request of every session.

        Raises: as `disable`; BadInputError for the role of guests.
        """
        require(identity, Action.USERS_MANAGE)
        _require_account_role(role)
        with changing(self._store, identity, user_id, seen) as change:
            change.refuse_own("change the role of")
            if change.user.role is not role:
                if role is not Role.ADMIN:
                    change.require_other_admin()
                change.work.users.set_role(user_id, role)
                change.record("user.role_changed", {"role": role.value, "was": change.user.role.value})
            return change.result()

    def reset_password(
        self, identity: Identity, user_id: str, password: str | None = None, *, seen: User | None = None
    ) -> NewPassword:
        """The account with a password that must be changed at the next sign-in.

        Its sessions are over, and what counted against it while somebody guessed is forgotten.

        Args:
            identity: who resets it.
            user_id: the account.
            password: None to have one generated, which comes back.
            seen: the account as it was when this was decided.

        Raises: as `disable`, except for the last admin; WeakPasswordError when the password will not do.
        """
        require(identity, Action.USERS_MANAGE)
        with self._store.read() as work:
            known = work.users.find(user_id)
        password_hash, generated = self._password((known.name if known else None) or "", password)
        with changing(self._store, identity, user_id, seen) as change:
            change.refuse_own("reset the password of")
            change.work.users.set_password(user_id, password_hash, must_change=True)
            change.work.failures.clear_account(self._account_key(change.name))
            change.end_sessions("password reset")
            change.record("user.password_reset")
            return NewPassword(change.result(), generated)

    def erase(self, identity: Identity, user_id: str, *, confirmation: str) -> User:
        """Erase the person: no name, no password, no sessions; records keep the account's id as author.

        It cannot be undone. The audit log never held the name, so its chain stays valid.

        Args:
            identity: who erases.
            user_id: the account.
            confirmation: its sign-in name, typed again.

        Raises: as `disable`; BadInputError when the confirmation is another name.
        """
        with changing(self._store, identity, user_id, None) as change:
            change.refuse_own("erase")
            change.require_other_admin()
            if confirmation.strip().lower() != change.name:
                raise BadInputError("the name that was typed is not that of the account; nothing was erased")
            change.work.failures.clear_account(self._account_key(change.name))
            change.work.known_addresses.clear_account(self._account_key(change.name))
            change.work.sessions.forget_user(user_id)
            change.work.comparison_views.forget(user_id)
            change.work.users.erase(user_id)
            change.record("user.erased")
            return change.result()

    def _password(self, name: str, password: str | None) -> tuple[str, str | None]:
        """Hash, and the password where it was generated; before the transaction, since hashing takes long."""
        chosen = self._make_password() if password is None else password
        require_strong(chosen, name=name)
        return self._make_hash(chosen), chosen if password is None else None

    def _insert(
        self, work: Work, identity: Identity, name: str, full_name: str, role: Role, password_hash: str
    ) -> User:
        user = User(
            user_id=self._make_id(),
            name=name,
            full_name=full_name,
            role=role,
            is_active=True,
            must_change_password=True,
            credentials_version=1,
            created_at=work.now,
        )
        return add_user(work, identity, user, password_hash=password_hash)


def _require_account_role(role: Role) -> None:
    if role not in ACCOUNT_ROLES:
        raise BadInputError(f"expected one of {', '.join(ACCOUNT_ROLES)}, got {role.value}")

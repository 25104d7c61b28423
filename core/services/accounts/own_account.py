"""One's own account: changing its password, and confirming it before signing."""

from collections.abc import Callable

from core.domain.accounts import Identity, User
from core.domain.errors import (
    AccountChangedError,
    LockedOutError,
    NotAllowedError,
    SignInRefusedError,
    WeakPasswordError,
)
from core.domain.permissions import Action, require
from core.services.accounts.account_rules import account_content
from core.services.accounts.attempts import Attempt, Attempts
from core.services.accounts.passwords import check_password, hash_password, require_strong
from core.store.unit_of_work import Store


class OwnAccountService:
    """The account of whoever acts.

    Args:
        store: the real one.
        attempts: counts wrong passwords by session, apart from those of signing in.
        check: whether a password is that of a hash.
        make_hash: of a password.
    """

    def __init__(
        self,
        store: Store,
        *,
        attempts: Attempts,
        check: Callable[[str, str | None], bool] = check_password,
        make_hash: Callable[[str], str] = hash_password,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._check = check
        self._make_hash = make_hash

    def find(self, identity: Identity) -> User:
        """The own account.

        Raises:
            NotAllowedError: there is none.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.read() as work:
            user = work.users.find(identity.account_id or "")
        if user is None or not user.is_active:
            raise NotAllowedError("there is no account behind this: sign in")
        return user

    def change_password(self, identity: Identity, current: str, new: str, *, address: str) -> User:
        """The account with its new password; every session of it is over, that of the caller too.

        Args:
            identity: whose password it is.
            current: the password until now.
            new: the password from now on.
            address: of the client, for the audit log; wrong passwords count against the session.

        Raises:
            NotAllowedError: there is no account, or it has no password here.
            WeakPasswordError: the new one will not do, or is the current one.
            LockedOutError: too many wrong passwords.
            SignInRefusedError: the current password is another one.
            AccountChangedError: somebody else changed the account meanwhile.
        """
        user = self.find(identity)
        if new == current:
            raise WeakPasswordError("the new password is the current one: choose another")
        require_strong(new, name=user.shown_name)
        attempt = self._require_current(identity, user, current, address)
        password_hash = self._make_hash(new)
        with self._store.write() as work:
            now = work.users.lock(user.user_id)
            if now is None or account_content(now) != account_content(user):
                raise AccountChangedError(
                    "somebody changed your account meanwhile; your password was not changed: sign in again"
                )
            work.users.set_password(user.user_id, password_hash, must_change=False)
            self._attempts.confirm(work, attempt)
            sessions = [stored.session_id for stored in work.sessions.of_user(user.user_id)]
            work.sessions.end(sessions, work.now, "password changed")
            changed = work.users.find(user.user_id)
            assert changed is not None
            work.audit.record(
                identity,
                action="user.password_changed",
                object_type="user",
                object_id=user.user_id,
                before=account_content(user),
                after=account_content(changed),
            )
        return changed

    def confirm_password(self, identity: Identity, password: str, *, address: str) -> None:
        """Return when it is the password of the account: whoever signs is asked for it again.

        Wrong passwords count against the session; those that are typed into the sign-in form do not.

        Raises:
            NotAllowedError: there is no account, or it has no password here.
            LockedOutError: too many wrong passwords.
            SignInRefusedError: it is another one.
        """
        attempt = self._require_current(identity, self.find(identity), password, address)
        with self._store.write() as work:
            self._attempts.confirm(work, attempt)

    def _require_current(self, identity: Identity, user: User, current: str, address: str) -> Attempt:
        with self._store.read() as work:
            stored = work.users.password_hash(user.user_id)
        if stored is None:
            raise NotAllowedError("this account has no password here: it is changed where you sign in")
        attempt = self._attempts.begin_confirmation(user, identity.session_id, address)
        if not self._check(current, stored):
            refusal = self._attempts.refuse(attempt, user, "wrong password of a session")
            if isinstance(refusal, LockedOutError):
                raise refusal
            raise SignInRefusedError("this is not the password of the account; nothing was changed")
        return attempt

"""Signing in and out: from name and password to a ticket, to a session, to who acts."""

import secrets
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from core.domain.accounts import Identity, User
from core.domain.errors import SignInRefusedError
from core.domain.permissions import Action, require
from core.keys import Purpose, derive, keyed_digest
from core.services.accounts.attempts import REFUSED, Attempts, actor_of
from core.services.accounts.passwords import COST, check_password
from core.store.sessions import StoredSession
from core.store.unit_of_work import Store, Work

TICKET_LIFE = timedelta(seconds=30)
#: A session that is used is noted as used at most this often.
TOUCH_EVERY = timedelta(seconds=30)
#: Ended sessions and used tickets are kept for so long; an identity provider's token could be shown again.
_KEPT = timedelta(days=60)
_TOKEN_BYTES = 32
_LONGEST_TOKEN, _LONGEST_AGENT = 200, 120
_TOO_LATE = "this sign-in was used already or took too long: sign in again"


class SignInService:
    """Sessions of people with an account. Safe to share between threads.

    A session is an opaque token that only the browser has; the store keeps its keyed digest. It ends when
    somebody signs out, after doing nothing for `idle`, after `absolute` in any case, and with every change
    of the account's credentials.

    Args:
        store: the real one; its clock is the service's.
        secret: that keys are derived from.
        idle, absolute: how long a session lasts.
        cost: of the bcrypt hashes; an unknown user takes as long as one of them.
    """

    def __init__(
        self, store: Store, secret: bytes, *, idle: timedelta, absolute: timedelta, cost: int = COST
    ) -> None:
        self._store = store
        self._session_key = derive(secret, Purpose.SESSION)
        self._ticket_key = derive(secret, Purpose.TICKET)
        self._idle = idle
        self._absolute = absolute
        self._cost = cost
        self._attempts = Attempts(store, derive(secret, Purpose.CLIENT))

    def verify(self, name: str, password: str, address: str) -> str:
        """A ticket for whoever has this name and password; see `exchange`.

        Except while locked out it takes one bcrypt, whether there is such a user or not. The attempt is
        counted before it is looked at, so that many at the same time gain nothing.

        Args:
            name: as typed; it may be a mistyped password, so it is neither stored nor logged.
            password: as typed.
            address: of the client.

        Raises:
            LockedOutError: too many refused attempts for this name from this address, from this address, or,
                where the address is a strange one to the account, for this name.
            SignInRefusedError: for everything else, in the same words.
        """
        attempt = self._attempts.begin(name, address)
        with self._store.read() as work:
            user = work.users.named(attempt.name) if attempt.is_plausible else None
            password_hash = work.users.password_hash(user.user_id if user else "")
        is_right = check_password(password, password_hash, cost=self._cost)
        if user is None or not is_right or not user.is_active:
            reason = "unknown user" if user is None else "disabled" if is_right else "wrong password"
            raise self._attempts.refuse(attempt, user, reason)
        with self._store.write() as work:
            self._attempts.accept(work, attempt, user)
            return self._ticket(work, user)

    def ticket_for(self, user_id: str, *, oidc_token: str | None = None) -> str:
        """A ticket for somebody who proved who they are in another way.

        Args:
            user_id: the account.
            oidc_token: what an identity provider gave; each makes one session only.

        Raises:
            SignInRefusedError: there is no such account, it is disabled, or the token was used before.
        """
        digest = keyed_digest(self._ticket_key, f"oidc:{oidc_token}") if oidc_token else None
        try:
            with self._store.write() as work:
                user = work.users.find(user_id)
                if user is None or not user.is_active:
                    raise SignInRefusedError(REFUSED)
                return self._ticket(work, user, oidc_token_hash=digest)
        except IntegrityError:
            raise SignInRefusedError(_TOO_LATE) from None

    def exchange(self, ticket: str, agent: str) -> str:
        """The token of a new session, for a ticket that is not older than 30 s and was not used before.

        Args:
            ticket: from `verify` or `ticket_for`.
            agent: the browser, for the list of sessions.

        Raises:
            SignInRefusedError: the ticket is none, used, too old, or the account was changed since.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._store.write() as work:
            user = self._ticket_holder(work, ticket)
            if user is not None:
                self._begin(work, user, token, agent)
                work.sessions.purge(work.now - _KEPT)
        if user is None:
            raise SignInRefusedError(_TOO_LATE)
        return token

    def who(self, token: str | None, *, touch: bool = True) -> Identity | None:
        """The person whose session this is, with the role as it is now; None when there is none or it ended.

        Args:
            token: from the browser's cookie.
            touch: it counts as use: what asks by itself, such as a page that polls, passes False.
        """
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        digest = keyed_digest(self._session_key, token)
        with self._store.read() as work:
            now, stored = work.now, work.sessions.with_token(digest)
            user = work.users.find(stored.user_id) if stored else None
        if stored is None or user is None or stored.ended_at is not None:
            return None
        if (reason := self._void_because(stored, user, now)) is not None:
            if touch:
                self._end([stored], actor_of(user), reason)
            return None
        if touch and now - stored.seen_at > TOUCH_EVERY:
            with self._store.write() as work:
                work.sessions.touch(stored.session_id, now)
        return actor_of(user, session_id=stored.session_id)

    def sign_out(self, token: str | None) -> None:
        """End the session; nothing happens when there is none."""
        identity = self.who(token, touch=False)
        if identity is not None:
            ours = [s for s in self.sessions_of(identity.user_id) if s.session_id == identity.session_id]
            self._end(ours, identity, "signed out")

    def sessions_of(self, user_id: str) -> list[StoredSession]:
        """The user's sessions that are good now, last used first."""
        with self._store.read() as work:
            user = work.users.find(user_id)
            stored = work.sessions.of_user(user_id) if user else []
            return [s for s in stored if user and self._void_because(s, user, work.now) is None]

    def n_open_sessions(self) -> dict[str, int]:
        """The number of good sessions by user id; users without one are missing."""
        with self._store.read() as work:
            users = {user.user_id: user for user in work.users.all()}
            good = [
                stored.user_id
                for stored in work.sessions.open()
                if stored.user_id in users
                and self._void_because(stored, users[stored.user_id], work.now) is None
            ]
        return dict(Counter(good))

    def end_sessions(self, identity: Identity, user_id: str, reason: str, *, keep: str | None = None) -> int:
        """End the sessions of a user; the number of them.

        Args:
            identity: who asks: the user, or somebody who manages users.
            user_id: whose.
            reason: a few words.
            keep: id of a session that goes on.

        Raises:
            NotAllowedError: neither.
        """
        if identity.user_id != user_id:
            require(identity, Action.USERS_MANAGE)
        ours = [s for s in self.sessions_of(user_id) if s.session_id != keep]
        return self._end(ours, identity, reason)

    def _ticket(self, work: Work, user: User, *, oidc_token_hash: str | None = None) -> str:
        ticket = secrets.token_urlsafe(_TOKEN_BYTES)
        work.sessions.add_ticket(
            keyed_digest(self._ticket_key, ticket),
            user_id=user.user_id,
            credentials_version=user.credentials_version,
            expires_at=work.now + TICKET_LIFE,
            oidc_token_hash=oidc_token_hash,
        )
        return ticket

    def _ticket_holder(self, work: Work, ticket: str) -> User | None:
        if len(ticket) > _LONGEST_TOKEN or not ticket.isascii():
            return None
        held = work.sessions.use_ticket(keyed_digest(self._ticket_key, ticket), work.now)
        if held is None:
            return None
        user_id, credentials_version = held
        user = work.users.find(user_id)
        is_good = user is not None and user.is_active and user.credentials_version == credentials_version
        return user if is_good else None

    def _begin(self, work: Work, user: User, token: str, agent: str) -> None:
        stored = StoredSession(
            session_id=f"s-{secrets.token_hex(8)}",
            user_id=user.user_id,
            credentials_version=user.credentials_version,
            agent="".join(c for c in agent if c.isprintable())[:_LONGEST_AGENT],
            created_at=work.now,
            seen_at=work.now,
        )
        work.sessions.add(stored, keyed_digest(self._session_key, token))
        work.users.set_signed_in(user.user_id, work.now)
        work.audit.record(
            actor_of(user), action="session.started", object_type="session", object_id=stored.session_id
        )

    def _void_because(self, stored: StoredSession, user: User, now: datetime) -> str | None:
        """The reason why a session that nobody ended is over; None while it is good."""
        if not user.is_active:
            return "disabled"
        if stored.credentials_version != user.credentials_version:
            return "credentials changed"
        if now - stored.created_at >= self._absolute:
            return "too old"
        return "idle" if now - stored.seen_at >= self._idle else None

    def _end(self, sessions: list[StoredSession], identity: Identity, reason: str) -> int:
        n_ended = 0
        with self._store.write() as work:
            for stored in sessions:
                if work.sessions.end([stored.session_id], work.now, reason):
                    n_ended += 1
                    work.audit.record(
                        identity,
                        action="session.ended",
                        object_type="session",
                        object_id=stored.session_id,
                        details={"reason": reason},
                    )
        return n_ended

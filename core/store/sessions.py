"""The repositories of sessions, sign-in tickets, refused sign-ins and addresses that an account knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, select, update
from sqlalchemy.orm import Session

from core.store.account_tables import KnownAddressRow, SessionRow, SignInFailureRow, TicketRow


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A signed-in browser as stored; the token itself is nowhere.

    Attributes:
        session_id: public; may be shown and logged.
        credentials_version: of the user when it began; it is void when the user's is another by now.
        agent: what browser, in a few words.
        seen_at: of the last use that was noted, UTC.
        ended_at: None while it lasts.
    """

    session_id: str
    user_id: str
    credentials_version: int
    agent: str
    created_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None


class SessionRepository:
    """Rows of `sessions` and `sign_in_tickets` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, stored: StoredSession, token_hash: str) -> None:
        """Store a new session."""
        self._session.add(
            SessionRow(
                session_id=stored.session_id,
                token_hash=token_hash,
                user_id=stored.user_id,
                credentials_version=stored.credentials_version,
                agent=stored.agent,
                created_at=stored.created_at,
                seen_at=stored.seen_at,
            )
        )
        self._session.flush()

    def with_token(self, token_hash: str) -> StoredSession | None:
        """The session of this token's digest, ended ones too; None when there is none."""
        row = self._session.scalar(select(SessionRow).where(SessionRow.token_hash == token_hash))
        return None if row is None else _stored(row)

    def of_user(self, user_id: str) -> list[StoredSession]:
        """Sessions of the user that were not ended, last seen first."""
        query = select(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
        return [_stored(row) for row in self._session.scalars(query.order_by(SessionRow.seen_at.desc()))]

    def open(self) -> list[StoredSession]:
        """Sessions of everybody that were not ended, last seen first."""
        query = select(SessionRow).where(SessionRow.ended_at.is_(None))
        return [_stored(row) for row in self._session.scalars(query.order_by(SessionRow.seen_at.desc()))]

    def touch(self, session_id: str, at: datetime) -> None:
        """Note that the session was used."""
        self._session.execute(
            update(SessionRow).where(SessionRow.session_id == session_id).values(seen_at=at)
        )

    def end(self, session_ids: Iterable[str], at: datetime, reason: str) -> int:
        """End these sessions; how many were still open."""
        statement = (
            update(SessionRow)
            .where(SessionRow.session_id.in_(list(session_ids)), SessionRow.ended_at.is_(None))
            .values(ended_at=at, end_reason=reason)
        )
        return _n_rows(self._session.execute(statement))

    def forget_user(self, user_id: str) -> None:
        """Remove sessions and tickets of the user, and with them what browsers somebody used."""
        self._session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))
        self._session.execute(delete(TicketRow).where(TicketRow.user_id == user_id))

    def purge(self, before: datetime) -> None:
        """Forget sessions that ended or were last seen, and tickets that expired, before this moment."""
        self._session.execute(delete(SessionRow).where(SessionRow.seen_at < before))
        self._session.execute(delete(TicketRow).where(TicketRow.expires_at < before))

    def add_ticket(
        self,
        token_hash: str,
        *,
        user_id: str,
        credentials_version: int,
        expires_at: datetime,
        oidc_token_hash: str | None = None,
    ) -> None:
        """Store a ticket.

        Raises:
            IntegrityError: this OpenID Connect token was exchanged before.
        """
        self._session.add(
            TicketRow(
                token_hash=token_hash,
                user_id=user_id,
                credentials_version=credentials_version,
                expires_at=expires_at,
                oidc_token_hash=oidc_token_hash,
            )
        )
        self._session.flush()

    def use_ticket(self, token_hash: str, at: datetime) -> tuple[str, int] | None:
        """User id and credentials version of the ticket, which is now used up.

        None when there is no such ticket, it expired, or somebody used it first.
        """
        statement = (
            update(TicketRow)
            .where(TicketRow.token_hash == token_hash, TicketRow.used_at.is_(None), TicketRow.expires_at > at)
            .values(used_at=at)
        )
        if _n_rows(self._session.execute(statement)) != 1:
            return None
        row = self._session.get_one(TicketRow, token_hash)
        return row.user_id, row.credentials_version


class SignInFailureRepository:
    """Rows of `sign_in_failures` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, *, account_key: str, address_key: str, at: datetime) -> None:
        """Note a refused sign-in."""
        self._session.add(SignInFailureRow(account_key=account_key, address_key=address_key, at=at))
        self._session.flush()

    def of_account(
        self, account_key: str, since: datetime, until: datetime | None = None
    ) -> tuple[int, datetime | None]:
        """Number since then, those after `until` left out, and the moment of the newest."""
        return self._count(SignInFailureRow.account_key == account_key, since, until)

    def of_address(
        self, address_key: str, since: datetime, until: datetime | None = None
    ) -> tuple[int, datetime | None]:
        """Number since then, those after `until` left out, and the moment of the newest."""
        return self._count(SignInFailureRow.address_key == address_key, since, until)

    def of_both(
        self, account_key: str, address_key: str, since: datetime, until: datetime | None = None
    ) -> tuple[int, datetime | None]:
        """Number of this account from this address since then, as above, and the moment of the newest."""
        return self._count(_of_both(account_key, address_key), since, until)

    def clear(self, account_key: str, address_key: str) -> None:
        """Forget those of an account from one address: somebody knew the password there."""
        self._session.execute(delete(SignInFailureRow).where(_of_both(account_key, address_key)))

    def clear_account(self, account_key: str) -> None:
        """Forget all of an account: an admin set a new password."""
        self._session.execute(delete(SignInFailureRow).where(SignInFailureRow.account_key == account_key))

    def purge(self, before: datetime) -> None:
        """Forget those before this moment."""
        self._session.execute(delete(SignInFailureRow).where(SignInFailureRow.at < before))

    def _count(
        self, condition: ColumnElement[bool], since: datetime, until: datetime | None
    ) -> tuple[int, datetime | None]:
        query = select(func.count(), func.max(SignInFailureRow.at))
        query = query.where(condition, SignInFailureRow.at > since)
        if until is not None:
            query = query.where(SignInFailureRow.at <= until)
        count, newest = self._session.execute(query).one()
        return int(count), newest


class KnownAddressRepository:
    """Rows of `known_addresses` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, account_key: str, address_key: str, at: datetime) -> None:
        """Somebody signed in to the account at this address now."""
        self._session.merge(KnownAddressRow(account_key=account_key, address_key=address_key, at=at))
        self._session.flush()

    def has(self, account_key: str, address_key: str, since: datetime) -> bool:
        """True when somebody signed in to the account at this address after `since`."""
        row = self._session.get(KnownAddressRow, (account_key, address_key))
        return row is not None and row.at > since

    def clear_account(self, account_key: str) -> None:
        """Forget the addresses of an account that is erased."""
        self._session.execute(delete(KnownAddressRow).where(KnownAddressRow.account_key == account_key))

    def purge(self, before: datetime) -> None:
        """Forget addresses at which nobody signed in since."""
        self._session.execute(delete(KnownAddressRow).where(KnownAddressRow.at < before))


def _of_both(account_key: str, address_key: str) -> ColumnElement[bool]:
    return and_(SignInFailureRow.account_key == account_key, SignInFailureRow.address_key == address_key)


def _n_rows(result: object) -> int:
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


def _stored(row: SessionRow) -> StoredSession:
    return StoredSession(
        session_id=row.session_id,
        user_id=row.user_id,
        credentials_version=row.credentials_version,
        agent=row.agent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )

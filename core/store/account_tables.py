"""Tables of accounts: users, the people behind them, certificates, policies, sessions and signing in."""

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.domain.accounts import Role
from core.store.tables import Base, UtcDateTime

ID_LENGTH = 40
_DIGEST_LENGTH = 64
_SALT_BYTES = 16
_ROLES = ", ".join(f"'{role.value}'" for role in Role)


def _new_salt() -> str:
    return secrets.token_hex(_SALT_BYTES)


class UserRow(Base):
    """An account without the person: it outlives an erasure, so that records keep their author."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", "role_is_known"),)

    user_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    is_active: Mapped[bool] = mapped_column()
    password_hash: Mapped[str | None] = mapped_column(String(128))
    must_change_password: Mapped[bool] = mapped_column()
    credentials_version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PersonRow(Base):
    """The person behind an account; erasing somebody removes this row and nothing else.

    `salt` goes into the digests that the audit log keeps of the row: with it gone, nobody can try names.
    """

    __tablename__ = "people"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    full_name: Mapped[str] = mapped_column(String(128))
    oidc_subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    salt: Mapped[str] = mapped_column(String(32), default=_new_salt, server_default="")


class CertificateRow(Base):
    """A certificate of the person behind an account; erasing the person removes it.

    `salt` as in `PersonRow`.
    """

    __tablename__ = "certificates"
    __table_args__ = (CheckConstraint("level IN (1, 2, 3)", "level_is_known"),)

    certificate_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    scheme: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    level: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(64))
    valid_until: Mapped[date] = mapped_column(Date)
    salt: Mapped[str] = mapped_column(String(32), default=_new_salt, server_default="")


class PolicyRow(Base):
    """A rule that an admin sets for everybody, such as that signing needs a valid certificate."""

    __tablename__ = "policies"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PreferenceRow(Base):
    """A choice of one person for themselves, such as that they look before the model does."""

    __tablename__ = "preferences"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)


class SessionRow(Base):
    """A signed-in browser. The token itself is nowhere: `token_hash` is its keyed digest."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    credentials_version: Mapped[int] = mapped_column(Integer)
    agent: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(32))


class TicketRow(Base):
    """A ticket that exchanges a verified sign-in for a session, once and soon."""

    __tablename__ = "sign_in_tickets"

    token_hash: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    credentials_version: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    oidc_token_hash: Mapped[str | None] = mapped_column(String(_DIGEST_LENGTH), unique=True)


class SignInFailureRow(Base):
    """A refused sign-in. What was typed as a name may be a password, so only its keyed digest is kept."""

    __tablename__ = "sign_in_failures"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    account_key: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), index=True)
    address_key: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class KnownAddressRow(Base):
    """An address at which somebody signed in to an account; keyed digests of both."""

    __tablename__ = "known_addresses"

    account_key: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), primary_key=True)
    address_key: Mapped[str] = mapped_column(String(_DIGEST_LENGTH), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

"""The repository of accounts and the people behind them."""

from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from core.domain.accounts import Role, User
from core.domain.errors import UnknownUserError
from core.store.account_tables import CertificateRow, PersonRow, UserRow


class UserRepository:
    """Rows of `users` and `people` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        user: User,
        *,
        password_hash: str | None,
        oidc_subject: str | None = None,
    ) -> None:
        """Store a new account; a guest's has no person behind it.

        Raises:
            IntegrityError: id, name or subject is taken; nothing of the transaction may be kept.
        """
        row = UserRow(
            user_id=user.user_id,
            role=user.role.value,
            is_active=user.is_active,
            password_hash=password_hash,
            must_change_password=user.must_change_password,
            credentials_version=user.credentials_version,
            created_at=user.created_at,
            signed_in_at=user.signed_in_at,
        )
        self._session.add(row)
        self._session.flush()
        if user.name is not None:
            person = PersonRow(
                user_id=user.user_id,
                name=user.name,
                full_name=user.full_name or user.name,
                oidc_subject=oidc_subject,
            )
            self._session.add(person)
            self._session.flush()

    def find(self, user_id: str) -> User | None:
        """The account of this id, None when there is none."""
        return self._one(_users().where(UserRow.user_id == user_id))

    def named(self, name: str) -> User | None:
        """The account of this sign-in name, in any letter case; None when there is none."""
        return self._one(_users().where(PersonRow.name == name.strip().lower()))

    def with_subject(self, oidc_subject: str) -> User | None:
        """The account that this OpenID Connect issuer and subject belong to; None when there is none."""
        return self._one(_users().where(PersonRow.oidc_subject == oidc_subject))

    def oidc_subject(self, user_id: str) -> str | None:
        """Issuer and subject of the person's single sign-on; None without one."""
        return self._session.scalar(select(PersonRow.oidc_subject).where(PersonRow.user_id == user_id))

    def all(self) -> list[User]:
        """Every account except guests', erased ones included, by name; the erased come last."""
        query = (
            _users()
            .where(UserRow.role != Role.GUEST.value)
            .order_by(PersonRow.name.is_(None), PersonRow.name)
        )
        return [_user(row, person) for row, person in self._session.execute(query)]

    def lock_admins(self) -> frozenset[str]:
        """Ids of the admins who can sign in; no other transaction changes them until this one ended.

        Without it two that look at the same time would each leave the other's admin as the last one.
        """
        query = (
            select(UserRow.user_id)
            .where(UserRow.role == Role.ADMIN.value, UserRow.is_active.is_(True))
            .order_by(UserRow.user_id)
            .with_for_update()
        )
        return frozenset(self._session.scalars(query))

    def lock(self, user_id: str) -> User | None:
        """The account of this id as it is now and stays until this transaction changes it or ended."""
        self._session.get(UserRow, user_id, with_for_update=True)
        return self.find(user_id)

    def password_hash(self, user_id: str) -> str | None:
        """The hash of the password, None for an account without one."""
        return self._session.scalar(select(UserRow.password_hash).where(UserRow.user_id == user_id))

    def set_password(self, user_id: str, password_hash: str | None, *, must_change: bool) -> None:
        """Replace the password; sessions that exist are no longer valid."""
        row = self._row(user_id)
        row.password_hash = password_hash
        row.must_change_password = must_change
        row.credentials_version += 1

    def set_role(self, user_id: str, role: Role) -> None:
        """Give the account another role; it holds from the next request of every session."""
        self._row(user_id).role = role.value

    def set_active(self, user_id: str, is_active: bool) -> None:
        """Enable or disable the account; disabling ends its sessions."""
        row = self._row(user_id)
        row.is_active = is_active
        row.credentials_version += 1

    def set_signed_in(self, user_id: str, at: datetime) -> None:
        """Note when somebody signed in last."""
        self._row(user_id).signed_in_at = at

    def erase(self, user_id: str) -> None:
        """Remove the person with their certificates; the account stays, disabled and without a password."""
        row = self._row(user_id)
        row.is_active = False
        row.password_hash = None
        row.credentials_version += 1
        self._session.execute(delete(CertificateRow).where(CertificateRow.user_id == user_id))
        person = self._session.get(PersonRow, user_id)
        if person is not None:
            self._session.delete(person)
        self._session.flush()

    def _row(self, user_id: str) -> UserRow:
        row = self._session.get(UserRow, user_id, with_for_update=True)
        if row is None:
            raise UnknownUserError(f"there is no user {user_id}")
        return row

    def _one(self, query: Select[UserRow, PersonRow]) -> User | None:
        found = self._session.execute(query).one_or_none()
        return None if found is None else _user(found[0], found[1])


def _users() -> Select[UserRow, PersonRow]:
    return select(UserRow, PersonRow).outerjoin(PersonRow, PersonRow.user_id == UserRow.user_id)


def _user(row: UserRow, person: PersonRow | None) -> User:
    return User(
        user_id=row.user_id,
        name=person.name if person else None,
        full_name=person.full_name if person else None,
        role=Role(row.role),
        is_active=row.is_active,
        must_change_password=row.must_change_password,
        credentials_version=row.credentials_version,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )

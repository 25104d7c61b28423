"""People whom an identity provider vouches for: their accounts, and the role that its claims give them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from sqlalchemy.exc import IntegrityError

from core.domain.accounts import SYSTEM, Role, User
from core.domain.errors import BadInputError, SignInRefusedError
from core.services.accounts.account_rules import account_content, account_name, add_user, person_name
from core.services.accounts.accounts import new_user_id
from core.store.unit_of_work import Store, Work

_NAME_CLAIMS = ("preferred_username", "email", "sub")


class OutsideAccounts:
    """Accounts of people who sign in through OpenID Connect.

    A person is who issuer and subject say, never who has the same name or e-mail address as an account
    that is there already. The role follows the claims at each sign-in.

    Args:
        store: the real one.
        role_claim: name of the claim that tells roles or groups; dots lead into nested ones.
        roles: role by value of the claim; of several that fit, the first in this order.
        make_id: of an account.
    """

    def __init__(
        self,
        store: Store,
        *,
        role_claim: str,
        roles: Mapping[str, Role],
        make_id: Callable[[], str] = new_user_id,
    ) -> None:
        self._store = store
        self._role_claim = role_claim
        self._roles = dict(roles)
        self._make_id = make_id

    def account_of(self, claims: Mapping[str, Any]) -> User:
        """The account of whoever these verified claims are about, made at the first sign-in.

        Raises:
            SignInRefusedError: the claims name nobody or give no role here, or the account is disabled.
        """
        subject, role = subject_of(claims), role_of(claims, self._role_claim, self._roles)
        if role is None:
            raise SignInRefusedError(
                "your organisation knows you, but gives you no role here: ask who administers RadiKal there"
            )
        try:
            return self._account(subject, role, claims)
        except IntegrityError:  # the same person signed in at the same moment, or took the name
            return self._account(subject, role, claims)

    def _account(self, subject: str, role: Role, claims: Mapping[str, Any]) -> User:
        with self._store.write() as work:
            user = work.users.with_subject(subject)
            if user is None:
                return self._add(work, subject, role, claims)
            if not user.is_active:
                raise SignInRefusedError("your account here is disabled")
            return user if user.role is role else _with_role(work, user, role)

    def _add(self, work: Work, subject: str, role: Role, claims: Mapping[str, Any]) -> User:
        name = next(n for n in _names(claims, subject) if work.users.named(n) is None)
        user = User(
            user_id=self._make_id(),
            name=name,
            full_name=_full_name(claims, name),
            role=role,
            is_active=True,
            must_change_password=False,
            credentials_version=1,
            created_at=work.now,
        )
        by = {"by": "identity provider"}
        return add_user(work, SYSTEM, user, password_hash=None, oidc_subject=subject, details=by)


def subject_of(claims: Mapping[str, Any]) -> str:
    """A digest of issuer and subject, 64 hex digits: together they are one person for ever.

    Raises:
        SignInRefusedError: one of them is missing.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
        raise SignInRefusedError("the identity provider did not say who you are")
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()


def role_of(claims: Mapping[str, Any], role_claim: str, roles: Mapping[str, Role]) -> Role | None:
    """The first role of `roles` whose value the claim holds, as its text or in its list; None without one."""
    found: Any = claims.get(role_claim)
    if found is None:
        found = claims
        for part in role_claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    held = [found] if isinstance(found, str) else found if isinstance(found, list | tuple) else []
    return next((role for value, role in roles.items() if value in held), None)


def _with_role(work: Work, user: User, role: Role) -> User:
    work.users.set_role(user.user_id, role)
    changed = work.users.find(user.user_id)
    assert changed is not None
    work.audit.record(
        SYSTEM,
        action="user.role_changed",
        object_type="user",
        object_id=user.user_id,
        before=account_content(user),
        after=account_content(changed),
        details={"role": role.value, "was": user.role.value, "by": "identity provider"},
    )
    return changed


def _names(claims: Mapping[str, Any], subject: str) -> Iterator[str]:
    """Sign-in names to try, the nicest first; it only has to be told apart, nobody types it."""
    usable = []
    for claim in _NAME_CLAIMS:
        try:
            usable.append(account_name(str(claims.get(claim, ""))))
        except BadInputError:
            continue
    yield from usable
    base = usable[0][:50] if usable else f"person-{subject[:8]}"
    if not usable:
        yield base
    yield from (f"{base}-{n}" for n in count(2))


def _full_name(claims: Mapping[str, Any], name: str) -> str:
    try:
        return person_name(str(claims.get("name", "")))
    except BadInputError:
        return name

"""API keys: added, listed and revoked by admins; told apart when a program comes with one."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from core.domain.accounts import Identity, User
from core.domain.api_keys import LONGEST_KEY_NAME, LONGEST_LIFE, TOKEN_PREFIX, ApiKey, Scope
from core.domain.errors import BadInputError, UnknownRecordError, UnknownUserError
from core.domain.permissions import Action, require
from core.services.accounts.attempts import actor_of
from core.store.unit_of_work import Store

#: A key that is used is noted as used at most this often.
_TOUCH_EVERY = timedelta(minutes=1)
_SECRET_BYTES = 32
_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its secret, which is shown this once and kept nowhere."""

    key: ApiKey
    token: str


@dataclass(frozen=True, slots=True)
class KeyList:
    """All keys, the newest first; with the names of their accounts, and their states, by id."""

    keys: tuple[ApiKey, ...]
    names: Mapping[str, str]
    states: Mapping[str, str]


class ApiKeyService:
    """API keys of accounts. Safe to share between threads.

    A key is 256 random bits behind a fixed prefix. Its plain SHA-256 is kept: nobody can try that many, and
    unlike a digest under the signing key it survives the rotation of that key.

    Args:
        store: the real one; guests have no keys.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, identity: Identity, user_name: str, name: str, scopes: Collection[Scope], *, days: int
    ) -> IssuedKey:
        """A new key that acts in the name of an account.

        Args:
            identity: who adds it.
            user_name: sign-in name of the account.
            name: what it is for, such as the station that uses it.
            scopes: at least one; the role of the account bounds them.
            days: it expires so many days from now.

        Raises:
            NotAllowedError: the role may not manage API keys.
            UnknownUserError: there is no such account, or it is disabled.
            BadInputError: the name is empty or too long, there is no scope, it would last too long.
        """
        require(identity, Action.API_KEYS_MANAGE)
        name, life = _checked(name, scopes, days)
        token = f"{TOKEN_PREFIX}{secrets.token_urlsafe(_SECRET_BYTES)}"
        with self._store.write() as work:
            user = work.users.named(user_name.strip().lower())
            if user is None or not user.is_active:
                raise UnknownUserError(f"there is no active account {ascii(user_name[:64])}")
            key = ApiKey(
                key_id=f"k-{secrets.token_hex(8)}",
                name=name,
                user_id=user.user_id,
                scopes=frozenset(scopes),
                created_by=identity.account_id,
                created_at=work.now,
                expires_at=work.now + life,
            )
            work.api_keys.add(key, _digest(token))
            work.audit.record(
                identity,
                action="api_key.added",
                object_type="api_key",
                object_id=key.key_id,
                details={"user": user.user_id, "scopes": sorted(key.scopes), "days": days},
            )
        return IssuedKey(key, token)

    def all(self, identity: Identity) -> KeyList:
        """Every key there ever was.

        Raises:
            NotAllowedError: the role may not manage API keys.
        """
        require(identity, Action.API_KEYS_MANAGE)
        with self._store.read() as work:
            keys = tuple(work.api_keys.all())
            users = {user.user_id: user.shown_name for user in work.users.all()}
            states = {key.key_id: key.state(work.now) for key in keys}
        return KeyList(keys, users, states)

    def revoke(self, identity: Identity, key_id: str) -> ApiKey:
        """The key, which is refused from now on.

        Raises:
            NotAllowedError: the role may not manage API keys.
            UnknownRecordError: there is no such key.
            BadInputError: it was revoked before.
        """
        require(identity, Action.API_KEYS_MANAGE)
        with self._store.write() as work:
            key = work.api_keys.find(key_id)
            if key is None:
                raise UnknownRecordError(f"there is no API key {ascii(key_id[:40])}")
            if key.revoked_at is not None:
                raise BadInputError(f"the API key {key.key_id} was revoked before")
            work.api_keys.revoke(key_id, work.now)
            work.audit.record(identity, action="api_key.revoked", object_type="api_key", object_id=key.key_id)
            return replace(key, revoked_at=work.now)

    def who(self, token: str) -> Identity | None:
        """Who acts with this key, with the role as it is now, narrowed to the scopes of the key.

        None when there is no such key, it was revoked or has expired, or its account may not sign in.
        """
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        with self._store.read() as work:
            now, key = work.now, work.api_keys.with_token(_digest(token))
            user = work.users.find(key.user_id) if key else None
        if key is None or user is None or not user.is_active or key.state(now) != "active":
            return None
        if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
            with self._store.write() as work:
                work.api_keys.touch(key.key_id, now)
        return acting_with(user, key)


def acting_with(user: User, key: ApiKey) -> Identity:
    """The account as it acts with a key; a password that was never changed is not what lets it in."""
    return replace(actor_of(user), api_key=key.key_id, scopes=key.scopes, must_change_password=False)


def _checked(name: str, scopes: Collection[Scope], days: int) -> tuple[str, timedelta]:
    """The name without blanks around it, and how long the key lasts."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_KEY_NAME or not name.isprintable():
        raise BadInputError(
            f"name: expected what the key is for, 1 to {LONGEST_KEY_NAME} characters in one line"
        )
    if not scopes:
        raise BadInputError(f"scopes: expected at least one of {', '.join(Scope)}")
    if not 1 <= days <= LONGEST_LIFE.days:
        raise BadInputError(f"days: expected 1 to {LONGEST_LIFE.days}, got {days}")
    return name, timedelta(days=days)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()

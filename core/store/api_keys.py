"""The repositories of API keys and of answers that are given again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.domain.api_keys import ApiKey, Scope
from core.store.api_tables import ApiAnswerRow, ApiKeyRow, ApiKeyUseRow


class ApiKeyRepository:
    """Rows of `api_keys` and `api_key_uses` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey, token_hash: str) -> None:
        """Store a new key."""
        self._session.add(
            ApiKeyRow(
                key_id=key.key_id,
                token_hash=token_hash,
                user_id=key.user_id,
                name=key.name,
                scopes=sorted(scope.value for scope in key.scopes),
                created_by=key.created_by,
                created_at=key.created_at,
                expires_at=key.expires_at,
            )
        )
        self._session.flush()

    def with_token(self, token_hash: str) -> ApiKey | None:
        """The key of this digest, whatever its state; None when there is none."""
        row = self._session.scalar(select(ApiKeyRow).where(ApiKeyRow.token_hash == token_hash))
        return None if row is None else self._key(row)

    def find(self, key_id: str) -> ApiKey | None:
        """The key with this id; None when there is none."""
        row = self._session.get(ApiKeyRow, key_id)
        return None if row is None else self._key(row)

    def all(self) -> list[ApiKey]:
        """Every key, the newest first."""
        query = select(ApiKeyRow).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.key_id)
        return [self._key(row) for row in self._session.scalars(query)]

    def revoke(self, key_id: str, at: datetime) -> None:
        """Note that the key holds no more."""
        row = self._session.get_one(ApiKeyRow, key_id)
        row.revoked_at = at
        self._session.flush()

    def touch(self, key_id: str, at: datetime) -> None:
        """Note that the key was used."""
        self._session.merge(ApiKeyUseRow(key_id=key_id, used_at=at))
        self._session.flush()

    def _key(self, row: ApiKeyRow) -> ApiKey:
        use = self._session.get(ApiKeyUseRow, row.key_id)
        return ApiKey(
            key_id=row.key_id,
            name=row.name,
            user_id=row.user_id,
            scopes=frozenset(Scope(scope) for scope in row.scopes),
            created_by=row.created_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=None if use is None else use.used_at,
        )


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as stored; `status` and `body` are None while the request is being worked on."""

    request_sha256: str
    begun_at: datetime
    status: int | None
    body: Mapping[str, Any] | None


class ApiAnswerRepository:
    """Rows of `api_answers` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, user_id: str, key: str) -> StoredAnswer | None:
        """The answer to the request that this account named so; None when there was none."""
        row = self._session.get(ApiAnswerRow, (user_id, key))
        return None if row is None else StoredAnswer(row.request_sha256, row.begun_at, row.status, row.body)

    def begin(self, user_id: str, key: str, request_sha256: str, at: datetime) -> None:
        """Note that the request is being worked on."""
        self._session.add(
            ApiAnswerRow(user_id=user_id, idempotency_key=key, request_sha256=request_sha256, begun_at=at)
        )
        self._session.flush()

    def finish(self, user_id: str, key: str, status: int, body: Mapping[str, Any]) -> None:
        """Keep the answer."""
        row = self._session.get_one(ApiAnswerRow, (user_id, key))
        row.status, row.body = status, dict(body)
        self._session.flush()

    def remove(self, user_id: str, key: str) -> None:
        """Forget the request: it may be sent again."""
        where = (ApiAnswerRow.user_id == user_id, ApiAnswerRow.idempotency_key == key)
        self._session.execute(delete(ApiAnswerRow).where(*where))

    def purge(self, before: datetime) -> None:
        """Forget what was asked before this moment."""
        self._session.execute(delete(ApiAnswerRow).where(ApiAnswerRow.begun_at < before))

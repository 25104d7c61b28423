"""Answers of the API that are given again: a request that is sent twice is done once."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.store.api_keys import StoredAnswer
from core.store.unit_of_work import Store

_KEPT = timedelta(days=1)
#: Whoever worked on a request for so long was killed meanwhile.
_LONGEST_WORK = timedelta(minutes=15)


class RepeatedRequestError(WorkbenchError):
    """The same idempotency key came with another request, or the first one is still being worked on.

    Attributes:
        is_other: it is another request.
    """

    def __init__(self, message: str, *, is_other: bool) -> None:
        super().__init__(message)
        self.is_other = is_other


class ApiAnswerService:
    """Keeps the answers to requests with an idempotency key for a day, by account.

    Args:
        store: the real one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def once(
        self,
        identity: Identity,
        key: str,
        request_sha256: str,
        do: Callable[[], tuple[int, Mapping[str, Any]]],
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and body of the answer: what `do` gives, or what it gave when the request came first.

        Where `do` raises, nothing is kept, so that the request may be sent again.

        Raises:
            RepeatedRequestError: another request had this key, or the first one is not done yet.
        """
        known = self._begun(identity.user_id, key, request_sha256)
        if known is not None:
            return known
        try:
            status, body = do()
        except BaseException:
            with self._store.write() as work:
                work.api_answers.remove(identity.user_id, key)
            raise
        with self._store.write() as work:
            work.api_answers.finish(identity.user_id, key, status, body)
        return status, body

    def _begun(self, user_id: str, key: str, request_sha256: str) -> tuple[int, Mapping[str, Any]] | None:
        """The answer that is known; None where the request begins now."""
        try:
            with self._store.write() as work:
                work.api_answers.purge(work.now - _KEPT)
                known = work.api_answers.find(user_id, key)
                if known is not None and known.status is None and work.now - known.begun_at > _LONGEST_WORK:
                    work.api_answers.remove(user_id, key)
                    known = None
                if known is None:
                    work.api_answers.begin(user_id, key, request_sha256, work.now)
                    return None
        except IntegrityError:
            raise _not_done() from None
        return _kept(known, request_sha256)


def _kept(known: StoredAnswer, request_sha256: str) -> tuple[int, Mapping[str, Any]]:
    if known.request_sha256 != request_sha256:
        raise RepeatedRequestError(
            "this Idempotency-Key came with another request before: nothing was done; take a new key",
            is_other=True,
        )
    if known.status is None or known.body is None:
        raise _not_done()
    return known.status, known.body


def _not_done() -> RepeatedRequestError:
    return RepeatedRequestError(
        "the first request with this Idempotency-Key is still being worked on: ask again in a while",
        is_other=False,
    )

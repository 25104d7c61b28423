"""What is stored about a person, for the person to have."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from core.audit.selection import EventFilter
from core.domain.accounts import Identity, User
from core.services.accounts.account_rules import changing
from core.store.unit_of_work import Store, Work

#: Events that are read at once.
_BATCH = 1000


class PersonalDataService:
    """Gathers what is stored about one person: GDPR article 15, and 20 as far as the person gave it.

    Args:
        store: the real one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def export(self, identity: Identity, user_id: str) -> Mapping[str, Any]:
        """Account, certificates, sessions, preferences, saved views, API keys, and the events of the person.

        Moments are `datetime`s in UTC. Radiographs, readings and notes are named by the ids in `acts`; their
        content is about parts. That it was exported is an event of the log itself.

        Raises:
            NotAllowedError: the role may not manage users.
            UnknownUserError: there is no such account, or its person was erased.
        """
        with changing(self._store, identity, user_id) as change:
            change.record("user.exported")
            work = change.work
            return {
                "account": _account(change.user, work.users.oidc_subject(user_id)),
                "certificates": [asdict(one) for one in work.certificates.of(user_id)],
                "sessions": [asdict(one) for one in work.sessions.of_user(user_id)],
                "preferences": work.preferences.of(user_id),
                "comparison_views": [asdict(one) for one in work.comparison_views.of(user_id)],
                "api_keys": [
                    {**asdict(key), "scopes": sorted(key.scopes)}
                    for key in work.api_keys.all()
                    if key.user_id == user_id
                ],
                "acts": _events(work, EventFilter(actor_id=user_id)),
                "done_to_the_account": _events(work, EventFilter(object_type="user", object_id=user_id)),
            }


def _account(user: User, oidc_subject: str | None) -> Mapping[str, Any]:
    return {
        "user_id": user.user_id,
        "name": user.name,
        "full_name": user.full_name,
        "role": user.role.value,
        "state": user.state,
        "single_sign_on": oidc_subject,
        "created_at": user.created_at,
        "signed_in_at": user.signed_in_at,
    }


def _events(work: Work, wanted: EventFilter) -> list[Mapping[str, Any]]:
    """The events, newest first, without what only proves them."""
    found: list[Mapping[str, Any]] = []
    before: int | None = None
    while page := work.audit.page(wanted, before=before, limit=_BATCH):
        before = page[-1].seq
        found += [
            {
                "at": event.at,
                "action": event.action,
                "object_type": event.object_type,
                "object_id": event.object_id,
                "details": event.details,
            }
            for event in page
        ]
    return found

"""The history of inspections, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Identity
from core.domain.permissions import Action, require
from core.store.inspection_history import HistoryEntry, HistoryFilter
from core.store.unit_of_work import Store

#: Counting ends here: "more than 9,999" says as much as the number would.
_COUNT_AT_MOST = 10_000
_LONGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some lines of the history.

    Attributes:
        entries: newest first.
        next_place: hand it in as `before` for the next page; None on the last one.
        n_found: how many there are on all pages; a lower limit when `is_counted` is False.
        names: of the inspectors on this page, by id.
    """

    entries: tuple[HistoryEntry, ...]
    next_place: tuple[datetime, str] | None
    n_found: int
    is_counted: bool
    names: Mapping[str, str]

    @property
    def count_words(self) -> str:
        """The number of inspections in words."""
        if not self.is_counted:
            return f"more than {self.n_found:,}"
        return f"{self.n_found:,}"


@dataclass(frozen=True, slots=True)
class HistoryChoices:
    """Values of the filter: names of inspectors by id, and model versions."""

    inspectors: Mapping[str, str]
    models: tuple[tuple[str, int], ...]


class HistoryService:
    """The history of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def search(
        self,
        identity: Identity,
        wanted: HistoryFilter,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> HistoryPage:
        """A page of the inspections that `wanted` lets through, newest first.

        Args:
            identity: who asks.
            wanted: the filters.
            limit: lines a page, 200 at most.
            before: `next_place` of the page before.

        Raises:
            NotAllowedError: the role may not look at inspections.
        """
        require(identity, Action.INSPECTIONS_READ)
        limit = max(1, min(limit, _LONGEST_PAGE))
        with self._store.read() as work:
            found = work.history.search(wanted, limit + 1, before=before)
            n_found = work.history.count(wanted, _COUNT_AT_MOST)
            entries = found[:limit]
            people = {one.inspector_id for one in entries if one.inspector_id is not None}
            users = {user_id: work.users.find(user_id) for user_id in sorted(people)}
        is_counted = n_found < _COUNT_AT_MOST
        return HistoryPage(
            entries=tuple(entries),
            next_place=entries[-1].place if len(found) > limit else None,
            n_found=n_found if is_counted else _COUNT_AT_MOST - 1,
            is_counted=is_counted,
            names={user_id: user.shown_name for user_id, user in users.items() if user is not None},
        )

    def choices(self, identity: Identity) -> HistoryChoices:
        """Inspectors and model versions that occur in the history.

        Raises:
            NotAllowedError: the role may not look at inspections.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            users = {one: work.users.find(one) for one in work.history.inspector_ids()}
            models = work.history.models()
        names = {one: user.shown_name for one, user in users.items() if user is not None}
        return HistoryChoices(names, tuple(models))

"""Views of the comparison that people keep under a name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.records import new_id
from core.store.comparison_views import ComparisonView
from core.store.unit_of_work import Store, Work

LONGEST_NAME, MOST_VIEWS = 80, 200
#: Parameters of the address that name what may be gone: model, evaluation set, versions.
MODEL, SET, VERSIONS = "model", "set", "v"
_LONGEST_QUERY = 4_000


@dataclass(frozen=True, slots=True)
class ListedView:
    """A view as somebody sees it.

    Attributes:
        is_own: it is theirs, so they may rename and delete it.
        owner: sign-in name of whose it is.
        set_name: name of its evaluation set, empty where that is gone or none was chosen.
        gone: names what it needs that is there no more, empty where all is there.
    """

    view: ComparisonView
    is_own: bool
    owner: str
    set_name: str
    gone: str


class SavedViews:
    """Views by name, each of one person and perhaps for everybody.

    Every method raises NotAllowedError for a role that does not compare versions.

    Args:
        store: the real one.
        registry: knows the versions.
        make_id: gives ids.
    """

    def __init__(self, store: Store, registry: Registry, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._registry = registry
        self._make_id = make_id

    def all(self, identity: Identity) -> list[ListedView]:
        """The person's own and those for everybody, own ones first."""
        require(identity, Action.EVALUATIONS_READ)
        with self._store.read() as work:
            views = work.comparison_views.seen_by(identity.user_id)
            sets = {one.set_id: one.name for one in work.evaluations.sets()} if views else {}
            owners = {one.owner_id: work.users.find(one.owner_id) for one in views}
        names = {key: key if user is None else user.shown_name for key, user in owners.items()}
        known: dict[str, frozenset[int]] = {}
        return [
            ListedView(
                view=one,
                is_own=one.owner_id == identity.user_id,
                owner=names[one.owner_id],
                set_name=sets.get(one.query.get(SET, ""), ""),
                gone=self._gone(one.query, sets, known),
            )
            for one in views
        ]

    def save(
        self, identity: Identity, name: str, query: Mapping[str, str], *, is_shared: bool = False
    ) -> ComparisonView:
        """The view, kept under this name.

        Raises:
            BadInputError: the name is empty, too long or taken, there are too many views, or no person saves.
        """
        require(identity, Action.EVALUATIONS_READ)
        if identity.account_id is None:
            raise BadInputError("a view belongs to a person: save it on the page")
        cleaned, kept = _checked_name(name), {str(key): str(value) for key, value in query.items()}
        if sum(len(key) + len(value) for key, value in kept.items()) > _LONGEST_QUERY:
            raise BadInputError("the address of this view is too long to be kept")
        with self._store.write() as work:
            if len(work.comparison_views.of(identity.user_id)) >= MOST_VIEWS:
                raise BadInputError(f"you have {MOST_VIEWS} views: delete one first")
            view = ComparisonView(
                self._make_id(), cleaned, kept, is_shared, identity.user_id, saved_at=work.now
            )
            work.comparison_views.put(view)
        return view

    def rename(self, identity: Identity, view_id: str, name: str) -> ComparisonView:
        """The view under another name.

        Raises:
            BadInputError: the name is empty, too long or taken.
            UnknownRecordError: there is no such view.
            NotAllowedError: it is somebody else's.
        """
        require(identity, Action.EVALUATIONS_READ)
        cleaned = _checked_name(name)
        with self._store.write() as work:
            view = replace(_own(work, identity, view_id), name=cleaned)
            work.comparison_views.put(view)
        return view

    def share(self, identity: Identity, view_id: str, is_shared: bool) -> ComparisonView:
        """The view, for everybody who compares versions or for its owner alone.

        Raises:
            UnknownRecordError: there is no such view.
            NotAllowedError: it is somebody else's.
        """
        require(identity, Action.EVALUATIONS_READ)
        with self._store.write() as work:
            view = replace(_own(work, identity, view_id), is_shared=is_shared)
            work.comparison_views.put(view)
        return view

    def delete(self, identity: Identity, view_id: str) -> None:
        """Delete the view.

        Raises:
            UnknownRecordError: there is no such view.
            NotAllowedError: it is somebody else's.
        """
        require(identity, Action.EVALUATIONS_READ)
        with self._store.write() as work:
            work.comparison_views.remove(_own(work, identity, view_id).view_id)

    def _gone(
        self, query: Mapping[str, str], sets: Mapping[str, str], known: dict[str, frozenset[int]]
    ) -> str:
        """The parts of an address that are there no more; `known` remembers the versions of models."""
        model = query.get(MODEL, "")
        if model not in known:
            known[model] = self._numbers(model)
        asked = [int(one) for one in query.get(VERSIONS, "").split(",") if one.isdigit()]
        gone = [f"v{number}" for number in asked if number not in known[model]]
        if query.get(SET) and query[SET] not in sets:
            gone.insert(0, "its evaluation set")
        return " and ".join(filter(None, [", ".join(gone[:-1]), *gone[-1:]]))

    def _numbers(self, model: str) -> frozenset[int]:
        if model not in self._registry.names():
            return frozenset()
        return frozenset(one.number for one in self._registry.entries(model) if one.version is not None)


def _own(work: Work, identity: Identity, view_id: str) -> ComparisonView:
    found = work.comparison_views.find(view_id)
    if found is None:
        raise UnknownRecordError("there is no such view any more")
    if found.owner_id != identity.user_id:
        raise NotAllowedError("this view is somebody else's: save it under a name of your own")
    return found


def _checked_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 0 < len(cleaned) <= LONGEST_NAME:
        raise BadInputError(f"name of the view: expected 1 to {LONGEST_NAME} characters")
    return cleaned

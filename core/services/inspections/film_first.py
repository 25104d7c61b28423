"""Film first: the model stays hidden until the person has marked the first look as done.

An admin sets the mode for everybody, a person for themselves. It counts for what is opened from then on.
"""

from collections.abc import Mapping
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.first_look import FirstLook, first_look_from
from core.domain.permissions import Action, require
from core.domain.records import Inspection
from core.services.accounts.account_rules import set_policy
from core.store.unit_of_work import Store, Work

#: Name of the policy, and of a person's own choice.
FILM_FIRST = "film_first"
_IS_ON = "is_on"
#: The words for it, in record and report.
FIRST_LOOK = "First look"


class FilmFirstService:
    """The mode in one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_default(self, identity: Identity) -> bool:
        """True when everybody looks first who chose nothing else.

        Raises:
            NotAllowedError: there is no account.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.read() as work:
            return _is_default(work)

    def set_default(self, identity: Identity, is_on: bool) -> None:
        """Set the mode for everybody who chose nothing else.

        Raises:
            NotAllowedError: the role may not manage users.
        """
        set_policy(self._store, identity, FILM_FIRST, {_IS_ON: is_on}, unset={_IS_ON: False})

    def own(self, identity: Identity) -> bool | None:
        """One's own choice; None where the administrator's counts.

        Raises:
            NotAllowedError: there is no account.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.read() as work:
            return _own(work, identity.user_id)

    def set_own(self, identity: Identity, is_on: bool | None) -> None:
        """Choose for oneself; None lets the administrator's choice count.

        Raises:
            NotAllowedError: there is no account.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.write() as work:
            was = _own(work, identity.user_id)
            if was == is_on:
                return
            work.preferences.put(identity.user_id, FILM_FIRST, {_IS_ON: is_on})
            work.audit.record(
                identity,
                action="user.film_first_chosen",
                object_type="user",
                object_id=identity.user_id,
                before={_IS_ON: was},
                after={_IS_ON: is_on},
                details={_IS_ON: is_on},
            )

    def is_on(self, identity: Identity) -> bool:
        """True when this person looks before the model is shown."""
        with self._store.read() as work:
            return is_on(work, identity)


def begin_veiled(work: Work, identity: Identity, inspection: Inspection) -> None:
    """Keep that the inspection is opened without the model, where it is; once."""
    is_begun = work.first_looks.get(inspection.inspection_id) is not None
    if not is_begun and is_veiled(work, identity, inspection):
        work.first_looks.begin(inspection.inspection_id, identity.user_id, at=work.now)


def is_veiled(work: Work, identity: Identity, inspection: Inspection) -> bool:
    """True while the model's list is hidden from this person.

    Of what is not opened yet, by the mode; of what was opened in the mode, until the look is done.
    """
    if not inspection.is_open or inspection.revision_of is not None:
        return False
    begun = work.first_looks.get(inspection.inspection_id)
    if begun is not None:
        return begun.found is None and begun.user_id == identity.user_id
    return inspection.opened_at is None and is_on(work, identity)


def first_look_of(work: Work, inspection: Inspection) -> FirstLook | None:
    """The first look at the inspection; None where the model was on show at once."""
    kept = work.first_looks.get(inspection.inspection_id)
    return None if kept is None or kept.found is None else first_look_from(kept.found)


def first_look_content(work: Work, inspection_id: str) -> Mapping[str, Any]:
    """What is signed of it; empty where there was none, as before."""
    kept = work.first_looks.get(inspection_id)
    return {"first_look": dict(kept.found)} if kept is not None and kept.found else {}


def require_unveiled(work: Work, inspection_id: str) -> None:
    """Return when the first look is done, or there is none to be done.

    Raises:
        BadInputError: it has to be marked as done first.
    """
    kept = work.first_looks.get(inspection_id)
    if kept is not None and kept.found is None:
        raise BadInputError("mark the first look as done before you sign")


def _is_default(work: Work) -> bool:
    kept = work.policies.get(FILM_FIRST)
    return bool(kept and kept[_IS_ON])


def _own(work: Work, user_id: str) -> bool | None:
    kept = work.preferences.get(user_id, FILM_FIRST)
    return None if kept is None else kept[_IS_ON]


def is_on(work: Work, identity: Identity) -> bool:
    """True when this person looks before the model is shown: their own choice, else the default."""
    if identity.account_id is None or identity.api_key is not None:  # commands and programs do not look
        return False
    own = _own(work, identity.user_id)
    return _is_default(work) if own is None else own

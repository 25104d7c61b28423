"""Own classes of labels: read by whoever labels, added and changed by an admin."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from core.domain.permissions import Action, require
from core.standards.kinds import is_number
from core.store.unit_of_work import Store


class OwnClassService:
    """The own classes of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self, identity: Identity) -> list[OwnClass]:
        """Every class, those that are offered first.

        Raises:
            NotAllowedError: the role may not look at them.
        """
        require(identity, Action.CLASSES_READ)
        with self._store.read() as work:
            return work.own_classes.all()

    def save(self, identity: Identity, own: OwnClass, *, is_new: bool) -> None:
        """Add a class, or change the name, the colour or whether it is offered.

        Raises:
            NotAllowedError: the role may not.
            BadInputError: the code or the name is taken, there is no such class, or it stood for another one.
        """
        require(identity, Action.CLASSES_MANAGE)
        with self._store.write() as work:
            others = {one.code: one for one in work.own_classes.all()}
            known = others.pop(own.code, None)
            _require_fitting(own, known, others.values(), is_new=is_new)
            work.own_classes.put(own, by=identity.account_id, at=work.now)
            work.audit.record(
                identity,
                action="own_class.added" if is_new else "own_class.changed",
                object_type="own_class",
                object_id=own.code,
                before=_content(known) if known else None,
                after=_content(own),
            )


def require_known(labels: Sequence[Label], known: Collection[OwnClass]) -> None:
    """Return when every own class of the labels is there and is what its label says.

    Raises:
        BadInputError: names the first that is not.
    """
    by_code = {one.code: one for one in known}
    for label in labels:
        if label.own_class is None:
            continue
        own = by_code.get(label.own_class)
        if own is None:
            raise BadInputError(f"own class {label.own_class}: there is none; an admin adds classes")
        if label.indication_class is not own.indication_class:
            raise BadInputError(
                f"own class {own.code}: expected class {own.indication_class}, got {label.indication_class}"
            )


def _require_fitting(
    own: OwnClass, known: OwnClass | None, others: Collection[OwnClass], *, is_new: bool
) -> None:
    if is_new and known is not None:
        raise BadInputError(f"code of a class: {own.code} is there already, as {known.name}")
    if not is_new and known is None:
        raise BadInputError(f"there is no class {own.code}")
    if known is not None and known.stands_for is not own.stands_for:
        raise BadInputError(
            f"{own.code}: what a class stands for never changes, since labels bear it; add another class"
        )
    if is_number(own.code):
        raise BadInputError(f"code of a class: {own.code} is a number of ISO 6520-1 already")
    if any(one.name.casefold() == own.name.casefold() for one in others):
        raise BadInputError(f"name of a class: {own.name} is there already")


def _content(own: OwnClass) -> dict[str, Any]:
    return {**asdict(own), "stands_for": own.stands_for.value if own.stands_for else None}

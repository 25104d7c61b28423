"""The history of aliases: every move is kept, also one that was made outside of the product."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity
from core.domain.errors import UnknownRecordError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.records import new_id
from core.domain.serving import CHAMPION, NO_VERSION, ChangeKind, ServingChange
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
#: Without an account, a command on the server did these.
_BY_COMMAND = (ChangeKind.PROMOTED, ChangeKind.EMERGENCY, ChangeKind.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class NamedChange:
    """A change with the names of who made it; "" for what no account did."""

    change: ServingChange
    changed_by: str
    consent_by: str


@dataclass(frozen=True, slots=True)
class ServedThen:
    """The version that made an inspection, and the champion of that moment.

    Attributes:
        version, model_sha256: that made the inspection.
        champion: the change in force at that moment; None when nothing was recorded yet.
    """

    inspection_id: str
    created_at: datetime
    model_name: str
    version: int
    model_sha256: str
    champion: NamedChange | None


class AliasHistory:
    """Keeps every change of an alias and answers which version served when.

    Every method that is handed an identity raises NotAllowedError for a role without the right to it.

    Args:
        store: the real one.
        registry: says what the aliases point to.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self._registry = registry
        self._observing = threading.Lock()

    def history(self, identity: Identity, model: str) -> list[NamedChange]:
        """Every change of every alias of the model, oldest first."""
        require(identity, Action.MODELS_READ)
        with self.store.read() as work:
            names = _Names(work)
            return [names.of(change) for change in work.serving.of(model)]

    def at(
        self, identity: Identity, model: str, moment: datetime, *, alias: str = CHAMPION
    ) -> NamedChange | None:
        """The change of the alias in force at `moment`; None before the first one."""
        require(identity, Action.MODELS_READ)
        with self.store.read() as work:
            change = work.serving.at(model, alias, moment)
            return None if change is None else _Names(work).of(change)

    def of_inspection(self, identity: Identity, inspection_id: str) -> ServedThen:
        """The version that made an inspection, and the champion of that moment.

        Raises:
            UnknownRecordError: there is no such inspection.
        """
        require(identity, Action.MODELS_READ)
        with self.store.read() as work:
            inspection = work.inspections.find(inspection_id)
            if inspection is None:
                raise UnknownRecordError(f"there is no inspection {ascii(inspection_id[:64])}")
            change = work.serving.at(inspection.model.name, CHAMPION, inspection.created_at)
            return ServedThen(
                inspection_id,
                inspection.created_at,
                inspection.model.name,
                inspection.model.version,
                inspection.model.sha256,
                None if change is None else _Names(work).of(change),
            )

    def observe(
        self,
        *,
        kind: ChangeKind = ChangeKind.OUTSIDE,
        first: ChangeKind = ChangeKind.SETUP,
        by: Identity = SYSTEM,
        note: str = "",
    ) -> int:
        """Keep moves of aliases that nobody recorded; the number of them.

        A difference to what was recorded last is looked at again behind the lock that whoever promotes holds
        too, with what MLflow says then.

        Args:
            kind: of a change of an alias that was recorded before.
            first: of one that was never recorded.
            by: who made them; the product itself when nobody is known.
            note: why.
        """
        with self._observing:
            seen: dict[str, Mapping[str, int]] = {
                name: dict(self._registry.aliases(name)) for name in self._registry.names()
            }
            if not self._differs(seen):
                return 0
            with self.store.write() as work:
                work.serving.hold()
                if not self._registry.refresh():
                    return 0
                changes = [
                    keep_change(work, by, change)
                    for name in sorted({*self._registry.names(), *work.serving.model_names()})
                    for change in self._unrecorded(work, name, kind, first, by, note)
                ]
            for change in changes:
                log.info(
                    "%s %s is v%d: %s", change.model_name, change.alias, change.version, change.kind.label
                )
            return len(changes)

    def _differs(self, seen: Mapping[str, Mapping[str, int]]) -> bool:
        with self.store.read() as work:
            names = {*seen, *work.serving.model_names()}
            return any(_pointing(work.serving.newest(name)) != seen.get(name, {}) for name in names)

    def _unrecorded(
        self, work: Work, name: str, kind: ChangeKind, first: ChangeKind, by: Identity, note: str
    ) -> Sequence[ServingChange]:
        newest, aliases = work.serving.newest(name), self._registry.aliases(name)
        found = []
        for alias in sorted({*newest, *aliases}):
            last, version = newest.get(alias), aliases.get(alias, NO_VERSION)
            if version == (last.version if last else NO_VERSION):
                continue
            found.append(
                ServingChange(
                    change_id=new_id(),
                    model_name=name,
                    alias=alias,
                    version=version,
                    model_sha256=self._sha256_of(name, version),
                    previous_version=pointed_to(last),
                    kind=first if last is None else kind,
                    changed_at=work.now,
                    note=note,
                    changed_by=by.account_id,
                )
            )
        return found

    def _sha256_of(self, name: str, version: int) -> str:
        if version == NO_VERSION:
            return ""
        try:
            found: ModelVersion = self._registry.resolve(name, version=version)[0]
        except WorkbenchError:
            return ""  # its files are damaged or away: that it was named is recorded all the same
        return found.sha256


def keep_change(work: Work, identity: Identity, change: ServingChange) -> ServingChange:
    """The change as it was kept, with its line in the audit log; see `ServingRepository.add`."""
    kept = work.serving.add(change)
    work.audit.record(
        identity,
        action=f"model.{kept.kind.value.replace(' ', '_')}",
        object_type="model_alias",
        object_id=f"{kept.model_name}/{kept.alias}",
        before=None if kept.previous_version is None else {"version": kept.previous_version},
        after={"version": kept.version, "model_sha256": kept.model_sha256},
        details={
            "change": kept.change_id,
            "version": kept.version,
            "previous_version": kept.previous_version,
            "model_sha256": kept.model_sha256,
            "is_green": kept.gate.get("is_green"),
            "reasons": list(kept.gate.get("reasons", ())),
            "consent_by": kept.consent_by,
        },
    )
    return kept


def pointed_to(change: ServingChange | None) -> int | None:
    """The version that the alias points to after this change; None when to nothing."""
    return None if change is None or change.version == NO_VERSION else change.version


def _pointing(newest: Mapping[str, ServingChange]) -> dict[str, int]:
    return {alias: change.version for alias, change in newest.items() if change.version != NO_VERSION}


class _Names:
    """The names of accounts, each looked up once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[str | None, str] = {None: ""}

    def of(self, change: ServingChange) -> NamedChange:
        """The change with its names."""
        by = self._name(change.changed_by)
        if change.changed_by is None and change.kind in _BY_COMMAND:
            by = COMMAND_LINE.name
        return NamedChange(change, by, self._name(change.consent_by))

    def _name(self, user_id: str | None) -> str:
        if user_id not in self._known:
            user = self._work.users.find(user_id or "")
            self._known[user_id] = str(user_id) if user is None else user.shown_name
        return self._known[user_id]

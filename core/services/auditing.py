"""Looking into the audit log: searching, exporting, verifying."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.audit.event import SealedEvent
from core.audit.findings import Verification
from core.audit.selection import EventFilter
from core.audit.verification import verify
from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity
from core.domain.errors import SigningKeyError
from core.domain.permissions import Action, require
from core.reports.audit_export import csv_lines, json_lines
from core.store.anchor_file import AnchorLines
from core.store.audit_events import AuditLogDamagedError
from core.store.audit_trail import AuditTrail
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
_BATCH = 1_000
_OURS = {identity.user_id: identity.name for identity in (COMMAND_LINE, SYSTEM)}


class ExportFormat(StrEnum):
    """File format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class NamedEvent:
    """An event and what the ids in it are called now; an erased person is called that.

    Attributes:
        actor: sign-in name, or the id where there is no such account.
        object_name: the same for an object that is an account, else None.
    """

    event: SealedEvent
    actor: str
    object_name: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first; `before` asks for the next page, None when this is the last."""

    events: tuple[NamedEvent, ...]
    before: int | None
    n_wanted: int


@dataclass(frozen=True, slots=True)
class AuditChoices:
    """Values of the filter: actions, groups of actions, and names of all actors by id."""

    actions: tuple[str, ...]
    actors: Mapping[str, str]


class AuditService:
    """The audit log of one store; every method asks for the right to read it."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    def search(
        self, identity: Identity, wanted: EventFilter, *, before: int | None = None, limit: int = 50
    ) -> AuditPage:
        """A page of the wanted events, newest first."""
        require(identity, Action.AUDIT_READ)
        with self._store.read() as work:
            found = work.audit.page(wanted, before=before, limit=limit + 1)
            names = _names(work)
            n_wanted = work.audit.count(wanted)
        shown = tuple(_named(event, names) for event in found[:limit])
        return AuditPage(shown, shown[-1].event.seq if len(found) > limit else None, n_wanted)

    def choices(self, identity: Identity) -> AuditChoices:
        """The values that a filter may take."""
        require(identity, Action.AUDIT_READ)
        with self._store.read() as work:
            actions, actor_ids, names = work.audit.actions(), work.audit.actor_ids(), _names(work)
        groups = {action.rpartition(".")[0] for action in actions}
        actors = {actor_id: names.get(actor_id, actor_id) for actor_id in actor_ids}
        return AuditChoices(tuple(sorted({*actions, *groups} - {""})), actors)

    def export(self, identity: Identity, wanted: EventFilter, form: ExportFormat) -> Iterator[str]:
        """The wanted events, newest first, line by line; that it was exported is in the log before the first.

        Raises:
            NotAllowedError: the role may not read the log; raised here, not at the first line.
        """
        require(identity, Action.AUDIT_READ)
        with self._store.write() as work:
            work.audit.record(
                identity,
                action="audit.exported",
                object_type="audit",
                object_id="log",
                details={"format": form.value, "wanted": wanted.conditions()},
            )
        lines = csv_lines if form is ExportFormat.CSV else json_lines
        return lines((named.event, named.actor) for named in self._all(wanted))

    def verify(
        self, identity: Identity, *, progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> Verification:
        """Result of verifying the whole log and its anchors.

        Afterwards the log tells that it was verified, and a whole one is anchored. No writer waits for this.

        Args:
            identity: who asks.
            progress: told now and then how many events of how many are done.
        """
        require(identity, Action.AUDIT_READ)
        lines = self._trail.anchors.read() if self._trail.anchors else AnchorLines((), ())
        with self._store.read() as work:
            work.audit.hold_still()
            head = work.audit.head()
            rows = _counted(work.audit.rows(), head.seq if head else 0, progress)
            result = verify(rows, head, lines.anchors, self._trail.ring)
        return replace(result, notes=(*lines.notes, *self._conclude(identity, result)))

    def _conclude(self, identity: Identity, result: Verification) -> list[str]:
        """Record that the log was verified and anchor it; notes about what did not work."""
        notes = []
        try:
            with self._store.write() as work:
                work.audit.record(
                    identity,
                    action="audit.verified",
                    object_type="audit",
                    object_id="log",
                    details={"n_events": result.n_events, "n_findings": result.n_findings},
                )
            if result.is_whole:
                self._trail.anchor()
        except AuditLogDamagedError:
            notes.append("that the log was verified could not be recorded in it")
        except SigningKeyError as error:
            notes.append(f"that the log was verified could not be recorded in it: {error}")
        except OSError as error:
            log.exception("the audit log could not be anchored")
            notes.append(f"the log could not be anchored: {error.strerror or error}")
        return notes

    def _all(self, wanted: EventFilter) -> Iterator[NamedEvent]:
        before: int | None = None
        with self._store.read() as work:
            names = _names(work)
            while batch := work.audit.page(wanted, before=before, limit=_BATCH):
                yield from (_named(event, names) for event in batch)
                before = batch[-1].seq


def anchored_text(result: Verification) -> str:
    """The extent of anchoring in words."""
    if result.anchor is None:
        return "not anchored yet"
    return f"anchored up to event {result.anchor.seq} on {moment(result.anchor.at)}"


def moment(at: datetime | None) -> str:
    """The moment in UTC for people."""
    return "unreadable moment" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _counted(
    rows: Iterator[SealedEvent], total: int, progress: Callable[[int, int], None]
) -> Iterator[SealedEvent]:
    for number, row in enumerate(rows, 1):
        if number % _BATCH == 0:
            progress(number, max(number, total))
        yield row


def _names(work: Work) -> dict[str, str]:
    return _OURS | {user.user_id: user.shown_name for user in work.users.all()}


def _named(event: SealedEvent, names: Mapping[str, str]) -> NamedEvent:
    object_name = names.get(event.object_id) if event.object_type == "user" else None
    return NamedEvent(event, names.get(event.actor_id, event.actor_id), object_name)

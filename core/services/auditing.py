"""Looking into the audit log: searching, exporting, verifying."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.audit.anchoring import anchor_faults, second_place_unreadable
from core.audit.chain import Anchor
from core.audit.event import SealedEvent
from core.audit.findings import (
    FaultList,
    LogFault,
    RecordCheck,
    Verification,
    joined,
    original_changed,
    original_missing,
    original_unreadable,
)
from core.audit.records import bound
from core.audit.selection import EventFilter
from core.audit.verification import verify
from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity
from core.domain.errors import BadInputError, SigningKeyError
from core.domain.permissions import Action, require
from core.reports.audit_export import csv_lines, json_lines
from core.store.anchor_file import AnchorLines
from core.store.audit_events import AuditLogDamagedError
from core.store.audit_trail import AuditTrail
from core.store.blobs import BlobNotFoundError, Blobs
from core.store.proven_tables import PROVEN
from core.store.record_comparison import ALL_TAKEN_UP
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
_BATCH = 1_000
#: Records that are taken up with one event.
_AT_ONCE = 500
_LONGEST_WHY = 200
_VERIFIED, _BEGUN = "audit.verified", "audit.anchors_begun"
#: The first schema whose events tell how they left the records.
_STATES_SINCE = "r0011"
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


@dataclass(frozen=True, slots=True)
class LastVerification:
    """The last verification of the log and the records.

    Attributes:
        at: when it ended, UTC.
        by: who asked for it, by name or id.
        n_events: events that were read.
        n_findings: faults; 0 for a log and records that are whole.
    """

    at: datetime
    by: str
    n_events: int
    n_findings: int

    @property
    def is_whole(self) -> bool:
        """True when nothing was wrong."""
        return self.n_findings == 0


class AuditService:
    """The audit log of one store; every method asks for the right to read it."""

    def __init__(self, store: Store, trail: AuditTrail, blobs: Blobs) -> None:
        self._store = store
        self._trail = trail
        self._blobs = blobs

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
        self, identity: Identity, *, progress: Callable[[str, int, int], None] = lambda *_: None
    ) -> Verification:
        """Result of verifying the log, its anchors, the records and the originals.

        Afterwards the log tells that it was verified, and a whole one is anchored. No writer waits for this.

        Args:
            identity: who asks.
            progress: told now and then what is read ("events", "records", "originals"), and how many of how
                many are done.
        """
        require(identity, Action.AUDIT_READ)
        faults = FaultList()
        kept, copied, notes = self._read_anchors(faults)
        with self._store.read() as work:
            work.audit.hold_still()
            head, begun = work.audit.head(), work.audit.newest(_BEGUN)
            end = head.seq if head else 0
            rows = _counted(bound(work.audit.rows(), work.audit.states.all(), faults), end, progress)
            result = verify(rows, head, (*kept, *copied), self._trail.ring)
            compared = work.audit.compare_records(lambda done: progress("records", done, done))
            files = work.images.files()
        if self._trail.anchors is not None:
            begun_at = begun.seq if begun else 0
            faults.extend(anchor_faults(kept, copied, end=end, begun_anew=begun_at, ring=self._trail.ring))
        faults.extend(compared.faults.kept, n_more=compared.faults.n_all - len(compared.faults.kept))
        faults.extend(self._original_faults(files, progress))
        checked = RecordCheck(compared.n_records, len(files), compared.n_taken_up, compared.n_unproven)
        result = joined(result, faults, checked)
        return replace(result, notes=(*notes, *_unproven_notes(checked), *self._conclude(identity, result)))

    def begin_anchors(self, identity: Identity, why: str) -> None:
        """Say in the log that the anchors are begun anew on purpose, and anchor it.

        Raises:
            BadInputError: no reason of 1 to 200 printable characters.
            OSError: the anchor could not be written.
        """
        require(identity, Action.AUDIT_READ)
        cleaned = " ".join(why.split())
        if not 0 < len(cleaned) <= _LONGEST_WHY or not cleaned.isprintable():
            raise BadInputError(f"say why the anchors are begun anew, in 1 to {_LONGEST_WHY} characters")
        with self._store.write() as work:
            work.audit.record(
                identity, action=_BEGUN, object_type="audit", object_id="anchors", details={"why": cleaned}
            )
        self._trail.anchor()

    def last_verification(self, identity: Identity) -> LastVerification | None:
        """The last verification that the log tells of, None before the first."""
        require(identity, Action.AUDIT_READ)
        with self._store.read() as work:
            names = _names(work)
        return last_verification(self._store, names)

    def take_up(self, identity: Identity) -> int:
        """The number of records that no event told of and one now does: once, after the upgrade to states.

        From then on every record is proven; one that no event tells of was added outside of the program.

        Args:
            identity: who upgrades.

        Raises:
            NotAllowedError: the role may not read the audit log.
        """
        require(identity, Action.AUDIT_READ)
        with self._store.read() as work:
            if work.audit.has(ALL_TAKEN_UP):
                return 0
        n_taken_up = 0
        for table in PROVEN:
            with self._store.read() as work:
                keys = work.audit.keys_without_state(table)
            for start in range(0, len(keys), _AT_ONCE):
                with self._store.write() as work:
                    n_taken_up += work.audit.take_up(identity, table, keys[start : start + _AT_ONCE])
        with self._store.write() as work:
            work.audit.record(
                identity,
                action=ALL_TAKEN_UP,
                object_type="records",
                object_id="all",
                details={"n": n_taken_up},
            )
        return n_taken_up

    def _read_anchors(self, faults: FaultList) -> tuple[Sequence[Anchor], Sequence[Anchor], list[str]]:
        """The anchors beside the database, those of the second place, and notes about both.

        The second place comes first: an anchor is written there last, so none of it can be too new.
        """
        copied, place = AnchorLines((), ()), self._trail.copy
        try:
            copied = place.read() if place else copied
        except OSError as error:
            log.exception("the second place of anchors could not be read")
            faults.add(second_place_unreadable(error.strerror or str(error)))
        lines = self._trail.anchors.read() if self._trail.anchors else AnchorLines((), ())
        return lines.anchors, copied.anchors, [*lines.notes, *copied.notes]

    def _original_faults(
        self, files: Collection[str], progress: Callable[[str, int, int], None]
    ) -> Iterator[LogFault]:
        """Faults of the originals on disk."""
        for number, sha256 in enumerate(files, 1):
            try:
                if not self._blobs.is_whole(sha256):
                    yield original_changed(sha256)
            except BlobNotFoundError:
                yield original_missing(sha256)
            except OSError as error:
                yield original_unreadable(sha256, error.strerror or str(error))
            progress("originals", number, len(files))

    def _conclude(self, identity: Identity, result: Verification) -> list[str]:
        """Record that the log was verified and anchor it; notes about what did not work."""
        notes = []
        try:
            with self._store.write() as work:
                work.audit.record(
                    identity,
                    action=_VERIFIED,
                    object_type="audit",
                    object_id="log",
                    details={"n_events": result.n_events, "n_findings": result.n_findings, **_extent(result)},
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


def last_verification(store: Store, names: Mapping[str, str] = _OURS) -> LastVerification | None:
    """The last verification that the log tells of, for a report on the state of the product; None before one.

    Args:
        store: whose log.
        names: of those who may have asked, by id.
    """
    with store.read() as work:
        event = work.audit.newest(_VERIFIED)
    if event is None or event.at is None or not isinstance(event.details, dict):
        return None
    n_events, n_findings = (event.details.get(name) for name in ("n_events", "n_findings"))
    if not isinstance(n_events, int) or not isinstance(n_findings, int):
        return None
    return LastVerification(event.at, names.get(event.actor_id, event.actor_id), n_events, n_findings)


def verification_facts(store: Store) -> dict[str, Any]:
    """When log and records were last verified and whether they were whole, for health; it names nobody.

    Raises:
        WorkbenchError, SQLAlchemyError: the database cannot be asked.
    """
    last = last_verification(store)
    if last is None:
        return {"verified_at": None}
    return {
        "verified_at": last.at.isoformat(),
        "is_whole": last.is_whole,
        "n_events": last.n_events,
        "n_findings": last.n_findings,
    }


def anchored_text(result: Verification) -> str:
    """The extent of anchoring in words."""
    if result.anchor is None:
        return "not anchored yet"
    return f"anchored up to event {result.anchor.seq} on {moment(result.anchor.at)}"


def moment(at: datetime | None) -> str:
    """The moment in UTC for people."""
    return "unreadable moment" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _counted(
    rows: Iterator[SealedEvent], total: int, progress: Callable[[str, int, int], None]
) -> Iterator[SealedEvent]:
    for number, row in enumerate(rows, 1):
        if number % _BATCH == 0:
            progress("events", number, max(number, total))
        yield row


def _extent(result: Verification) -> dict[str, int]:
    return {} if result.records is None else asdict(result.records)


def _unproven_notes(checked: RecordCheck) -> list[str]:
    notes = []
    if checked.n_taken_up:
        notes.append(
            f"{checked.n_taken_up} records were written before database revision {_STATES_SINCE} and taken "
            "up at the upgrade: what was done to them before that cannot be proven"
        )
    if checked.n_unproven:
        notes.append(
            f"{checked.n_unproven} records cannot be proven (written before database revision "
            f"{_STATES_SINCE}): run `radikal setup`, which takes them up as they are now"
        )
    return notes


def _names(work: Work) -> dict[str, str]:
    return _OURS | {user.user_id: user.shown_name for user in work.users.all()}


def _named(event: SealedEvent, names: Mapping[str, str]) -> NamedEvent:
    object_name = names.get(event.object_id) if event.object_type == "user" else None
    return NamedEvent(event, names.get(event.actor_id, event.actor_id), object_name)

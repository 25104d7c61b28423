"""Findings of a verification of the log, in plain sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from core.audit.chain import Anchor, Head
from core.audit.event import SealedEvent

#: So many findings are told; the rest is counted.
MAX_FINDINGS = 1_000


class FindingKind(StrEnum):
    """Kind of a fault."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    UNKNOWN_KEY = "unknown key"
    HEAD_MISSING = "head missing"
    HEAD_FORGED = "head forged"
    ROLLED_BACK = "rolled back"
    ANCHOR_FORGED = "anchor forged"
    ANCHORS_MISSING = "anchors missing"
    RECORD_CHANGED = "record changed"
    RECORD_REMOVED = "record removed"
    RECORD_ADDED = "record added"
    PROOF_CHANGED = "proof changed"
    ORIGINAL_CHANGED = "original changed"
    ORIGINAL_MISSING = "original missing"


@dataclass(frozen=True, slots=True)
class LogFault:
    """One thing that is wrong with the log.

    Attributes:
        seq: where the row stands, or should stand; 0 where none is concerned.
        event_id: of the row that stands there, None where there is none.
        sentence: for people, without a full stop.
        last_seq: the same as `seq`, or the last of a run of rows that the sentence is about.
    """

    kind: FindingKind
    seq: int
    event_id: str | None
    sentence: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """The extent of a comparison of records and originals with the log.

    Attributes:
        n_records: records that were compared with the event that left them.
        n_originals: files of originals that were read.
        n_taken_up: of the records, those that only the taking up at an upgrade tells of: what was done to
            them before cannot be proven.
        n_unproven: further records that no event tells of, written before there were states.
    """

    n_records: int
    n_originals: int
    n_taken_up: int
    n_unproven: int


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of verifying the log.

    Attributes:
        n_events: rows that were read.
        newest: the head as stored, None where there is none.
        newest_at: moment of the last row that stands where it was written, None without one.
        anchor: the newest genuine anchor, None without one.
        findings: by place; empty when the log is whole. At most `MAX_FINDINGS`.
        n_findings: how many there are in all.
        notes: what does not make the log doubtful but should be known.
        records: the extent of what was compared beside the log, None where only the log was read.
    """

    n_events: int
    newest: Head | None
    newest_at: datetime | None
    anchor: Anchor | None
    findings: tuple[LogFault, ...]
    n_findings: int
    notes: tuple[str, ...] = ()
    records: "RecordCheck | None" = None

    @property
    def is_whole(self) -> bool:
        """True when nothing is wrong."""
        return self.n_findings == 0


def changed(row: SealedEvent, *, is_rehashed: bool) -> LogFault:
    """The row no longer says what was sealed."""
    how = (
        "its hash was computed anew, but not sealed with our key"
        if is_rehashed
        else "its content and its hash no longer agree"
    )
    return _about(row, FindingKind.CHANGED, f"{named(row)} was changed after it was written: {how}")


def chain_changed(row: SealedEvent) -> LogFault:
    """Content as sealed; what ties it into the chain is not."""
    return _about(
        row,
        FindingKind.CHANGED,
        f"{named(row)}: what it says is as it was written, but its hash, seal, key or link was changed",
    )


def replaced(row: SealedEvent) -> LogFault:
    """Genuine, but not the row that the next one was written behind."""
    said = f"{named(row)} is not the one that the next was written behind: it was replaced"
    return _about(row, FindingKind.CHANGED, said)


def forked(row: SealedEvent) -> LogFault:
    """Genuine, but another row was anchored at its place."""
    said = (
        f"{named(row)} is not the one that was anchored: the database was put back to an earlier state and "
        "went on from there"
    )
    return _about(row, FindingKind.ROLLED_BACK, said)


def inserted(row: SealedEvent, *, copy_of: int | None) -> LogFault:
    """The row was never written by us at this place."""
    what = "nobody here wrote it" if copy_of is None else f"it is a copy of event {copy_of}"
    return _about(row, FindingKind.INSERTED, f"{named(row)} was inserted: {what}")


def moved(rows: Sequence[SealedEvent], shift: int) -> LogFault:
    """Consecutive rows that all stand `shift` places too early (above zero) or too late."""
    first, last = rows[0], rows[-1]
    if first is last:
        said = f"{named(first)} was moved: it was written as event {first.seq + shift}"
    else:
        way = "early" if shift > 0 else "late"
        said = (
            f"events {first.seq} to {last.seq} were renumbered: "
            f"they stand {abs(shift)} place{'s' if abs(shift) > 1 else ''} too {way}"
        )
    return LogFault(FindingKind.REORDERED, first.seq, first.event_id, said, last.seq)


def removed(first: int, last: int) -> LogFault:
    """Rows that were written and are not there."""
    said = f"event {first} was removed" if first == last else f"events {first} to {last} were removed"
    return LogFault(FindingKind.REMOVED, first, None, said, last)


def unknown_key(first: SealedEvent, last_seq: int) -> LogFault:
    """A run of rows whose seal cannot be checked."""
    which = f"event {first.seq} is" if first.seq == last_seq else f"events {first.seq} to {last_seq} are"
    said = f"{which} {sealed_with_unknown(first.key_id)}"
    return LogFault(FindingKind.UNKNOWN_KEY, first.seq, first.event_id, said, last_seq)


def sealed_with_unknown(key_id: str) -> str:
    """A sentence about a key that is not on the ring, with the remedy."""
    return f"sealed with the key {key_id}, which is not known here: set JWT_SECRET_PREVIOUS"


def states_changed(row: SealedEvent) -> LogFault:
    """What is kept of the records that the event touched is not what its seal covers."""
    said = f"the digests of the records that {named(row)} left were changed, removed or added to"
    return _about(row, FindingKind.PROOF_CHANGED, said)


def states_without_event(seq: int) -> LogFault:
    """Digests of records that belong to an event that is not there."""
    said = f"there are digests of records that event {seq} left, but no such event"
    return LogFault(FindingKind.PROOF_CHANGED, seq, None, said, seq)


def record_changed(noun: str, key: str, field: str, event: str, seq: int, event_id: str | None) -> LogFault:
    """A field of a record is not as the newest event about it left it."""
    said = f"{noun} {key}: {field} is not what {event} left; it was changed outside of RadiKal"
    return LogFault(FindingKind.RECORD_CHANGED, seq, event_id, said, seq)


def record_removed(noun: str, key: str, event: str, seq: int, event_id: str | None) -> LogFault:
    """A record that an event left is not there."""
    said = f"{noun} {key}, which {event} left, is not there; it was removed outside of RadiKal"
    return LogFault(FindingKind.RECORD_REMOVED, seq, event_id, said, seq)


def record_added(noun: str, key: str) -> LogFault:
    """A record that no event tells of, or that an event removed."""
    said = f"{noun} {key} is there, but no event left it; it was added outside of RadiKal"
    return LogFault(FindingKind.RECORD_ADDED, 0, None, said, 0)


def original_missing(sha256: str) -> LogFault:
    """The file of an image is not there."""
    said = f"the original {sha256} is not there: it was removed outside of RadiKal; restore it from a backup"
    return LogFault(FindingKind.ORIGINAL_MISSING, 0, None, said, 0)


def original_changed(sha256: str) -> LogFault:
    """The file of an image holds other bytes than were handed in."""
    said = f"the original {sha256} holds other bytes than were handed in; restore it from a backup"
    return LogFault(FindingKind.ORIGINAL_CHANGED, 0, None, said, 0)


def original_unreadable(sha256: str, why: str) -> LogFault:
    """The file of an image cannot be read, so nothing is known about it."""
    said = f"the original {sha256} cannot be read: {why}"
    return LogFault(FindingKind.ORIGINAL_CHANGED, 0, None, said, 0)


def about_log(kind: FindingKind, seq: int, sentence: str) -> LogFault:
    """Something about the head, an anchor or the state as a whole."""
    return LogFault(kind, seq, None, sentence, seq)


@dataclass(slots=True)
class FaultList:
    """Faults as they are found: the first `MAX_FINDINGS` are kept, all are counted."""

    kept: list[LogFault] = field(default_factory=list)
    n_all: int = 0

    def add(self, fault: LogFault) -> None:
        """Keep the fault, or count it."""
        self.n_all += 1
        if self.has_room:
            self.kept.append(fault)

    def extend(self, faults: Iterable[LogFault], *, n_more: int = 0) -> None:
        """Add the faults, and count so many more that nobody kept."""
        for fault in faults:
            self.add(fault)
        self.n_all += n_more

    @property
    def has_room(self) -> bool:
        """False when further faults are only counted."""
        return len(self.kept) < MAX_FINDINGS


def joined(result: Verification, faults: FaultList, records: RecordCheck) -> Verification:
    """The result with further faults, and the extent of what else was compared."""
    found = sorted((*result.findings, *faults.kept), key=lambda fault: fault.seq)
    return replace(
        result,
        findings=tuple(found[:MAX_FINDINGS]),
        n_findings=result.n_findings + faults.n_all,
        records=records,
    )


def _about(row: SealedEvent, kind: FindingKind, sentence: str) -> LogFault:
    return LogFault(kind, row.seq, row.event_id, sentence, row.seq)


def named(row: SealedEvent) -> str:
    """What the event is called in a sentence."""
    return f"event {row.seq} ({row.action}, {row.event_id})"

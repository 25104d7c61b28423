"""Findings of a verification of the log, in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.audit.chain import Anchor, Head
from core.audit.event import SealedEvent


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
    """

    n_events: int
    newest: Head | None
    newest_at: datetime | None
    anchor: Anchor | None
    findings: tuple[LogFault, ...]
    n_findings: int
    notes: tuple[str, ...] = ()

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
    return _about(row, FindingKind.CHANGED, f"{_named(row)} was changed after it was written: {how}")


def chain_changed(row: SealedEvent) -> LogFault:
    """Content as sealed; what ties it into the chain is not."""
    return _about(
        row,
        FindingKind.CHANGED,
        f"{_named(row)}: what it says is as it was written, but its hash, seal, key or link was changed",
    )


def replaced(row: SealedEvent) -> LogFault:
    """Genuine, but not the row that the next one was written behind."""
    said = f"{_named(row)} is not the one that the next was written behind: it was replaced"
    return _about(row, FindingKind.CHANGED, said)


def forked(row: SealedEvent) -> LogFault:
    """Genuine, but another row was anchored at its place."""
    said = (
        f"{_named(row)} is not the one that was anchored: the database was put back to an earlier state and "
        "went on from there"
    )
    return _about(row, FindingKind.ROLLED_BACK, said)


def inserted(row: SealedEvent, *, copy_of: int | None) -> LogFault:
    """The row was never written by us at this place."""
    what = "nobody here wrote it" if copy_of is None else f"it is a copy of event {copy_of}"
    return _about(row, FindingKind.INSERTED, f"{_named(row)} was inserted: {what}")


def moved(rows: Sequence[SealedEvent], shift: int) -> LogFault:
    """Consecutive rows that all stand `shift` places too early (above zero) or too late."""
    first, last = rows[0], rows[-1]
    if first is last:
        said = f"{_named(first)} was moved: it was written as event {first.seq + shift}"
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


def about_log(kind: FindingKind, seq: int, sentence: str) -> LogFault:
    """Something about the head, an anchor or the state as a whole."""
    return LogFault(kind, seq, None, sentence, seq)


def _about(row: SealedEvent, kind: FindingKind, sentence: str) -> LogFault:
    return LogFault(kind, row.seq, row.event_id, sentence, row.seq)


def _named(row: SealedEvent) -> str:
    return f"event {row.seq} ({row.action}, {row.event_id})"

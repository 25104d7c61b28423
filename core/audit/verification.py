"""Reading the whole log once, row by row, and naming what does not fit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from core.audit import findings as say
from core.audit.chain import GENESIS, Anchor, Head, Keyring, event_seal
from core.audit.diagnosis import Faults, diagnose
from core.audit.event import SealedEvent
from core.audit.findings import MAX_FINDINGS, FindingKind, LogFault, Verification


def verify(
    rows: Iterable[SealedEvent], head: Head | None, anchors: Sequence[Anchor], ring: Keyring
) -> Verification:
    """Faults of the log, row by row.

    Finds every change, removal, insertion and exchange of rows by somebody who does not have the key; the
    removal of the newest rows, through the head; a database that was put back to an earlier state, through
    the anchors. It cannot find what somebody did who has the key, nor a database that was put back together
    with its anchors: keep a copy of the anchors elsewhere.

    One pass, in memory that grows with what is wrong, not with the log.

    Args:
        rows: ascending by `seq`, as one transaction sees them.
        head: as the same transaction sees it.
        anchors: in any order.
        ring: the keys that are known.
    """
    genuine, found = _sift_anchors(anchors, ring)
    anchored: dict[int, set[str]] = defaultdict(set)
    for anchor in genuine:
        anchored[anchor.seq].add(anchor.hash)
    survey = _Survey(ring, anchored)
    for row in rows:
        survey.read(row)
    found += survey.finish()
    found += _judge_head(head, survey, ring)
    end = survey.newest.seq if survey.newest else 0
    if head is not None and head.is_genuine(ring):
        end = max(survey.newest_genuine, head.seq)
        survey.faults.known[head.seq] = head.hash
    for seq, hashes in anchored.items():
        if len(hashes) == 1:
            survey.faults.known.setdefault(seq, next(iter(hashes)))
    newest_anchor = max(genuine, key=lambda anchor: (anchor.seq, anchor.at), default=None)
    if newest_anchor is not None and newest_anchor.seq > end:
        found.append(_rolled_back(newest_anchor, end))
    diagnosed, n_unnamed = diagnose(survey.faults, end=end, ring=ring)
    found += diagnosed
    found.sort(key=lambda finding: finding.seq)
    return Verification(
        n_events=survey.n_rows,
        newest=head,
        newest_at=survey.newest.at if survey.newest else None,
        anchor=newest_anchor,
        findings=tuple(found[:MAX_FINDINGS]),
        n_findings=len(found) + n_unnamed,
    )


class _Verdict(Enum):
    GENUINE = auto()
    UNKNOWN_KEY = auto()
    BAD = auto()


@dataclass(slots=True)
class _Survey:
    """State after one pass over the rows: small, unless many rows are wrong.

    `standing` is the last row that stands where it was written, `newest` the same after the end.
    """

    ring: Keyring
    anchored: Mapping[int, set[str]]
    faults: Faults = field(default_factory=Faults)
    n_rows: int = 0
    newest: SealedEvent | None = None
    newest_genuine: int = 0
    _findings: list[LogFault] = field(default_factory=list)
    _unchecked: tuple[SealedEvent, int] | None = None

    def read(self, row: SealedEvent) -> None:
        """Take the next row into account."""
        self.n_rows += 1
        before, faults = self.newest, self.faults
        is_next = before is not None and row.seq == before.seq + 1
        is_twin = row.seq == faults.last_seq
        is_taken = is_twin and before is not None and before.seq == row.seq
        if row.seq > faults.last_seq + 1:
            faults.gaps.append((faults.last_seq + 1, row.seq - 1))
        if before is not None and not is_next:
            faults.known[before.seq] = before.hash
        faults.last_seq = max(faults.last_seq, row.seq)
        verdict = self._judge(row)
        if is_twin:
            faults.held.update({row.seq} if is_taken or verdict is not _Verdict.BAD else ())
        if verdict is _Verdict.BAD or is_taken or row.seq < 1:
            if before is not None:
                faults.known[before.seq] = before.hash
            faults.suspect(row)
            return
        self._link(row, before if is_next else None, is_genuine=verdict is _Verdict.GENUINE)
        self.newest = row
        if verdict is _Verdict.GENUINE:
            self.newest_genuine = row.seq
            self._compare_with_anchors(row)
        else:
            self._note_unchecked(row)

    def finish(self) -> list[LogFault]:
        """Faults found by the pass alone."""
        if self._unchecked is not None:
            self._findings.append(say.unknown_key(*self._unchecked))
            self._unchecked = None
        return self._findings

    def _judge(self, row: SealedEvent) -> _Verdict:
        """Faults of one row by itself."""
        if row.content_hash() != row.hash:
            return _Verdict.BAD
        key = self.ring.keys.get(row.key_id)
        if key is None:
            return _Verdict.UNKNOWN_KEY
        return _Verdict.GENUINE if event_seal(key, row.hash) == row.seal else _Verdict.BAD

    def _link(self, row: SealedEvent, before: SealedEvent | None, *, is_genuine: bool) -> None:
        """Compare with the row before; where that is missing or doubtful, learn what it was."""
        if before is None and row.seq > 1:
            if is_genuine:
                self.faults.known[row.seq - 1] = row.previous_hash
            return
        if row.previous_hash == (before.hash if before else GENESIS):
            return
        if not is_genuine or before is None:
            self._findings.append(say.changed(row, is_rehashed=True))
        elif before.key_id in self.ring.keys:
            self._findings.append(say.replaced(before))
        else:
            self._findings.append(say.changed(before, is_rehashed=True))

    def _compare_with_anchors(self, row: SealedEvent) -> None:
        hashes = self.anchored.get(row.seq)
        if hashes and hashes != {row.hash}:
            self._findings.append(say.forked(row))

    def _note_unchecked(self, row: SealedEvent) -> None:
        """Rows in a row that are sealed with the same unknown key make one finding."""
        if self._unchecked is not None:
            first, last_seq = self._unchecked
            if first.key_id == row.key_id and last_seq == row.seq - 1:
                self._unchecked = (first, row.seq)
                return
            self._findings.append(say.unknown_key(first, last_seq))
        self._unchecked = (row, row.seq)


def _sift_anchors(anchors: Sequence[Anchor], ring: Keyring) -> tuple[list[Anchor], list[LogFault]]:
    """The genuine anchors, and a finding for each of the others."""
    genuine, found = [], []
    for anchor in anchors:
        if anchor.is_genuine(ring):
            genuine.append(anchor)
        elif anchor.key_id not in ring.keys:
            said = f"the anchor of event {anchor.seq} is {say.sealed_with_unknown(anchor.key_id)}"
            found.append(say.about_log(FindingKind.UNKNOWN_KEY, anchor.seq, said))
        else:
            said = f"the anchor of event {anchor.seq} does not bear our seal: it was changed or made up"
            found.append(say.about_log(FindingKind.ANCHOR_FORGED, anchor.seq, said))
    return genuine, found


def _judge_head(head: Head | None, survey: _Survey, ring: Keyring) -> list[LogFault]:
    """Faults of the head, given the rows."""
    newest = survey.newest
    end = newest.seq if newest else 0
    if head is None:
        said = "the head, which names the newest event, is missing: the newest events may be, too"
        return [say.about_log(FindingKind.HEAD_MISSING, end, said)]
    if head.is_unused:
        if not survey.n_rows:
            return []
        said = "the head says that nothing was ever written, but there are events: it was put back"
        return [say.about_log(FindingKind.HEAD_FORGED, end, said)]
    if head.key_id not in ring.keys:
        said = f"the head is {say.sealed_with_unknown(head.key_id)}"
        return [say.about_log(FindingKind.UNKNOWN_KEY, head.seq, said)]
    if not head.is_genuine(ring):
        said = f"the head, which names event {head.seq} as the newest, does not bear our seal: it was changed"
        return [say.about_log(FindingKind.HEAD_FORGED, end, said)]
    if survey.newest_genuine > head.seq:
        said = (
            f"the head names event {head.seq} as the newest, but event {survey.newest_genuine} was written "
            "by us, too: the head was put back"
        )
        return [say.about_log(FindingKind.HEAD_FORGED, head.seq, said)]
    if newest is not None and newest.seq == head.seq and newest.hash != head.hash:
        said = f"the head was sealed over another event {head.seq} than the one that is there"
        return [say.about_log(FindingKind.HEAD_FORGED, head.seq, said)]
    return []


def _rolled_back(anchor: Anchor, end: int) -> LogFault:
    said = (
        f"the log ends at event {end}, but event {anchor.seq} was anchored on {anchor.at:%Y-%m-%d %H:%M:%S} "
        "UTC: the database was put back to an earlier state"
    )
    return LogFault(FindingKind.ROLLED_BACK, end + 1, None, said, anchor.seq)

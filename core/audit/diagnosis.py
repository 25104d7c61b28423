"""Diagnosis of rows that do not fit: changed, removed, or moved."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.audit import findings as say
from core.audit.chain import GENESIS, Keyring, event_seal
from core.audit.event import SealedEvent
from core.audit.findings import LogFault

#: So many rows that do not fit are looked at more closely; the rest is counted.
MAX_SUSPECTS = 10_000
#: With so few, every one is tried at every place in question.
_FEW = 64
#: Distance from its place within which a row is searched when nothing else tells where it was written.
_NEARBY = 64
#: Rows that were renumbered together make one finding from this many on.
_RUN = 3


@dataclass(slots=True)
class Faults:
    """Faults found while reading the log that still need an explanation.

    Attributes:
        suspects: rows that are not what was sealed for their place, ascending by `seq`.
        n_unkept: how many more there were.
        gaps: first and last place of each gap between rows.
        known: hashes that genuine rows, the head and anchors give for places.
        held: places of suspects that a genuine row holds as well.
        last_seq: the highest place that any row claims.
    """

    suspects: list[SealedEvent] = field(default_factory=list)
    n_unkept: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    known: dict[int, str] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    last_seq: int = 0

    def suspect(self, row: SealedEvent) -> None:
        """Keep the row for a closer look, or count it."""
        if len(self.suspects) < MAX_SUSPECTS:
            self.suspects.append(row)
        else:
            self.n_unkept += 1


def diagnose(faults: Faults, *, end: int, ring: Keyring) -> tuple[list[LogFault], int]:
    """A finding for every suspect and every missing row, and how many suspects were not looked at.

    A hash that is known for a place, from its successor, the head or an anchor, says which content was
    written there; the content found names the hash of the place before, and so on through a run of rows.
    Where no hash is known, the row's own seal confirms a guess.

    Args:
        faults: what reading left open.
        end: the last place that was ever written to, as far as is known.
        ring: the keys that are known.
    """
    if not (faults.suspects or faults.gaps or end > faults.last_seq):
        return [], 0
    puzzle = _Puzzle(faults, end, ring)
    puzzle.solve()
    return puzzle.findings(), faults.n_unkept


class _Puzzle:
    """Assigns suspects to the places that they were written to."""

    def __init__(self, faults: Faults, end: int, ring: Keyring) -> None:
        self._faults, self._end, self._keys = faults, end, ring.keys
        self._known = faults.known
        #: Nothing is said about places behind it: rows that stand there were not kept.
        self._horizon = faults.suspects[-1].seq if faults.n_unkept else faults.last_seq
        self._gap_starts = [first for first, _ in faults.gaps]
        self._by_seq: dict[int, list[int]] = defaultdict(list)
        self._by_hash: dict[str, list[int]] = defaultdict(list)
        self._by_seal: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(faults.suspects):
            self._by_seq[row.seq].append(index)
            self._by_hash[row.hash].append(index)
            self._by_seal[row.seal].append(index)
        self._place: dict[int, int] = {}  # suspect -> place it was written to
        self._owner: dict[int, int] = {}  # and back
        self._rewritten: set[int] = set()  # placed by their seal alone
        self._copies: dict[int, int] = {}  # suspect -> place of the genuine row that it repeats

    def solve(self) -> None:
        """Place what can be placed, the surest evidence first."""
        self._backward(list(self._known))
        self._forward()
        self._nearby()
        self._by_seal_alone()

    def findings(self) -> list[LogFault]:
        """One for every suspect, except that rows renumbered together share one; one for every hole."""
        found: list[LogFault] = []
        moved: list[int] = []
        kept: set[int] = set()
        for index, row in enumerate(self._faults.suspects):
            place = self._place.get(index)
            is_taken = row.seq in self._faults.held | self._owner.keys() | kept
            if place is None and (is_taken or not 1 <= row.seq <= self._end):
                found.append(say.inserted(row, copy_of=self._copies.get(index)))
            elif place is None or index in self._rewritten:
                found.append(say.changed(row, is_rehashed=row.content_hash() == row.hash))
                kept.add(place or row.seq)
            elif place == row.seq:
                found.append(say.chain_changed(row))
            else:
                moved.append(index)
        return [*found, *self._moved(moved), *self._removed(kept)]

    def _backward(self, places: list[int]) -> None:
        """From a known hash to the row that has it, and from that row to the hash before it."""
        while places:
            place = places.pop()
            if not self._is_open(place):
                continue
            for index in self._candidates(place):
                previous = self._fitting_previous(index, place)
                if previous is not None:
                    self._assign(index, place)
                    if place > 1 and self._known.setdefault(place - 1, previous) == previous:
                        places.append(place - 1)
                    break

    def _candidates(self, place: int) -> Iterator[int]:
        content_hash = self._known[place]
        yield from (i for i in self._by_hash[content_hash] if i not in self._place)
        for key in self._keys.values():
            yield from (i for i in self._by_seal[event_seal(key, content_hash)] if i not in self._place)
        if len(self._faults.suspects) <= _FEW:
            yield from (i for i in range(len(self._faults.suspects)) if i not in self._place)
        else:
            yield from (i for i in self._by_seq[place] if i not in self._place)

    def _fitting_previous(self, index: int, place: int) -> str | None:
        """The hash before `place` with which the row has the hash known for it; None when there is none."""
        row = self._faults.suspects[index]
        others = (self._faults.suspects[i].previous_hash for i in self._by_seq[place])
        guesses = {row.previous_hash, *others, self._known.get(place - 1, GENESIS)}
        for previous in guesses:
            if row.content_hash(seq=place, previous_hash=previous) == self._known[place]:
                return previous
        return None

    def _forward(self) -> None:
        """From the hash before a place to the row that, put there, is what was sealed."""
        shift = 0
        for index, row in enumerate(self._faults.suspects):
            if index in self._place:
                continue
            for place in (row.seq, row.seq + shift, row.seq - 1, row.seq + 1):
                previous = GENESIS if place == 1 else self._known.get(place - 1)
                if previous is None or not self._is_open(place):
                    continue
                content_hash = row.content_hash(seq=place, previous_hash=previous)
                if self._is_sealed(row, content_hash):
                    self._assign(index, place)
                    self._known.setdefault(place, content_hash)
                    shift = place - row.seq
                    break

    def _nearby(self) -> None:
        """Rows whose hash is sealed, but for another place: try the places around."""
        shift = 0
        for index, row in enumerate(self._faults.suspects):
            if index in self._place or not self._is_sealed(row, row.hash):
                continue
            for distance in (shift, *(d for n in range(1, _NEARBY + 1) for d in (n, -n))):
                place = row.seq + distance
                if row.content_hash(seq=place) != row.hash:
                    continue
                if self._is_open(place):
                    shift = distance
                    self._assign(index, place)
                    self._known.setdefault(place, row.hash)
                    if self._known.setdefault(place - 1, row.previous_hash) == row.previous_hash:
                        self._backward([place - 1])
                else:
                    self._copies[index] = place
                break

    def _by_seal_alone(self) -> None:
        """Rows that were hashed anew but kept the seal: the run before such a row moved along with it."""
        for place, content_hash in list(self._known.items()):
            for key in self._keys.values():
                matches = [i for i in self._by_seal[event_seal(key, content_hash)] if i not in self._place]
                if matches and self._is_open(place):
                    self._assign_run(matches[0], place)

    def _assign_run(self, index: int, place: int) -> None:
        suspects, shift = self._faults.suspects, place - self._faults.suspects[index].seq
        while self._is_open(place):
            self._assign(index, place)
            self._rewritten.add(index)
            index -= 1
            if index < 0 or index in self._place or suspects[index].seq + shift != place - 1:
                return
            place -= 1

    def _assign(self, index: int, place: int) -> None:
        self._place[index] = place
        self._owner[place] = index

    def _is_sealed(self, row: SealedEvent, content_hash: str) -> bool:
        key = self._keys.get(row.key_id)
        return any(event_seal(k, content_hash) == row.seal for k in ([key] if key else self._keys.values()))

    def _is_open(self, place: int) -> bool:
        """True for a place that was written to and that no row is known to hold."""
        if not 1 <= place <= self._end or place in self._faults.held or place in self._owner:
            return False
        if place > self._horizon or place in self._by_seq:
            return True
        index = bisect_right(self._gap_starts, place) - 1
        return index >= 0 and place <= self._faults.gaps[index][1]

    def _moved(self, indices: list[int]) -> list[LogFault]:
        """Findings for rows that stand elsewhere, one for a run with the same shift."""
        runs: list[list[SealedEvent]] = []
        shifts: list[int] = []
        for index in indices:
            row = self._faults.suspects[index]
            shift = self._place[index] - row.seq
            if runs and shifts[-1] == shift and runs[-1][-1].seq == row.seq - 1:
                runs[-1].append(row)
            else:
                runs.append([row])
                shifts.append(shift)
        found = []
        for run, shift in zip(runs, shifts, strict=True):
            pieces = [run] if len(run) >= _RUN else [[row] for row in run]
            found += [say.moved(piece, shift) for piece in pieces]
        return found

    def _removed(self, kept: set[int]) -> list[LogFault]:
        """One for each hole that nothing was found for."""
        vacated = {self._faults.suspects[index].seq for index in self._place}
        filled = kept | self._owner.keys() | self._faults.held
        holes = [(seq, seq) for seq in vacated - filled]
        holes += [*self._faults.gaps, (self._faults.last_seq + 1, self._end)]
        reach = self._horizon if self._faults.n_unkept else self._end
        pieces: list[tuple[int, int]] = []
        taken = sorted(filled)
        for first, last in holes:
            start, stop = max(first, 1), min(last, reach)
            for place in taken[bisect_right(taken, start - 1) : bisect_right(taken, stop)]:
                pieces.append((start, place - 1))
                start = place + 1
            pieces.append((start, stop))
        found: list[tuple[int, int]] = []
        for first, last in sorted(piece for piece in pieces if piece[0] <= piece[1]):
            if found and found[-1][1] == first - 1:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        return [say.removed(first, last) for first, last in found]

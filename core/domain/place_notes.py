"""Notes of people on a place of an image: written once, answered or withdrawn by another entry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.reading import overlap

Box = tuple[float, float, float, float]
#: Boxes that overlap so much (IoU) are one place.
SAME_PLACE = 0.3


@dataclass(frozen=True, slots=True)
class PlaceNote:
    """One entry.

    Attributes:
        image_sha256: of the image as it is known here.
        box: x1, y1, x2, y2 in px of the original; None for the image as a whole.
        model_name: of the versions that it is about; empty where it is about none.
        versions: sha256 of their weights by number.
        answers, withdraws: id of the note that this one answers or withdraws; at most one of them is set.
        written_at: UTC.
    """

    note_id: str
    image_sha256: str
    box: Box | None
    model_name: str
    versions: Mapping[int, str] = field(hash=False)
    text: str
    answers: str | None
    withdraws: str | None
    author_id: str
    written_at: datetime

    def is_at(self, boxes: Iterable[Sequence[float]]) -> bool:
        """True where one of these boxes is the place of the note; for the image as a whole at every place."""
        return self.box is None or any(overlap(self.box, one) >= SAME_PLACE for one in boxes)


@dataclass(frozen=True, slots=True)
class NoteThread:
    """A note, its answers, and the entries that withdrew some of them.

    Attributes:
        answers: oldest first.
        withdrawals: by id of the note or answer that each withdrew.
    """

    note: PlaceNote
    answers: tuple[PlaceNote, ...] = ()
    withdrawals: Mapping[str, PlaceNote] = field(default_factory=dict, hash=False)

    @property
    def is_withdrawn(self) -> bool:
        """True when the note itself was withdrawn."""
        return self.note.note_id in self.withdrawals

    @property
    def authors(self) -> frozenset[str]:
        """User ids of everybody who wrote in it."""
        entries = (self.note, *self.answers, *self.withdrawals.values())
        return frozenset(one.author_id for one in entries)


def threads(entries: Sequence[PlaceNote]) -> list[NoteThread]:
    """The entries about one image as threads, the newest note first; answers of no note here are left out."""
    withdrawn = {one.withdraws: one for one in entries if one.withdraws}
    found = []
    for note in entries:
        if note.answers or note.withdraws:
            continue
        answers = sorted((one for one in entries if one.answers == note.note_id), key=_age)
        own = {one.note_id for one in (note, *answers)}
        found.append(
            NoteThread(note, tuple(answers), {key: one for key, one in withdrawn.items() if key in own})
        )
    return sorted(found, key=lambda one: _age(one.note), reverse=True)


def _age(one: PlaceNote) -> tuple[datetime, str]:
    return one.written_at, one.note_id

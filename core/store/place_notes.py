"""The repository of notes on a place of an image."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.place_notes import PlaceNote
from core.store.comparison_tables import PlaceNoteRow

_IMAGES_AT_ONCE = 500


class PlaceNoteRepository:
    """Rows of `place_notes` within one transaction; they are only added to."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, one: PlaceNote) -> None:
        """Keep the entry."""
        self._session.add(
            PlaceNoteRow(
                note_id=one.note_id,
                image_sha256=one.image_sha256,
                box=None if one.box is None else list(one.box),
                model_name=one.model_name,
                versions={str(number): sha256 for number, sha256 in one.versions.items()},
                text=one.text,
                answers=one.answers,
                withdraws=one.withdraws,
                author_id=one.author_id,
                written_at=one.written_at,
            )
        )
        self._session.flush()

    def find(self, note_id: str) -> PlaceNote | None:
        """The entry, None when there is none."""
        row = self._session.get(PlaceNoteRow, note_id)
        return None if row is None else _note(row)

    def of_images(self, digests: Collection[str]) -> list[PlaceNote]:
        """Every entry about these images, oldest first."""
        wanted, found = sorted(digests), []
        for start in range(0, len(wanted), _IMAGES_AT_ONCE):
            part = wanted[start : start + _IMAGES_AT_ONCE]
            query = select(PlaceNoteRow).where(PlaceNoteRow.image_sha256.in_(part))
            found += [_note(row) for row in self._session.scalars(query)]
        return sorted(found, key=lambda one: (one.written_at, one.note_id))

    def is_withdrawn(self, note_id: str) -> bool:
        """True when an entry withdrew this one."""
        query = select(PlaceNoteRow.note_id).where(PlaceNoteRow.withdraws == note_id).limit(1)
        return self._session.scalar(query) is not None


def _note(row: Any) -> PlaceNote:
    return PlaceNote(
        note_id=row.note_id,
        image_sha256=row.image_sha256,
        box=None if row.box is None else (row.box[0], row.box[1], row.box[2], row.box[3]),
        model_name=row.model_name,
        versions={int(number): sha256 for number, sha256 in row.versions.items()},
        text=row.text,
        answers=row.answers,
        withdraws=row.withdraws,
        author_id=row.author_id,
        written_at=row.written_at,
    )

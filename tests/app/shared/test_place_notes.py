"""Notes on a place, as pages draw them."""

from dataclasses import replace
from datetime import UTC, datetime

from app.shared.place_notes import noted_boxes
from core.domain.place_notes import NoteThread, PlaceNote

NOTE = PlaceNote(
    note_id="n1", image_sha256="ab" * 32, box=(1.04, 2.0, 30.0, 12.0), model_name="weld", versions={},
    text="root bead", answers=None, withdraws=None, author_id="u1",
    written_at=datetime(2026, 5, 1, tzinfo=UTC),
)  # fmt: skip


def test_boxes_are_those_of_notes_that_stand_with_the_start_of_their_text() -> None:
    withdrawn = NoteThread(NOTE, withdrawals={"n1": replace(NOTE, note_id="n2", withdraws="n1")})
    whole = NoteThread(replace(NOTE, box=None))
    long = NoteThread(replace(NOTE, text="the edge " * 20))
    first, second = noted_boxes([NoteThread(NOTE), withdrawn, whole, long])
    assert first == {"box": [1.0, 2.0, 30.0, 12.0], "label": "note: root bead"}
    assert second["label"].startswith("note: the edge the edge")
    assert second["label"].endswith(" ...")
    assert len(second["label"]) <= 48
    assert noted_boxes([]) == []

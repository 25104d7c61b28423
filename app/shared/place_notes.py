"""What people wrote about a place of an image, drawn wherever the image is shown."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Any

from app.shared.moments import minute
from app.shared.templates import draw_html
from core.domain.place_notes import NoteThread, PlaceNote
from core.services.images.place_notes import ImageNotes

_LABEL_CHARACTERS = 48


def draw_notes(notes: ImageNotes, threads: Sequence[NoteThread]) -> None:
    """Draw the notes with their answers; nothing without one."""
    if threads:
        draw_html("shared/place_notes.html", threads=[thread_row(notes, one) for one in threads])


def thread_row(notes: ImageNotes, thread: NoteThread) -> dict[str, Any]:
    """A note and its answers in words."""
    entries = (thread.note, *thread.answers)
    note, *answers = [_entry(notes, one, thread.withdrawals.get(one.note_id)) for one in entries]
    return {"note": note | {"about": about_words(thread.note)}, "answers": answers}


def noted_boxes(threads: Sequence[NoteThread]) -> list[dict[str, Any]]:
    """Boxes of the notes that stand, each with the start of its text, for a radiograph they are drawn on."""
    return [
        {
            "box": [round(value, 1) for value in one.note.box],
            "label": shorten(f"note: {one.note.text}", _LABEL_CHARACTERS, placeholder=" ..."),
        }
        for one in threads
        if one.note.box is not None and not one.is_withdrawn
    ]


def about_words(note: PlaceNote) -> str:
    """The versions and the place that a note is about."""
    versions = ", ".join(f"v{number}" for number in sorted(note.versions))
    place = "the image"
    if note.box is not None:
        x0, y0, x1, y1 = note.box
        place = f"x {x0:.0f} to {x1:.0f}, y {y0:.0f} to {y1:.0f} px"
    return " · ".join(filter(None, (f"{note.model_name} {versions}".strip(), place)))


def _entry(notes: ImageNotes, one: PlaceNote, withdrawal: PlaceNote | None) -> dict[str, str]:
    withdrawn = ""
    if withdrawal is not None:
        withdrawn = f"withdrawn {minute(withdrawal.written_at)} UTC: {withdrawal.text}"
    by = f"{notes.name(one.author_id)}, {minute(one.written_at)} UTC"
    return {"text": one.text, "by": by, "withdrawn": withdrawn}

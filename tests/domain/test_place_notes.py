"""Notes on a place: which place it is, and what answers or withdraws what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.domain.place_notes import PlaceNote, threads

NOTE = PlaceNote(
    "n1", "a" * 64, (10, 10, 30, 20), "weld", {2: "ab" * 32}, "a seam edge", None, None, "u-1",
    datetime(2026, 3, 1, 12, tzinfo=UTC),
)  # fmt: skip


def later(note_id: str, minutes: int, **changed: object) -> PlaceNote:
    changes: dict[str, object] = {
        "note_id": note_id,
        "written_at": NOTE.written_at + timedelta(minutes=minutes),
    }
    return replace(NOTE, **(changes | changed))  # type: ignore[arg-type]


def test_a_note_is_at_a_box_that_overlaps_enough_and_a_note_on_the_image_everywhere() -> None:
    assert NOTE.is_at([(100, 100, 110, 110), (12, 10, 30, 22)])
    assert not NOTE.is_at([(25, 10, 45, 20)])
    assert not NOTE.is_at([])
    assert replace(NOTE, box=None).is_at([])


def test_threads_hold_answers_and_withdrawals_the_newest_note_first() -> None:
    entries = [
        NOTE,
        later("n2", 1, text="another"),
        later("a2", 3, answers="n1"),
        later("a1", 2, answers="n1", author_id="u-2"),
        later("w1", 4, withdraws="a2"),
        later("w2", 5, withdraws="n2", author_id="u-3"),
    ]
    newest, oldest = threads(entries)
    assert (newest.note.note_id, newest.is_withdrawn, newest.answers) == ("n2", True, ())
    assert newest.authors == {"u-1", "u-3"}
    assert [one.note_id for one in oldest.answers] == ["a1", "a2"]
    assert (oldest.is_withdrawn, list(oldest.withdrawals)) == (False, ["a2"])
    assert threads([]) == []

"""Notes on images: written once, answered, withdrawn by whoever wrote them, proven."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.services.images.place_notes import LONGEST_NOTE, PlaceNotes
from tests.records import add_user, new_store

IMAGE, BOX = "a" * 64, (10.0, 10.0, 30.0, 20.0)


def test_a_note_an_answer_and_a_withdrawal_are_read_with_their_authors(engine: Engine) -> None:
    store = new_store(engine)
    notes = PlaceNotes(store)
    engineer, reviewer = add_user(store, Role.ML_ENGINEER), add_user(store, Role.REVIEWER)
    written = notes.write(
        engineer, IMAGE, " a seam edge ", box=BOX, model_name="weld", versions={2: "ab" * 32}
    )
    notes.write(reviewer, IMAGE, "underexposed")
    answer = notes.answer(reviewer, written.note_id, "I see a crack")
    notes.withdraw(reviewer, answer.note_id, "wrong image")
    found = notes.of_images(engineer, [IMAGE, "b" * 64])
    assert list(found.threads) == [IMAGE]
    whole, at_box = found.threads[IMAGE]
    assert (at_box.note.text, at_box.note.box, dict(at_box.note.versions)) == (
        "a seam edge",
        BOX,
        {2: "ab" * 32},
    )
    assert (at_box.answers[0].text, at_box.withdrawals[answer.note_id].text) == (
        "I see a crack",
        "wrong image",
    )
    assert found.name(engineer.user_id) == "Person 1"
    assert found.at(IMAGE, [(500, 500, 520, 520)]) == [whole]
    assert found.at(IMAGE, [BOX]) == [whole, at_box]
    assert found.at("b" * 64, [BOX]) == []
    with engine.connect() as connection:
        proven = connection.scalar(text("SELECT count(*) FROM audit_states WHERE table_name = 'place_notes'"))
    assert proven == 4


def test_what_is_no_note_is_refused(engine: Engine) -> None:
    store = new_store(engine)
    notes = PlaceNotes(store)
    engineer, reviewer = add_user(store, Role.ML_ENGINEER), add_user(store, Role.REVIEWER)
    for words in ("  ", "x" * (LONGEST_NOTE + 1)):
        with pytest.raises(BadInputError, match="characters"):
            notes.write(engineer, IMAGE, words)
    with pytest.raises(BadInputError, match="a width and a height"):
        notes.write(engineer, IMAGE, "here", box=(10, 10, 10, 20))
    with pytest.raises(NotAllowedError, match="a person must"):
        notes.write(COMMAND_LINE, IMAGE, "here")
    with pytest.raises(UnknownRecordError, match="no such note"):
        notes.answer(engineer, "nothing", "here")
    written = notes.write(engineer, IMAGE, "here")
    with pytest.raises(NotAllowedError, match="only whoever wrote"):
        notes.withdraw(reviewer, written.note_id, "no")
    answer = notes.answer(reviewer, written.note_id, "yes")
    with pytest.raises(BadInputError, match="answer the note itself"):
        notes.answer(engineer, answer.note_id, "yes")
    gone = notes.withdraw(engineer, written.note_id, "no")
    for again in (written, gone):
        with pytest.raises(BadInputError, match="withdraw"):
            notes.withdraw(engineer, again.note_id, "no")
    with pytest.raises(BadInputError, match="withdrawn already"):
        notes.answer(reviewer, written.note_id, "yes")


def test_the_database_itself_refuses_to_change_a_note(engine: Engine) -> None:
    store = new_store(engine)
    PlaceNotes(store).write(add_user(store, Role.ML_ENGINEER), IMAGE, "here")
    for statement in ("UPDATE place_notes SET text = 'there'", "DELETE FROM place_notes"):
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))

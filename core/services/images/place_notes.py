"""Notes of people on a place of an image."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.domain.permissions import Action, require
from core.domain.place_notes import Box, NoteThread, PlaceNote, threads
from core.domain.records import new_id
from core.store.unit_of_work import Store, Work

LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class ImageNotes:
    """What people wrote about images.

    Attributes:
        threads: by sha256 of the image, the newest note first; images without one are left out.
        names: of everybody who wrote, by user id.
    """

    threads: Mapping[str, Sequence[NoteThread]]
    names: Mapping[str, str]

    def at(self, image_sha256: str, boxes: Collection[Sequence[float]]) -> list[NoteThread]:
        """The threads about a place of the image, and those about the image as a whole."""
        return [one for one in self.threads.get(image_sha256, ()) if one.note.is_at(boxes)]

    def name(self, user_id: str) -> str:
        """Printed name of whoever wrote."""
        return self.names.get(user_id, user_id)


class PlaceNotes:
    """The notes of one workspace: written once, never changed.

    Args:
        store: the workspace's.
        make_id: gives ids.
    """

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def of_images(self, identity: Identity, digests: Collection[str]) -> ImageNotes:
        """Everything that was written about these images.

        Raises:
            NotAllowedError: the role may not look at radiographs.
        """
        require(identity, Action.IMAGES_READ)
        with self._store.read() as work:
            entries = work.place_notes.of_images(digests)
            users = {one.author_id: work.users.find(one.author_id) for one in entries}
        by_image: dict[str, list[PlaceNote]] = {}
        for one in entries:
            by_image.setdefault(one.image_sha256, []).append(one)
        return ImageNotes(
            {sha256: threads(found) for sha256, found in by_image.items()},
            {key: user.full_name or user.shown_name for key, user in users.items() if user is not None},
        )

    def write(
        self,
        identity: Identity,
        image_sha256: str,
        text: str,
        *,
        box: Box | None = None,
        model_name: str = "",
        versions: Mapping[int, str] | None = None,
    ) -> PlaceNote:
        """The new note.

        Args:
            identity: who writes.
            image_sha256: of the image.
            text: 1 to `LONGEST_NOTE` characters.
            box: x1, y1, x2, y2 in px of the original; None for the image as a whole.
            model_name: of the versions that it is about.
            versions: sha256 of their weights by number.

        Raises:
            NotAllowedError: the role may not write notes.
            BadInputError: the text is empty or too long, or the box has no area.
        """
        require(identity, Action.NOTES_WRITE)
        if box is not None and not (box[0] < box[2] and box[1] < box[3]):
            raise BadInputError("the place of a note needs a width and a height")
        return self._add(
            identity,
            "note.written",
            text,
            image_sha256=image_sha256,
            box=box,
            model_name=model_name,
            versions=dict(versions or {}),
        )

    def answer(self, identity: Identity, note_id: str, text: str) -> PlaceNote:
        """The new answer to a note.

        Raises:
            NotAllowedError: the role may not write notes.
            UnknownRecordError: there is no such note.
            BadInputError: the text is empty or too long, or it is no note that can be answered.
        """
        require(identity, Action.NOTES_WRITE)
        with self._store.read() as work:
            note = _existing(work, note_id)
        if note.answers or note.withdraws:
            raise BadInputError("answer the note itself, not an answer to it")
        return self._add(identity, "note.answered", text, **_about(note), answers=note_id)

    def withdraw(self, identity: Identity, note_id: str, why: str) -> PlaceNote:
        """The entry that withdraws a note or an answer of one's own; what was written stays readable.

        Raises:
            NotAllowedError: the role may not write notes, or it is somebody else's.
            UnknownRecordError: there is no such note.
            BadInputError: nobody says why, or it was withdrawn before.
        """
        require(identity, Action.NOTES_WRITE)
        with self._store.read() as work:
            note = _existing(work, note_id)
        if note.author_id != identity.user_id:
            raise NotAllowedError("only whoever wrote a note withdraws it: answer it instead")
        if note.withdraws:
            raise BadInputError("a withdrawal stands: write another note instead")
        return self._add(identity, "note.withdrawn", why, **_about(note), withdraws=note_id)

    def _add(
        self,
        identity: Identity,
        action: str,
        text: str,
        *,
        image_sha256: str,
        box: Box | None,
        model_name: str,
        versions: Mapping[int, str],
        answers: str | None = None,
        withdraws: str | None = None,
    ) -> PlaceNote:
        cleaned, about = _checked_text(text), answers or withdraws
        with self._store.write() as work:
            if about and work.place_notes.is_withdrawn(about):
                raise BadInputError("this was withdrawn already")
            note = PlaceNote(
                note_id=self._make_id(),
                image_sha256=image_sha256,
                box=box,
                model_name=model_name,
                versions=versions,
                text=cleaned,
                answers=answers,
                withdraws=withdraws,
                author_id=identity.user_id,
                written_at=work.now,
            )
            work.place_notes.add(note)
            work.audit.record(
                identity,
                action=action,
                object_type="place_note",
                object_id=note.note_id,
                details={"image": image_sha256, **({"about": about} if about else {})},
            )
        return note


def _existing(work: Work, note_id: str) -> PlaceNote:
    found = work.place_notes.find(note_id)
    if found is None:
        raise UnknownRecordError("there is no such note")
    return found


def _about(note: PlaceNote) -> dict[str, Any]:
    return {
        "image_sha256": note.image_sha256,
        "box": note.box,
        "model_name": note.model_name,
        "versions": note.versions,
    }


def _checked_text(text: str) -> str:
    cleaned = text.strip()
    if not 0 < len(cleaned) <= LONGEST_NOTE:
        raise BadInputError(f"expected 1 to {LONGEST_NOTE} characters")
    return cleaned

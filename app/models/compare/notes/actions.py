"""Callbacks of notes."""

from collections.abc import Mapping, Sequence

from app.models.compare.notes import state
from app.models.compare.state import say
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.errors import BadInputError
from core.domain.place_notes import Box


@acting
def write(place: str, sha256: str, boxes: Sequence[Box], model: str, versions: Mapping[int, str]) -> None:
    """Write the entry that was typed: a note on a box or on the image, an answer, or a withdrawal."""
    identity = current_identity()
    notes = resources().services.workspace_of(identity).notes
    kind, text = state.typed(place)
    if not kind:
        raise BadInputError("choose first what the note is about")
    if kind.startswith(state.ANSWER):
        notes.answer(identity, kind.removeprefix(state.ANSWER), text)
    elif kind.startswith(state.WITHDRAW):
        notes.withdraw(identity, kind.removeprefix(state.WITHDRAW), text)
    else:
        at = None if kind == state.ON_IMAGE else boxes[int(kind.removeprefix(state.AT_BOX))]
        notes.write(identity, sha256, text, box=at, model_name=model, versions=versions)
    state.was_written()
    say("note withdrawn" if kind.startswith(state.WITHDRAW) else "note written")

"""Draws the notes on a place, and the form that adds to them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.models.compare.notes import actions, state
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, may
from core.domain.place_notes import Box, NoteThread
from core.services.images.place_notes import LONGEST_NOTE, ImageNotes

_SHORT = 40


def notes_of(identity: Identity, digests: Sequence[str]) -> ImageNotes:
    """What was written about these images."""
    return resources().services.workspace_of(identity).notes.of_images(identity, digests)


def draw_note_form(
    identity: Identity,
    threads: Sequence[NoteThread],
    *,
    sha256: str,
    places: Mapping[str, Box],
    versions: Sequence[ModelVersion],
) -> None:
    """The button that opens the form, for those who may write.

    Args:
        identity: who looks.
        threads: what was written before, to answer or withdraw.
        sha256: of the image.
        places: in words, to write about; the image as a whole is another one.
        versions: that are looked at.
    """
    if not may(identity.role, Action.NOTES_WRITE):
        return
    here = f"{sha256[:12]}.{hash(tuple(places.values())):x}"
    about = {one.version: one.sha256 for one in versions}
    with st.popover("Note", icon=":material/edit_note:", key=f"notes.open.{here}.{state.n_written()}"):
        choices = kinds(identity, threads, list(places))
        with st.form(f"notes.form.{here}", border=False):
            st.selectbox(
                "About",
                list(choices),
                key=state.field("kind", here),
                format_func=choices.__getitem__,
                index=0 if len(places) == 1 else None,
                placeholder="choose the place, or the image",
            )
            st.text_area("Text", key=state.field("text", here), max_chars=LONGEST_NOTE, height=110)
            st.form_submit_button(
                "Write",
                type="primary",
                key=f"notes.write.{here}",
                on_click=actions.write,
                args=(here, sha256, list(places.values()), versions[0].name, about),
            )
        st.caption("Kept for good with your name; it can be answered or withdrawn, not changed.")


def kinds(identity: Identity, threads: Sequence[NoteThread], places: Sequence[str]) -> dict[str, str]:
    """The kinds of entries that this person may write here: key to words."""
    found = {f"{state.AT_BOX}{number}": words for number, words in enumerate(places)}
    found[state.ON_IMAGE] = "the image as a whole"
    for one in threads:
        if not one.is_withdrawn:
            found[f"{state.ANSWER}{one.note.note_id}"] = f"answer to: {_short(one.note.text)}"
    for one in threads:
        for entry in (one.note, *one.answers):
            if entry.author_id == identity.user_id and entry.note_id not in one.withdrawals:
                found[f"{state.WITHDRAW}{entry.note_id}"] = f"withdraw: {_short(entry.text)}"
    return found


def count_words(threads: Sequence[NoteThread]) -> str:
    """The number of notes that stand, empty without one."""
    n = sum(not one.is_withdrawn for one in threads)
    return "" if not n else "1 note" if n == 1 else f"{n} notes"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"

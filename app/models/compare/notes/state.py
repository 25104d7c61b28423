"""The form of notes in this session."""

import streamlit as st

_N_WRITTEN = "notes.n_written"
#: Kinds of entries; all but the second go on with a number of a place or an id of a note.
AT_BOX, ON_IMAGE, ANSWER, WITHDRAW = "box:", "image", "answer:", "withdraw:"


def n_written() -> int:
    """Entries that were written in this session; the form closes with each."""
    return int(st.session_state.get(_N_WRITTEN, 0))


def field(name: str, place: str) -> str:
    """Key of a field of the form at a place, `kind` or `text`; another one after each entry."""
    return f"notes.{name}.{place}.{n_written()}"


def typed(place: str) -> tuple[str, str]:
    """What kind of entry is wanted, empty for none, and its text."""
    asked = st.session_state
    return str(asked.get(field("kind", place)) or ""), str(asked.get(field("text", place)) or "")


def was_written() -> None:
    """Count an entry; only from a callback."""
    st.session_state[_N_WRITTEN] = n_written() + 1

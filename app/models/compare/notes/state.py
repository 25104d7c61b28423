"""The form of notes in this session."""

import streamlit as st

_N_WRITTEN = "notes.n_written"
#: What an entry may be, beside the answer to a note and its withdrawal.
AT_BOX, ON_IMAGE, ANSWER, WITHDRAW = "box", "image", "answer:", "withdraw:"


def n_written() -> int:
    """Entries that were written in this session; the form closes with each."""
    return int(st.session_state.get(_N_WRITTEN, 0))


def field(name: str, place: str) -> str:
    """Key of a field of the form at a place, `kind` or `text`; another one after each entry."""
    return f"notes.{name}.{place}.{n_written()}"


def typed(place: str) -> tuple[str, str]:
    """What kind of entry is wanted, and its text."""
    asked = st.session_state
    return str(asked.get(field("kind", place)) or AT_BOX), str(asked.get(field("text", place)) or "")


def was_written() -> None:
    """Count an entry; only from a callback."""
    st.session_state[_N_WRITTEN] = n_written() + 1

"""Images that are to be labelled, in this session."""

import streamlit as st

from app.models.compare.state import GALLERY

_TICKED, _N_SENT = "sending.ticked", "sending.n_sent"
ALL, TICKED = "all", "ticked"


def ticked(set_id: str) -> frozenset[str]:
    """The sha256 of the images of the set that are ticked."""
    kept = st.session_state.get(_TICKED, ("", frozenset()))
    return frozenset(kept[1]) if kept[0] == set_id else frozenset()


def reported_tick() -> str:
    """Key of the place whose tick was changed; empty without one."""
    key = getattr(st.session_state.get(GALLERY), "tick", None)
    return "" if key is None else str(key)


def turn_tick(set_id: str, sha256: str) -> None:
    """Tick the image, or take its tick away; only from a callback."""
    st.session_state[_TICKED] = (set_id, ticked(set_id) ^ {sha256})


def field(name: str) -> str:
    """Key of a field of the form, `which` or `note`; another one after each sending."""
    return f"sending.{name}.{n_sent()}"


def n_sent() -> int:
    """Times that images were sent in this session; the form closes with each."""
    return int(st.session_state.get(_N_SENT, 0))


def typed() -> tuple[str, str]:
    """Which images are wanted, `ALL` or `TICKED`, and the note."""
    asked = st.session_state
    return str(asked.get(field("which")) or ALL), str(asked.get(field("note")) or "")


def was_sent() -> None:
    """Count a sending and forget the ticks; only from a callback."""
    st.session_state[_N_SENT] = n_sent() + 1
    st.session_state.pop(_TICKED, None)

"""The box that the page Explain is about, in its address."""

import streamlit as st

INSPECTION, BOX = "inspection", "box"
WHAT_IF, NAMED, NUMBER, REPORTED_BOXES, REPORTED_METHODS = (
    f"explanations.{name}" for name in ("what_if", "inspection", "box", "reported_boxes", "reported_methods")
)


def asked_inspection() -> str:
    """The id in the address, empty without one."""
    return str(st.query_params.get(INSPECTION, ""))


def asked_box() -> int:
    """The number in the address, from 1; 1 where there is none."""
    said = str(st.query_params.get(BOX, "1"))
    return int(said) if said.isdecimal() and int(said) > 0 else 1


def choose_inspection() -> None:
    """Put the inspection that was typed into the address; only from a callback."""
    if typed := str(st.session_state[NAMED]).strip():
        st.query_params[INSPECTION] = typed


def prepare_box() -> None:
    """Give the field of the number what the address says; only before it is drawn."""
    st.session_state[NUMBER] = asked_box()


def choose_box() -> None:
    """Put the number that was typed into the address; only from a callback."""
    st.query_params[BOX] = str(int(st.session_state[NUMBER]))


def drawn_region() -> tuple[float, float, float, float] | None:
    """The rectangle that was dragged on the picture, px of the image; None without one."""
    event = st.session_state.get(WHAT_IF) or {}
    boxes = (event.get("selection") or {}).get("box") or []
    if not boxes:
        return None
    x, y = boxes[0]["x"], boxes[0]["y"]
    return min(x), min(y), max(x), max(y)

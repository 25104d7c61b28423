"""The box that the page Explain is about, in its address."""

from dataclasses import dataclass

import streamlit as st

INSPECTION, BOX = "inspection", "box"
#: Of a place in an image of an evaluation set, explained in several versions.
SET, IMAGE, VERSIONS, AT = "set", "image", "v", "at"
WHAT_IF, NAMED, NUMBER, PANES, REPORTED_BOXES, REPORTED_METHODS = (
    f"explanations.{name}"
    for name in ("what_if", "inspection", "box", "panes", "reported_boxes", "reported_methods")
)

#: So many versions are explained beside each other.
MOST_VERSIONS = 2


@dataclass(frozen=True, slots=True)
class VersionsAsked:
    """A place in an image of an evaluation set, and the versions that are asked about it.

    Attributes:
        set_id: of the set.
        sha256: of the image.
        numbers: of the versions.
        box: x1, y1, x2, y2 px.
    """

    set_id: str
    sha256: str
    numbers: tuple[int, ...]
    box: tuple[float, float, float, float]


def asked_inspection() -> str:
    """The id in the address, empty without one."""
    return str(st.query_params.get(INSPECTION, ""))


def asked_box() -> int:
    """The number in the address, from 1; 1 where there is none."""
    said = str(st.query_params.get(BOX, "1"))
    return int(said) if said.isdecimal() and int(said) > 0 else 1


def asked_place() -> VersionsAsked | None:
    """The place of an evaluation set in the address; None where there is none, or it is none."""
    query = st.query_params
    try:
        x1, y1, x2, y2 = (float(one) for one in query[AT].split(","))
        numbers = tuple(int(one) for one in query[VERSIONS].split(","))
        return VersionsAsked(query[SET], query[IMAGE], numbers[:MOST_VERSIONS], (x1, y1, x2, y2))
    except (KeyError, ValueError):
        return None


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

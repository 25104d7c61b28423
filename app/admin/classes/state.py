"""The page of own classes in this session: the class in the address and its form."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.indication import IndicationClass
from core.domain.own_classes import OwnClass

_CHOSEN = "class"
#: In place of a class that an own class stands for.
UNKNOWN = "no class of the models"


@dataclass
class ClassesState:
    """The page in this session.

    Attributes:
        said: what the last action did.
        n_saved: counts up to empty the form after a class was added.
    """

    said: str = ""
    n_saved: int = 0


def classes_state() -> ClassesState:
    """The state of the page in this session."""
    state: ClassesState = st.session_state.setdefault("classes", ClassesState())
    return state


def chosen(classes: Sequence[OwnClass]) -> OwnClass | None:
    """The class in the address, None when it names none."""
    asked = st.query_params.get(_CHOSEN)
    return next((own for own in classes if own.code == asked), None)


def choose(code: str | None) -> None:
    """Put this class into the address, None takes it out."""
    if code is None:
        st.query_params.pop(_CHOSEN, None)
    else:
        st.query_params[_CHOSEN] = code


def form_key(code: str, field: str) -> str:
    """Widget key of a field of the form of a class; the code is `new` for one that is added."""
    return f"classes.{code}.{field}.{classes_state().n_saved}"


def typed() -> OwnClass:
    """The class in the form for a new one.

    Raises:
        BadInputError: it is none.
    """
    code, name, colour, stands_for = (
        st.session_state[form_key("new", field)] for field in ("code", "name", "colour", "stands_for")
    )
    return OwnClass(
        str(code or "").strip().upper(),
        " ".join(str(name or "").split()),
        str(colour).lower(),
        None if stands_for == UNKNOWN else IndicationClass(stands_for),
    )


def changed(own: OwnClass) -> OwnClass:
    """The class as its form says.

    Raises:
        BadInputError: it is none any more.
    """
    name, colour, is_offered = (
        st.session_state[form_key(own.code, field)] for field in ("name", "colour", "is_offered")
    )
    name, colour = " ".join(str(name or "").split()), str(colour).lower()
    return OwnClass(own.code, name, colour, own.stands_for, bool(is_offered))

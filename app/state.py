"""What a session remembers between reruns. The only place that touches st.session_state and cookies."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.guest import COOKIE
from app.resources import MODELS, resources
from app.tray import Tray
from core.domain.radiograph import Polarity

MODEL_KEY = "inspection.model"
POLARITY_KEY = "inspection.polarity"
VIEWER_KEY = "inspection.viewer"


@dataclass
class InspectionState:
    """The inspection page.

    Attributes:
        current: key of the tray entry on show.
        threshold: last reported by the viewer; None takes the model's operating point.
        threshold_model: model and version the threshold was chosen for.
        uploader: counts up to empty the file chooser after its files were taken.
        taken: ids of the files that were taken; the browser may report the same ones twice.
    """

    current: str | None = None
    threshold: float | None = None
    threshold_model: str = ""
    uploader: int = 0
    taken: set[str] = field(default_factory=set)


def inspection_state() -> InspectionState:
    """The state of the inspection page in this session."""
    if "inspection" not in st.session_state:
        st.session_state["inspection"] = InspectionState()
    state: InspectionState = st.session_state["inspection"]
    return state


def visitor() -> str:
    """The id of the guest behind this session, from the signed cookie.

    A browser that refuses cookies is a guest of this session only; it is shown no pixels, because the
    pixel route cannot know it.
    """
    guest = resources().tokens.guest_of(st.context.cookies.get(COOKIE))
    if guest is not None:
        return guest
    if "visitor" not in st.session_state:
        st.session_state["visitor"] = f"session-{secrets.token_urlsafe(12)}"
    return str(st.session_state["visitor"])


def tray() -> Tray:
    """What this visitor has on the table."""
    return resources().trays.of(visitor())


def prepare_choices() -> None:
    """Give the model and polarity choices their first values, the model from the address if it names one."""
    asked = st.query_params.get("model")
    st.session_state.setdefault(MODEL_KEY, asked if asked in MODELS else MODELS[0])
    st.session_state.setdefault(POLARITY_KEY, Polarity.UNKNOWN)
    if st.session_state[MODEL_KEY] is None:  # a segmented control can be clicked empty
        st.session_state[MODEL_KEY] = st.session_state.get("inspection.last_model", MODELS[0])
    st.session_state["inspection.last_model"] = st.session_state[MODEL_KEY]


def chosen_model() -> str:
    """The registered model to analyse with."""
    return str(st.session_state.get(MODEL_KEY) or MODELS[0])


def choose_model(name: str) -> None:
    """Set the model choice; only from a callback, before the choice is drawn."""
    st.session_state[MODEL_KEY] = name


def chosen_polarity() -> Polarity:
    """The polarity that the visitor says new images have; UNKNOWN means as the model expects."""
    return Polarity(st.session_state.get(POLARITY_KEY) or Polarity.UNKNOWN)


def uploaded_files(key: str) -> list[Any]:
    """The files in the chooser of this key."""
    return list(st.session_state.get(key) or [])


def viewer_event(name: str) -> Any:
    """What the viewer reported under `name` in this run, None when nothing."""
    return getattr(st.session_state.get(VIEWER_KEY), name, None)

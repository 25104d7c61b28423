"""What a session remembers between reruns. The only place that touches st.session_state and cookies."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.inspection.tray import Tray
from app.shared.access import current_identity
from app.shared.resources import MODELS, resources
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.services.inspections.open_readings import OpenReading

MODEL_KEY = "inspection.model"
POLARITY_KEY = "inspection.polarity"
VIEWER_KEY = "inspection.viewer"
TEMPLATE_KEY = "setup.template"


@dataclass
class InspectionState:
    """The inspection page.

    Attributes:
        current: key of the tray entry on show.
        threshold: last reported by the viewer; None takes the model's operating point.
        threshold_model: model and version the threshold was chosen for.
        uploader: counts up to empty the file chooser after its files were taken.
        taken: ids of the files that were taken; the browser may report the same ones twice.
        remark: what of the files that came last was not taken, one line.
    """

    current: str | None = None
    threshold: float | None = None
    threshold_model: str = ""
    uploader: int = 0
    taken: set[str] = field(default_factory=set)
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Signing:
    """What somebody is about to sign, at the versions that were on show."""

    inspection_id: str
    version: int
    reading_version: int


@dataclass
class ReadingState:
    """The reading of the image on show.

    Attributes:
        setup: for images that are handed in from now on.
        refused: what was not saved last and why, `edit` and `message`.
        signing, asked: what waits for the password, and what the dialog was opened for.
        shown: the reading that was shown last, with its verdict.
        outcome: whether the last change of the setup was saved, and what to say about it.
        n_applied: changes of the setup that were saved.
    """

    setup: Setup = field(default_factory=Setup)
    refused: dict[str, Any] = field(default_factory=dict)
    signing: Signing | None = None
    asked: Signing | None = None
    shown: OpenReading | None = None
    outcome: tuple[bool, str] = (True, "")
    n_applied: int = 0

    def wants_dialog(self) -> bool:
        """True once when something waits to be signed: the dialog is drawn by a run of the whole page."""
        is_new = self.signing is not None and self.signing is not self.asked
        self.asked = self.signing
        return is_new

    def take_outcome(self) -> tuple[bool, str]:
        """The outcome, to be told once."""
        taken, self.outcome = self.outcome, (True, "")
        return taken


@dataclass
class SignInState:
    """The sign-in form.

    Attributes:
        ticket: of a sign-in that was verified, until it is handed to the browser.
        message: why the last attempt was refused.
        locked_until: monotonic time before which no attempt is looked at, seconds.
    """

    ticket: str = ""
    message: str = ""
    locked_until: float = 0.0


def sign_in_state() -> SignInState:
    """The state of the sign-in form in this session."""
    if "sign_in" not in st.session_state:
        st.session_state["sign_in"] = SignInState()
    state: SignInState = st.session_state["sign_in"]
    return state


def start_over_for(user_id: str) -> None:
    """Forget everything that somebody else left in this browser tab; empty when nobody is signed in."""
    if st.session_state.get("owner", user_id) != user_id:
        st.session_state.clear()
    st.session_state["owner"] = user_id


def inspection_state() -> InspectionState:
    """The state of the inspection page in this session."""
    if "inspection" not in st.session_state:
        st.session_state["inspection"] = InspectionState()
    state: InspectionState = st.session_state["inspection"]
    return state


def reading_state() -> ReadingState:
    """The state of the reading in this session."""
    if "reading" not in st.session_state:
        st.session_state["reading"] = ReadingState()
    state: ReadingState = st.session_state["reading"]
    return state


def tray() -> Tray:
    """What this visitor has on the table."""
    return resources().trays.of(current_identity())


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


def take_template() -> str | None:
    """The template that was chosen, and nothing chosen any more; only from a callback."""
    taken, st.session_state[TEMPLATE_KEY] = st.session_state.get(TEMPLATE_KEY), None
    return taken


def uploaded_files(key: str) -> list[Any]:
    """The files in the chooser of this key."""
    return list(st.session_state.get(key) or [])


def viewer_event(name: str) -> Any:
    """What the viewer reported under `name` in this run, None when nothing."""
    return getattr(st.session_state.get(VIEWER_KEY), name, None)

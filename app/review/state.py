"""The second person's page in this session."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.shared.state import reported

TABLE, VIEWER, PAIR = (f"second_review.{name}" for name in ("table", "viewer", "pair"))
OUTCOME, NOTE, PASSWORD, REASON = (
    f"second_review.{name}" for name in ("outcome", "note", "password", "reason")
)
CHOSEN = "inspection"


@dataclass
class SecondReviewState:
    """The second person's page in this session.

    Attributes:
        refused: the edit that was not saved last and why, `edit` and `message`.
        said: the outcome of the last review.
        wrong: why the last review was not signed.
        not_changed: why the own reading was not opened again.
    """

    refused: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    wrong: str = ""
    not_changed: str = ""


def review_state() -> SecondReviewState:
    """The state of the page in this session."""
    state: SecondReviewState = st.session_state.setdefault("second_review", SecondReviewState())
    return state


def chosen_inspection() -> str | None:
    """The id of the inspection in the address."""
    return st.query_params.get(CHOSEN)


def open_chosen() -> None:
    """Open the row that the reviewer chose; only from a callback."""
    if key := reported(TABLE, "open"):
        st.query_params[CHOSEN] = str(key)
        state = review_state()
        state.said = state.wrong = state.not_changed = ""
        state.refused = {}


def leave() -> None:
    """Go back to the queue; only from a callback."""
    st.query_params.pop(CHOSEN, None)


def take_form() -> tuple[str | None, str, str]:
    """Outcome, note and password in the form, which forgets the password."""
    asked = st.session_state
    outcome, note, password = asked.get(OUTCOME), str(asked.get(NOTE) or ""), str(asked.get(PASSWORD) or "")
    asked[PASSWORD] = ""
    return outcome, note, password


def take_reason() -> str:
    """The reason for changing the own reading, which the form forgets."""
    asked = st.session_state
    reason, asked[REASON] = str(asked.get(REASON) or ""), ""
    return reason

"""The sign-in form and the account page in a session."""

from dataclasses import dataclass

import streamlit as st

from app.shared.state import kept

#: Query parameter that asks a guest's page for the form; `late` when the ticket was no good any more.
SIGN_IN, LATE = "sign-in", "late"

FILM_FIRST_KEY = "account.film_first"


@dataclass
class AuthState:
    """The sign-in form and the account page.

    Attributes:
        ticket: of a sign-in that was verified, until it is handed to the browser.
        message: why the last attempt was refused.
        locked_until: monotonic time before which no attempt is looked at, seconds.
        said: outcome of the last action on the account page.
    """

    ticket: str = ""
    message: str = ""
    locked_until: float = 0.0
    said: str = ""


def show_film_first(is_on: bool | None) -> None:
    """Let the widget say one's own choice, as it is stored."""
    st.session_state[FILM_FIRST_KEY] = is_on


def wanted_film_first() -> bool | None:
    """The choice in that widget; None lets the administrator's count."""
    chosen: bool | None = st.session_state[FILM_FIRST_KEY]
    return chosen


def remembered() -> AuthState:
    """The state in this session."""
    return kept("auth", AuthState)

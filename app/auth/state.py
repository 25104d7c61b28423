"""The sign-in form and the account page in a session."""

from dataclasses import dataclass

from app.shared.state import kept

#: Query parameter that asks a guest's page for the form; `late` when the ticket was no good any more.
SIGN_IN, LATE = "sign-in", "late"


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


def remembered() -> AuthState:
    """The state in this session."""
    return kept("auth", AuthState)

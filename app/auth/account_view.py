"""What the page of one's own account does."""

from datetime import UTC, datetime

import streamlit as st

from app.shared.access import acting, current_identity
from app.shared.resources import resources

_SAID = "account.said"


@acting
def end_others() -> None:
    """End all sessions of whoever is here but this one."""
    identity = current_identity()
    n_ended = resources().services.signing_in.end_sessions(
        identity, identity.user_id, "ended from another session", keep=identity.session_id
    )
    sessions = "1 other session" if n_ended == 1 else f"{n_ended} other sessions"
    st.session_state[_SAID] = f"saved {datetime.now(UTC):%H:%M:%S} UTC: {sessions} ended"


def take_notice() -> str:
    """What the last action did, once."""
    return str(st.session_state.pop(_SAID, ""))

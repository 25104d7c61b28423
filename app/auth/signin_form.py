"""The sign-in page: streamlit-authenticator draws the form, our service verifies, nothing of it is kept."""

import math
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.auth import oidc
from app.shared.access import client_address
from app.shared.components.first_field.first_field import start_in
from app.shared.components.ticket_post.ticket_post import post_ticket
from app.shared.resources import resources
from app.shared.state import sign_in_state
from app.shared.visitors import session_token
from core.domain.errors import LockedOutError, SignInRefusedError

#: Query parameter that asks a guest's page for the form; `late` when the ticket was no good any more.
SIGN_IN, LATE = "sign-in", "late"
_LABELS = {"Form name": "Sign in", "Username": "Name", "Password": "Password", "Login": "Sign in"}
_KEY = "sign-in-form"


class _NoCookie:
    """Stands where the form keeps its own cookie, which scripts can read and which outlives signing out."""

    def get_cookie(self) -> None:
        """There is never one."""

    def set_cookie(self) -> None:
        """None is set."""

    def delete_cookie(self) -> None:
        """There is nothing to delete."""


class _Verifier:
    """Stands where the form looks its credentials up: it asks our service."""

    def __init__(self, verify: Callable[[str, str], bool]) -> None:
        self._verify = verify

    def login(self, username: str = "", password: str = "", *_limits: Any, **_options: Any) -> bool:
        """True when name and password are right."""
        return self._verify(username, password)


def draw_sign_in() -> None:
    """The page for whoever is not signed in."""
    remembered = sign_in_state()
    if not remembered.ticket:
        remembered.ticket = oidc.ticket_of_visitor(remembered)
    if remembered.ticket:
        with st.container(key="sign-in"):
            st.html('<p class="rk-muted" role="status">Signing in …</p>')
            post_ticket(remembered.ticket)
        remembered.ticket = ""
        return
    with st.container(key="sign-in"):
        st.html(
            "<h1>RadiKal</h1><p>Marks indications in radiographs, says how sure it is, and shows why.</p>"
        )
        _draw_form()
        start_in("sign-in")
        _draw_message()
        oidc.draw_choices()
        _draw_way_into_demo()


def _draw_form() -> None:
    from streamlit_authenticator.views import Authenticate  # it takes long and is needed here only

    form = Authenticate.__new__(Authenticate)  # its constructor makes the cookie and reads credentials
    form.attrs = {"login_sleep_time": 0}
    form.path = None
    form.cookie_controller = _NoCookie()
    form.authentication_controller = _Verifier(_verify)
    form.login(fields=_LABELS, key=_KEY)
    if sign_in_state().ticket:
        st.rerun()  # without the form: what was typed into it is forgotten


def _verify(name: str, password: str) -> bool:
    remembered = sign_in_state()
    remembered.message, remembered.locked_until = "", 0.0
    if not name.strip() or not password:
        remembered.message = "Enter your name and your password."
        return False
    try:
        ticket = resources().services.signing_in.verify(name, password, client_address())
    except LockedOutError as error:
        remembered.locked_until = time.monotonic() + error.retry_after_s
        return False
    except SignInRefusedError as error:
        remembered.message = f"Not signed in: {error}."
        return False
    remembered.ticket = ticket
    return True


def _draw_message() -> None:
    remembered = sign_in_state()
    if remembered.locked_until > time.monotonic():
        st.fragment(_draw_lock_out, run_every=1)()
    elif remembered.message:
        st.error(remembered.message)
    elif st.query_params.get(SIGN_IN) == LATE:
        st.error("That took too long, or was used already. Nothing happened: sign in again.")
    elif session_token(st.context.cookies) is not None:
        st.info("Your session has ended. What was saved is safe; sign in to go on.")


def _draw_lock_out() -> None:
    left_s = math.ceil(sign_in_state().locked_until - time.monotonic())
    if left_s > 0:
        st.error(f"Too many attempts. Nothing is looked at for another {left_s} s.")
    else:
        st.info("You can try again now.")


def _draw_way_into_demo() -> None:
    if not resources().is_demo:
        return
    if session_token(st.context.cookies) is not None:  # the ended session has to go first
        st.html('<form class="rk-leave" method="post" action="/signout"><button>Try the demo</button></form>')
    else:
        st.html('<a class="rk-menu-link" href="/">Try the demo without an account</a>')
